import { accountRules } from './accountRules.js';
import { backpressureRules } from './backpressureRules.js';
import { failureRules } from './failureRules.js';
import { OperatorBench } from './operatorBench.js';
import type { OperatorRule } from './operatorRule.js';
import type { OperatorSubject } from './operatorSubject.js';
import { reentrancyRules } from './reentrancyRules.js';
import { releaseRules } from './releaseRules.js';
import { signalRules } from './signalRules.js';
import { subscriptionRules } from './subscriptionRules.js';

const RULES = [
  ...signalRules,
  ...subscriptionRules,
  ...releaseRules,
  ...failureRules,
  ...backpressureRules,
  ...reentrancyRules,
  ...accountRules,
] as const;

/** The id of a rule: `OP-3.2`. */
export type OperatorRuleId = (typeof RULES)[number]['id'];

/** A rule for one operator, to be run as a test: it throws where the operator breaks it. */
export interface ConformanceTest {
  readonly id: OperatorRuleId;
  /** What the rule says; where it does not apply, also why. */
  readonly title: string;
  readonly run: () => void;
}

/** Every rule, in order. */
export const OPERATOR_RULES: readonly { readonly id: OperatorRuleId; readonly title: string }[] = RULES.map(
  ({ id, title }) => ({ id, title }),
);

/**
 * The rules that every operator of Sluice keeps, as tests of your own. They run in virtual time and work with any runner.
 *
 * A rule that cannot hold is named in `notApplicable` with the reason; one that is named there and holds all the same is a
 * failure, so that an exemption does not outlive its reason.
 *
 * @example
 * ```ts
 * import { batch } from 'sluice/operators';
 * import { operatorConformance } from 'sluice/testing';
 * import { describe, it } from 'vitest';
 *
 * describe('batch', () => {
 *   const tests = operatorConformance<number, readonly number[]>({
 *     name: 'batch',
 *     make: () => batch({ size: 2, lingerMs: 5 }),
 *     item: (index) => index,
 *     itemsOf: (items) => items,
 *     throwing: [{ callback: 'sizeOf', make: (sizeOf) => batch({ size: 2, maxBytes: 9, sizeOf }) }],
 *   });
 *   for (const { id, title, run } of tests) it(`${id} ${title}`, run);
 * });
 * ```
 */
export function operatorConformance<I, O>(subject: OperatorSubject<I, O, OperatorRuleId>): ConformanceTest[] {
  const exempt: Partial<Record<string, string>> = subject.notApplicable ?? {};
  for (const [id, reason] of Object.entries(exempt)) {
    if (!RULES.some((rule) => rule.id === id)) throw new RangeError(`${subject.name}: there is no rule ${id}`);
    if (!reason) throw new RangeError(`${subject.name}: say why ${id} does not apply`);
  }
  return RULES.map((rule) => {
    const reason = exempt[rule.id];
    if (reason === undefined) return { id: rule.id, title: rule.title, run: () => hold(subject, rule) };
    const title = `${rule.title} (does not apply: ${reason})`;
    return { id: rule.id, title, run: () => expectBroken(subject, rule) };
  });
}

function hold<I, O>(subject: OperatorSubject<I, O>, rule: OperatorRule): void {
  const bench = new OperatorBench(subject);
  try {
    bench.run(() => rule.check(bench));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${subject.name} breaks ${rule.id} (${rule.title}): ${reason}`, { cause: error });
  }
}

function expectBroken<I, O>(subject: OperatorSubject<I, O>, rule: OperatorRule): void {
  try {
    hold(subject, rule);
  } catch {
    return;
  }
  throw new Error(`${subject.name} keeps ${rule.id} (${rule.title}): take it out of notApplicable`);
}
