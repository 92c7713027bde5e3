import type { Sink } from '../contracts/sink.js';
import type { Quote } from '../market/quote.js';
import type { Pool } from '../postgres/pool.js';
import { quotesTable } from '../postgres/recordTables.js';
import { type TableSinkConfig, tableSinkOf } from '../postgres/tableSink.js';

/**
 * Writes quotes into the table `quotes` of a Postgres database, one row per vendor, symbol, instant and id. A {@link tableSink}: the table is created at
 * the first write unless it exists, a row is changed only by a higher `seq`, and of equal ones the earlier stays. A side that is
 * absent is stored as null.
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
 * **Delivery**: at least once, once in effect: writing a batch again changes nothing. Quotes without a `seq` are numbered
 * when they are first written.
 *
 * **Gotchas**: quotes are many: ten to a hundred times as many as trades. Put `conflate()` before the sink where the newest quote of
 * a symbol is enough, and drop old ones with `retainQuotesMs` of `migrate()`.
 *
 * @example
 * ```ts
 * import type { Quote } from 'sluice/market';
 * import { openStore, quotesSink, sinkSubscriber } from 'sluice/sinks';
 * import { fromIterable } from 'sluice/sources';
 *
 * const quote: Quote = {
 *   kind: 'quote',
 *   vendor: 'acme',
 *   symbol: 'BRK B',
 *   ts: Date.UTC(2024, 0, 2, 14, 30),
 *   bid: 362.1,
 *   bidSize: 300,
 *   ask: null,
 *   askSize: null,
 *   id: '83661',
 * };
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * const writer = sinkSubscriber(quotesSink(store.pool));
 * fromIterable([quote]).subscribe(writer);
 * await writer.whenFinished();
 * await store.close();
 * ```
 */
export function quotesSink(pool: Pool, config: TableSinkConfig = {}): Sink<Quote> {
  return tableSinkOf('quotesSink', pool, quotesTable, config);
}
