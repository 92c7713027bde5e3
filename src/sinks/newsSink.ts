import type { Sink } from '../contracts/sink.js';
import type { NewsItem } from '../market/newsItem.js';
import type { Pool } from '../postgres/pool.js';
import { newsTable } from '../postgres/recordTables.js';
import { type TableSinkConfig, tableSinkOf } from '../postgres/tableSink.js';

/**
 * Writes news into the table `news` of a Postgres database, one row per vendor and id. A {@link tableSink}: the table is created at the first write
 * unless it exists, a row is changed only by a higher `seq`, and of equal ones the earlier stays: a correction replaces what it
 * corrects.
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
 * **Delivery**: at least once, once in effect: writing a batch again changes nothing. Items without a `seq` are numbered when
 * they are first written.
 *
 * **Gotchas**: titles and symbols are stored character by character: a page that shows them has to escape them. An id of
 * several thousand characters does not fit into the index of the key and fails its batch.
 *
 * @example
 * ```ts
 * import type { NewsItem } from 'sluice/market';
 * import { newsSink, openStore, sinkSubscriber } from 'sluice/sinks';
 * import { fromIterable } from 'sluice/sources';
 *
 * const headline: NewsItem = {
 *   kind: 'news',
 *   vendor: 'acme',
 *   id: '2024-01-02/17',
 *   publishedAt: Date.UTC(2024, 0, 2, 14, 30),
 *   title: 'Acme "beats" expectations',
 *   url: 'https://example.com/17',
 *   symbols: ['ACME'],
 * };
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * const writer = sinkSubscriber(newsSink(store.pool));
 * fromIterable([headline]).subscribe(writer);
 * await writer.whenFinished();
 * await store.close();
 * ```
 */
export function newsSink(pool: Pool, config: TableSinkConfig = {}): Sink<NewsItem> {
  return tableSinkOf('newsSink', pool, newsTable, config);
}
