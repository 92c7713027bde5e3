import type { Observable } from 'rxjs';
import { gatedSource } from '../../flow/gatedSource.js';
import { GAP, type Gap } from '../../market/gap.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { issuesOf } from '../../market/recordShape.js';
import { func, type OptionsOf, readOptions, reject, text } from '../../primitives/options.js';
import type { RepairOutcome } from './outcome.js';
import { REPAIR, type RepairConfig, repairSettings } from './repairConfig.js';
import { RepairRun } from './repairRun.js';

export interface RepairSpanConfig extends RepairConfig {
  /** Called once, when the repair has ended by itself, with what became of the gap. */
  readonly onOutcome?: (outcome: RepairOutcome) => void;
  /** The name in topology and metrics. Default `repairSpan`. */
  readonly name?: string;
}

const OPTIONS = {
  ...REPAIR,
  onOutcome: func(),
  name: text().default('repairSpan'),
} satisfies OptionsOf<RepairSpanConfig>;

/**
 * The records of one gap, asked of its vendor, and at the end the gap itself: closed where the store proves that it has all of them, open
 * where its reason is new. The records must go from here into the store that the ledger reads, because the repair waits for them there.
 *
 * Chunks are asked one after another, and each is a closed gap of its own as soon as it is proven: a repair that was interrupted goes on
 * behind them. The next page is requested when the rows of the last one are out and the gate downstream is open. Completes when the gap is
 * closed, or left open, and when the pipeline drains: the gap then stays as it is. Fails only with what a callback throws, or one of
 * downstream. On unsubscribe the request under way is cancelled.
 *
 * @example
 * ```ts
 * import type { Gap } from 'sluice/market';
 * import { openStore, storeLedger } from 'sluice/postgres';
 * import { type Provider, repairSpan } from 'sluice/providers';
 *
 * declare const provider: Provider;
 * declare const gap: Gap;
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * const ledger = storeLedger(store.pool);
 * repairSpan(gap, { providers: [provider], ledger, onOutcome: ({ state }) => console.log(state) }).subscribe((record) => {
 *   // Into the sinks of its kind.
 * });
 * ```
 */
export function repairSpan(gap: Gap, config: RepairSpanConfig): Observable<MarketEvent> {
  const owner = 'repairSpan';
  const { onOutcome, name, ...read } = readOptions(owner, config, OPTIONS);
  const settings = repairSettings(owner, read);
  const issue = issuesOf(GAP, Object(gap))[0];
  if (issue) reject(owner, `the ${issue.field} of its gap`, issue.expected, issue.value);
  const { scheduler } = read;

  return gatedSource<MarketEvent>({ name, scheduler }, (outlet) => {
    const run = new RepairRun(gap, settings, {
      gate: outlet.context.gate,
      scheduler,
      emit: (record) => outlet.next(record),
      drop(rows, reason) {
        for (const row of rows) outlet.settle('dropped', row, reason);
      },
      over(outcome) {
        onOutcome?.(outcome);
        outlet.complete();
      },
      fail: (error) => outlet.error(error),
    });
    run.start();
    return () => run.stop();
  });
}
