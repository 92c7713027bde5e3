import { duration } from '../../primitives/options.js';
import { commitRules } from './commitRules.js';
import { orderRules } from './orderRules.js';
import { outageRules } from './outageRules.js';
import { SinkBench } from './sinkBench.js';
import type { SinkSubject } from './sinkSubject.js';
import { testsOf } from './testsOf.js';

const RULES = [...commitRules, ...outageRules, ...orderRules] as const;

/** The id of a rule: `SK-3.2`. */
export type SinkRuleId = (typeof RULES)[number]['id'];

/** A rule for one sink, to be run as a test: the promise rejects where the sink breaks it. */
export interface SinkConformanceTest {
  readonly id: SinkRuleId;
  /** What the rule says; where it does not apply, also why. */
  readonly title: string;
  readonly run: () => Promise<void>;
}

/** Every rule, in order. */
export const SINK_RULES: readonly { readonly id: SinkRuleId; readonly title: string }[] = RULES.map(
  ({ id, title }) => ({
    id,
    title,
  }),
);

/**
 * The rules that every sink of Sluice keeps, as tests of your own. They write to the real store, in real time, and work with
 * any runner.
 *
 * A rule that cannot hold is named in `notApplicable` with the reason; one that is named there and holds all the same is a
 * failure, so that an exemption does not outlive its reason.
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
 *       let isAway = false;
 *       const keep = (price: Price) => {
 *         if (price.seq > (prices.get(price.symbol)?.seq ?? 0)) prices.set(price.symbol, price);
 *       };
 *       const write = (batch: readonly Price[]) =>
 *         defer(() => {
 *           if (isAway) return throwError(() => new Error('away'));
 *           batch.forEach(keep);
 *           return of({ rows: batch.length });
 *         });
 *       return {
 *         sink: () => ({ name: 'prices', keyOf: ({ symbol }) => symbol, write }),
 *         stored: () => [...prices.values()],
 *         outage() {
 *           isAway = true;
 *           return () => {
 *             isAway = false;
 *           };
 *         },
 *       };
 *     },
 *     item: (index, version) => ({ symbol: `S${index}`, seq: version }),
 *     notApplicable: {
 *       'SK-4.1': 'it takes anything',
 *       'SK-4.2': 'it takes anything',
 *       'SK-4.3': 'it takes anything',
 *     },
 *   });
 *   for (const { id, title, run } of tests) it(`${id} ${title}`, run);
 * });
 * ```
 */
export function sinkConformance<T>(subject: SinkSubject<T, SinkRuleId>): SinkConformanceTest[] {
  duration({ min: 1 }).read(subject.name, 'timeoutMs', subject.timeoutMs);
  return testsOf(subject, RULES, async (rule) => {
    const store = await subject.open();
    try {
      await rule.check(new SinkBench(subject, store));
    } finally {
      await store.close?.();
    }
  });
}
