import type { Sink } from '../contracts/sink.js';
import type { Gap } from '../market/gap.js';
import type { Pool } from '../postgres/pool.js';
import { gapsTable } from '../postgres/recordTables.js';
import { type TableSinkConfig, tableSinkOf } from '../postgres/tableSink.js';

/**
 * Writes gaps into the table `gaps` of a Postgres database, one row per series (vendor, symbol, kind and timeframe of what is missing) and span. A
 * {@link tableSink}: the table is created at the first write unless it exists, a row is changed only by a higher `seq`, and of
 * equal ones the earlier stays: a later state of a gap replaces an earlier one.
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
 * **Delivery**: at least once, once in effect: writing a batch again changes nothing. A gap brings its `seq`.
 *
 * **Gotchas**:
 *
 * - Both ends of the span are part of the key. Whoever closes a gap writes it with the `from` and `to` that it was opened with.
 * - A gap without a timeframe has an empty text in the column `timeframe`: a column of a key cannot be null.
 * - `migrate()` adds an index by state, which a table that the sink created lacks.
 *
 * @example
 * ```ts
 * import type { Gap } from 'sluice/market';
 * import { gapsSink, openStore, sinkSubscriber } from 'sluice/sinks';
 * import { fromIterable } from 'sluice/sources';
 *
 * const gap: Gap = {
 *   kind: 'gap',
 *   vendor: 'acme',
 *   symbol: 'BTC-USD',
 *   of: 'trade',
 *   from: Date.UTC(2024, 0, 2, 14, 30),
 *   to: Date.UTC(2024, 0, 2, 14, 32),
 *   cause: 'reconnect',
 *   state: 'open',
 *   seq: 1,
 * };
 * const filled: Gap = { ...gap, state: 'filled', rows: 1_250, seq: 2 };
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * const writer = sinkSubscriber(gapsSink(store.pool));
 * fromIterable([gap, filled]).subscribe(writer);
 * await writer.whenFinished();
 * await store.close();
 * ```
 */
export function gapsSink(pool: Pool, config: TableSinkConfig = {}): Sink<Gap> {
  return tableSinkOf('gapsSink', pool, gapsTable, config);
}
