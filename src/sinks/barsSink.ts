import type { Pool } from 'pg';
import type { Sink } from '../contracts/sink.js';
import type { Bar } from '../market/bar.js';
import { type TableSinkConfig, tableSink } from '../postgres/tableSink.js';
import { barsTable } from '../postgres/tables.js';

export interface BarsSinkConfig extends TableSinkConfig {
  /** The table. 1 to 63 bytes, default `bars`. */
  readonly table?: string;
  /** The name in metrics, errors and the report. Default `bars`. */
  readonly name?: string;
}

/**
 * Writes bars into a Postgres table, one row a vendor, symbol, timeframe and start; made at the first write unless it
 * is there. An upsert that never goes backwards: a row is changed only by a higher `seq`, and of equals the earlier stays.
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
 * **Delivery**: at least once, once in effect: writing a batch again changes nothing. Bars without a `seq` are numbered
 * when they are first written, by the time of receipt in microseconds, strictly increasing; `writeTo()` keeps the number
 * with them through retries and dead letters.
 *
 * **Gotchas**: a table that is there already needs the columns with their very types, and a unique index on exactly the
 * key: any other is refused before the first write. Texts cannot hold NUL or half a surrogate pair, those of the
 * key together about 2,700 bytes, and `ts` must be finite: such a bar fails its batch. A newer version with equal values is written too, so that its `seq` counts. A
 * conflicting straight COPY shows in the server's log as an error before the batch is upserted. Two sinks with different
 * lanes on the same rows can deadlock: the server ends that after its `deadlock_timeout`, and the sink writes again, in
 * the order of the keys from then on.
 *
 * @example
 * ```ts
 * import { barsSink, openStore, sinkSubscriber } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 *
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * const writer = sinkSubscriber(barsSink(store.pool, { table: 'bars' }), { workers: 4, batchSize: 2_000 });
 * synthetic({ symbols: 500, count: 100_000, seed: 7 }).subscribe(writer);
 * await writer.whenFinished();
 * await store.close();
 * ```
 */
export function barsSink(pool: Pool, config: BarsSinkConfig = {}): Sink<Bar> {
  // Coarser than the key of a bar, and cheaper: all bars of a symbol in one lane are in order, and so is each bar.
  return tableSink('barsSink', barsTable, (bar) => bar.symbol, pool, config);
}
