import type { Sink } from '../contracts/sink.js';
import type { Trade } from '../market/trade.js';
import type { Pool } from '../postgres/pool.js';
import { tradesTable } from '../postgres/recordTables.js';
import { type TableSinkConfig, tableSinkOf } from '../postgres/tableSink.js';

/**
 * Writes trades into the table `trades` of a Postgres database, one row per vendor, symbol, instant and id. A {@link tableSink}: the table is created at
 * the first write unless it exists, a row is changed only by a higher `seq`, and of equal ones the earlier stays: a correction
 * replaces what it corrects.
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
 * **Delivery**: at least once, once in effect: writing a batch again changes nothing. Trades without a `seq` are numbered
 * when they are first written.
 *
 * **Gotchas**:
 *
 * - `ts` is part of the key: a correction has the `ts` and the `id` of the trade that it corrects.
 * - Prices and sizes are doubles: each is exact to 15 digits, and a sum of many is not.
 * - All trades of a symbol are written in the order of their arrival.
 *
 * @example
 * ```ts
 * import type { Trade } from 'sluice/market';
 * import { openStore, sinkSubscriber, tradesSink } from 'sluice/sinks';
 * import { fromIterable } from 'sluice/sources';
 *
 * const trade: Trade = {
 *   kind: 'trade',
 *   vendor: 'acme',
 *   symbol: 'BTC-USD',
 *   ts: Date.UTC(2024, 0, 2, 14, 30) + 0.125,
 *   price: 45_000.5,
 *   size: 0.0125,
 *   id: '590310221',
 *   side: 'buy',
 * };
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * const writer = sinkSubscriber(tradesSink(store.pool));
 * fromIterable([trade]).subscribe(writer);
 * await writer.whenFinished();
 * await store.close();
 * ```
 */
export function tradesSink(pool: Pool, config: TableSinkConfig = {}): Sink<Trade> {
  return tableSinkOf('tradesSink', pool, tradesTable, config);
}
