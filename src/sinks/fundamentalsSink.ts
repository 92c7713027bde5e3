import type { Sink } from '../contracts/sink.js';
import type { Fundamentals } from '../market/fundamentals.js';
import type { Pool } from '../postgres/pool.js';
import { fundamentalsTable } from '../postgres/recordTables.js';
import { type TableSinkConfig, tableSinkOf } from '../postgres/tableSink.js';

/**
 * Writes the figures of company reports into the table `fundamentals` of a Postgres database, one row per vendor, symbol, period (its end and length) and
 * metric. A {@link tableSink}: the table is created at the first write unless it exists, a row is changed only by a higher `seq`,
 * and of equal ones the earlier stays: a restatement replaces what it restates.
 *
 * ```text
 * batches   --[A1 B1]--[A2 A3]--[A1]----
 * rows      ---A1 B1----A3-----------      (A2 is older than A3, A1 older than the row)
 * receipts  -----2--------1--------0-
 * ```
 *
 * **Emits when**: a batch is committed: one receipt with the number of rows inserted or changed.
 * **Backpressure**: a write waits for a connection of the pool; give the pool as many as there are lanes.
 * **Completes when**: its batch is committed, after the receipt.
 * **Errors when**: Postgres refuses the batch: `StoreError`; nothing of the batch is written.
 * **On unsubscribe**: as `tableSink()`, whose page holds for this sink too.
 *
 * **Delivery**: at least once, once in effect: writing a batch again changes nothing. Figures without a `seq` are numbered when
 * they are first written.
 *
 * **Gotchas**: the table holds what is known now rather than what was known then: a restatement overwrites. The unit is not part of
 * the key: one metric in two currencies is two metrics.
 *
 * @example
 * ```ts
 * import type { Fundamentals } from 'sluice/market';
 * import { fundamentalsSink, openStore, sinkSubscriber } from 'sluice/sinks';
 * import { fromIterable } from 'sluice/sources';
 *
 * const revenues: Fundamentals = {
 *   kind: 'fundamental',
 *   vendor: 'acme',
 *   symbol: 'ACME',
 *   periodEnd: '2024-03-31',
 *   timeframe: 'quarterly',
 *   metric: 'revenues',
 *   value: 1.25e9,
 *   unit: 'USD',
 *   filingDate: '2024-05-02',
 * };
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * const writer = sinkSubscriber(fundamentalsSink(store.pool));
 * fromIterable([revenues]).subscribe(writer);
 * await writer.whenFinished();
 * await store.close();
 * ```
 */
export function fundamentalsSink(pool: Pool, config: TableSinkConfig = {}): Sink<Fundamentals> {
  return tableSinkOf('fundamentalsSink', pool, fundamentalsTable, config);
}
