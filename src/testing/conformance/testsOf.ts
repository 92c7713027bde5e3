import { messageOf } from '../../primitives/messageOf.js';

/** A rule of a kit, with the check that a subject must pass. */
export interface Rule<Id extends string, Check> {
  readonly id: Id;
  readonly title: string;
  readonly check: Check;
}

/** A rule for one subject as a test. `run()` throws or rejects if the subject breaks the rule. */
export interface RuleTest<Id extends string, Result> {
  readonly id: Id;
  /** What the rule says, and why if it does not apply. */
  readonly title: string;
  readonly run: () => Result;
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

export function titlesOf<Id extends string>(
  rules: readonly Rule<Id, unknown>[],
): readonly Pick<Rule<Id, unknown>, 'id' | 'title'>[] {
  return rules.map(({ id, title }) => ({ id, title }));
}

/** What is checked against the rules of a kit. */
export interface RuleSubject<Id extends string> {
  /** The name in messages. */
  readonly name: string;
  /** Rules that do not hold for this subject, each with the reason. A listed rule that holds is a failure. */
  readonly notApplicable?: Readonly<Partial<Record<Id, string>>>;
}

/**
 * One test per rule. `hold` throws or rejects if the subject breaks the rule. An exempted rule must be broken, so that no
 * exemption outlives its reason.
 */
export function testsOf<Id extends string, Check, Result extends void | Promise<void>>(
  { name, notApplicable }: RuleSubject<Id>,
  rules: readonly Rule<Id, Check>[],
  hold: (check: Check) => Result,
): RuleTest<Id, Result>[] {
  for (const [id, reason] of Object.entries(notApplicable ?? {})) {
    if (!rules.some((rule) => rule.id === id)) throw new RangeError(`${name}: unknown rule ${id} in notApplicable`);
    if (!reason) throw new RangeError(`${name}: say why ${id} does not apply`);
  }
  return rules.map(({ id, title, check }) => {
    const exemption = notApplicable?.[id];
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
