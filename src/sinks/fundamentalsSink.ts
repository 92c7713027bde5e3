import type { Pool } from 'pg';
import type { Sink } from '../contracts/sink.js';
import type { Fundamentals } from '../market/fundamentals.js';
import { type TableSinkConfig, tableSink } from '../postgres/tableSink.js';
import { fundamentalsTable } from '../postgres/tables.js';

export interface FundamentalsSinkConfig extends TableSinkConfig {
  /** The table. 1 to 63 bytes, default `fundamentals`. */
  readonly table?: string;
  /** The name in metrics, errors and the report. Default `fundamentals`. */
  readonly name?: string;
}

/**
 * Writes the figures of company reports into a Postgres table, one row a vendor, symbol, period (its end and length) and
 * metric; made at the first write unless it is there. A row is changed only by a higher `seq`, and of equals the earlier
 * stays: a restatement replaces what it restates.
 *
 * ```text
 * batches   --[A1 B1]--[A2 A3]--[A1]----
 * rows      ---A1 B1----A3-----------      (A2 is older than A3, A1 older than what is there)
 * receipts  -----2--------1--------0-
 * ```
 *
 * **Emits when**: a batch is committed: one receipt with the rows inserted or changed.
 * **Backpressure**: a write waits for a connection of the pool; give the pool as many as there are lanes.
 * **Completes when**: its batch is committed, after the receipt.
 * **Errors when**: Postgres does not take the batch: `StoreError`, nothing of the batch is written, and the sink can be
 * written to again.
 * **On unsubscribe**: a statement under way is not cancelled, and may commit; its connection is destroyed at once, so
 * that the end of the pool does not wait for it. PGlite's only one is given back when the statement has ended.
 *
 * **Delivery**: at least once, once in effect: writing a batch again changes nothing. Figures without a `seq` are numbered
 * when they are first written, by the time of receipt in microseconds, strictly increasing; `writeTo()` keeps the number
 * with them through retries and dead letters.
 *
 * **Gotchas**: the table holds what is known now, not what was known then: a restatement overwrites. The unit is not part
 * of the key: one metric in two currencies is two metrics. A table that is there already needs the columns with their
 * very types and a unique index on exactly the key, as with `barsSink()`, whose page has the rest.
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
export function fundamentalsSink(pool: Pool, config: FundamentalsSinkConfig = {}): Sink<Fundamentals> {
  return tableSink('fundamentalsSink', fundamentalsTable, (figure) => figure.symbol, pool, config);
}
