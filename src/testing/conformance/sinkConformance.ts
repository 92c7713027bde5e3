import { duration } from '../../primitives/options.js';
import { commitRules } from './commitRules.js';
import { orderRules } from './orderRules.js';
import { outageRules } from './outageRules.js';
import { SinkBench } from './sinkBench.js';
import type { SinkSubject } from './sinkSubject.js';
import { type RuleTest, rulesOf, testsOf, titlesOf } from './testsOf.js';

const RULES = rulesOf({ ...commitRules, ...outageRules, ...orderRules });

/** The id of a rule: `SK-3.2`. */
export type SinkRuleId = (typeof RULES)[number]['id'];

/** A rule for one sink as a test. The promise of `run()` rejects if the sink breaks the rule. */
export type SinkConformanceTest = RuleTest<SinkRuleId, Promise<void>>;

/** Every rule, in order. */
export const SINK_RULES = titlesOf(RULES);

/**
 * The rules that every sink of Sluice keeps, as tests for your own. They write to the real store in real time and work with
 * any runner.
 *
 * A rule that cannot hold is listed in `notApplicable` with the reason. A rule that is listed there but holds is a failure, so
 * that no exemption outlives its reason.
 *
 * @example
 * ```ts
 * import { defer, of, throwError } from 'rxjs';
 * import { sinkConformance } from 'sluice/testing';
 * import { describe, it } from 'vitest';
 *
 * interface Price {
 *   readonly symbol: string;
 *   readonly seq: number;
 * }
 *
 * describe('a sink for a map of prices', () => {
 *   const tests = sinkConformance<Price>({
 *     name: 'prices',
 *     open() {
 *       const prices = new Map<string, Price>();
 *       let isDown = false;
 *       const keep = (price: Price) => {
 *         if (price.seq > (prices.get(price.symbol)?.seq ?? 0)) prices.set(price.symbol, price);
 *       };
 *       const write = (batch: readonly Price[]) =>
 *         defer(() => {
 *           if (isDown) return throwError(() => new Error('the store is down'));
 *           batch.forEach(keep);
 *           return of({ rows: batch.length });
 *         });
 *       return {
 *         sink: () => ({ name: 'prices', keyOf: ({ symbol }) => symbol, write }),
 *         stored: () => [...prices.values()],
 *         outage() {
 *           isDown = true;
 *           return () => {
 *             isDown = false;
 *           };
 *         },
 *       };
 *     },
 *     item: (index, version) => ({ symbol: `S${index}`, seq: version }),
 *     notApplicable: {
 *       'SK-4.1': 'it accepts anything',
 *       'SK-4.2': 'it accepts anything',
 *       'SK-4.3': 'it accepts anything',
 *     },
 *   });
 *   for (const { id, title, run } of tests) it(`${id} ${title}`, run);
 * });
 * ```
 */
export function sinkConformance<T>(subject: SinkSubject<T, SinkRuleId>): SinkConformanceTest[] {
  duration({ min: 1 }).read(subject.name, 'timeoutMs', subject.timeoutMs);
  return testsOf(subject, RULES, async (check) => {
    const store = await subject.open();
    try {
      await check(new SinkBench(subject, store));
    } finally {
      await store.close?.();
    }
  });
}
