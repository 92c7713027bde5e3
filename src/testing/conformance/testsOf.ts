/** A rule of a kit. It is checked against a bench, which holds the subject and everything around it. */
export interface Rule<Id extends string = string> {
  readonly id: Id;
  readonly title: string;
}

/** What a kit needs to know of any subject. */
interface Subject {
  readonly name: string;
  readonly notApplicable?: Readonly<Partial<Record<string, string>>>;
}

/**
 * One test per rule. `check` throws or rejects where the subject breaks the rule. An exempted rule must be broken, so that no
 * exemption outlives its reason.
 */
export function testsOf<R extends Rule, Result extends void | Promise<void>>(
  { name, notApplicable = {} }: Subject,
  rules: readonly R[],
  check: (rule: R) => Result,
): { readonly id: R['id']; readonly title: string; readonly run: () => Result }[] {
  for (const [id, reason] of Object.entries(notApplicable)) {
    if (!rules.some((rule) => rule.id === id)) throw new RangeError(`${name}: unknown rule ${id} in notApplicable`);
    if (!reason) throw new RangeError(`${name}: say why ${id} does not apply`);
  }
  return rules.map((rule) => {
    const { id, title } = rule;
    const exemption = notApplicable[id];
    const rejected = (cause: unknown) => {
      if (exemption !== undefined) return;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`${name} breaks ${id} (${title}): ${reason}`, { cause });
    };
    const passed = () => {
      if (exemption !== undefined) throw new Error(`${name} keeps ${id} (${title}): remove it from notApplicable`);
    };
    return {
      id,
      title: exemption === undefined ? title : `${title} (does not apply: ${exemption})`,
      run: () => settle(() => check(rule), passed, rejected),
    };
  });
}

/** Like `then()`, but synchronous if `work` is. */
function settle<Result extends void | Promise<void>>(
  work: () => Result,
  passed: () => void,
  rejected: (error: unknown) => void,
): Result {
  let result: Result;
  try {
    result = work();
  } catch (error) {
    return rejected(error) as Result;
  }
  return (result ? result.then(passed, rejected) : passed()) as Result;
}
