import { messageOf } from '../../primitives/messageOf.js';

/** A rule of a kit, with the check that a subject must pass. */
export interface Rule<Id extends string, Check> {
  readonly id: Id;
  readonly title: string;
  readonly check: Check;
}

/** Rules are written as `'OP-1.1: a silent source stays silent'(bench) { … }`. */
type IdOf<Text extends string> = Text extends `${infer Id}: ${string}` ? Id : never;

export function rulesOf<Text extends string, Check>(
  checks: Readonly<Record<Text, Check>>,
): readonly Rule<IdOf<Text>, Check>[] {
  return Object.entries<Check>(checks).map(([text, check]) => {
    const end = text.indexOf(': ');
    return { id: text.slice(0, end) as IdOf<Text>, title: text.slice(end + 2), check };
  });
}

/** What a kit needs to know of any subject. */
interface Subject {
  readonly name: string;
  readonly notApplicable?: Readonly<Partial<Record<string, string>>>;
}

/**
 * One test per rule. `hold` throws or rejects if the subject breaks the rule. An exempted rule must be broken, so that no
 * exemption outlives its reason.
 */
export function testsOf<Id extends string, Check, Result extends void | Promise<void>>(
  { name, notApplicable = {} }: Subject,
  rules: readonly Rule<Id, Check>[],
  hold: (check: Check) => Result,
): { readonly id: Id; readonly title: string; readonly run: () => Result }[] {
  for (const [id, reason] of Object.entries(notApplicable)) {
    if (!rules.some((rule) => rule.id === id)) throw new RangeError(`${name}: unknown rule ${id} in notApplicable`);
    if (!reason) throw new RangeError(`${name}: say why ${id} does not apply`);
  }
  return rules.map(({ id, title, check }) => {
    const exemption = notApplicable[id];
    const rejected = (cause: unknown) => {
      if (exemption !== undefined) return;
      throw new Error(`${name} breaks ${id} (${title}): ${messageOf(cause)}`, { cause });
    };
    const passed = () => {
      if (exemption !== undefined) throw new Error(`${name} keeps ${id} (${title}): remove it from notApplicable`);
    };
    return {
      id,
      title: exemption === undefined ? title : `${title} (does not apply: ${exemption})`,
      run: () => settle(() => hold(check), passed, rejected),
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
