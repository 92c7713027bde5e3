import type { Sink } from '../contracts/sink.js';
import type { Bar } from '../market/bar.js';
import type { Pool } from '../postgres/pool.js';
import { barsTable } from '../postgres/recordTables.js';
import { type TableSinkConfig, tableSinkOf } from '../postgres/tableSink.js';

/**
 * Writes bars into the table `bars` of a Postgres database, one row per vendor, symbol, timeframe and start. A {@link tableSink}: the table is created
 * at the first write unless it exists, a row is changed only by a higher `seq`, and of equal ones the earlier stays.
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
 * **Delivery**: at least once, once in effect: writing a batch again changes nothing. Bars without a `seq` are numbered when
 * they are first written.
 *
 * **Gotchas**: `ts` must be finite. All bars of a symbol are written in the order of their arrival.
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
export function barsSink(pool: Pool, config: TableSinkConfig = {}): Sink<Bar> {
  return tableSinkOf('barsSink', pool, barsTable, config);
}
