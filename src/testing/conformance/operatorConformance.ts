import { accountRules } from './accountRules.js';
import { backpressureRules } from './backpressureRules.js';
import { failureRules } from './failureRules.js';
import { OperatorBench } from './operatorBench.js';
import type { OperatorSubject } from './operatorSubject.js';
import { reentrancyRules } from './reentrancyRules.js';
import { releaseRules } from './releaseRules.js';
import { signalRules } from './signalRules.js';
import { subscriptionRules } from './subscriptionRules.js';
import { type RuleTest, rulesOf, testsOf, titlesOf } from './testsOf.js';

const RULES = rulesOf({
  ...signalRules,
  ...subscriptionRules,
  ...releaseRules,
  ...failureRules,
  ...backpressureRules,
  ...reentrancyRules,
  ...accountRules,
});

/** The id of a rule: `OP-3.2`. */
export type OperatorRuleId = (typeof RULES)[number]['id'];

/** A rule for one operator as a test. `run()` throws if the operator breaks the rule. */
export type ConformanceTest = RuleTest<OperatorRuleId, void>;

/** Every rule, in order. */
export const OPERATOR_RULES = titlesOf(RULES);

/**
 * The rules that every operator of Sluice keeps, as tests for your own. They run in virtual time and work with any runner.
 *
 * A rule that cannot hold is listed in `notApplicable` with the reason. A rule that is listed there but holds is a failure, so
 * that no exemption outlives its reason.
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
  return testsOf(subject, RULES, (check) => {
    const bench = new OperatorBench(subject);
    bench.run(() => check(bench));
  });
}
