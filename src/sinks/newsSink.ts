import type { Pool } from 'pg';
import type { Sink } from '../contracts/sink.js';
import type { NewsItem } from '../market/newsItem.js';
import { type TableSinkConfig, tableSink } from '../postgres/tableSink.js';
import { newsTable } from '../postgres/tables.js';

export interface NewsSinkConfig extends TableSinkConfig {
  /** The table. 1 to 63 bytes, default `news`. */
  readonly table?: string;
  /** The name in metrics, errors and the report. Default `news`. */
  readonly name?: string;
}

/**
 * Writes news into a Postgres table, one row a vendor and id; made at the first write unless it is there. A row is
 * changed only by a higher `seq`, and of equals the earlier stays: a correction replaces what it corrects.
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
 * **Delivery**: at least once, once in effect: writing a batch again changes nothing. Items without a `seq` are numbered
 * when they are first written, by the time of receipt in microseconds, strictly increasing; `writeTo()` keeps the number
 * with them through retries and dead letters.
 *
 * **Gotchas**: titles and symbols are stored letter by letter, whatever is in them: a page that shows them has to escape
 * them. An id of several thousand letters does not fit into the index of the key and fails its batch. A table that is
 * there already needs the columns with their very types and a unique index on exactly the key, as with `barsSink()`,
 * whose page has the rest.
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
export function newsSink(pool: Pool, config: NewsSinkConfig = {}): Sink<NewsItem> {
  return tableSink('newsSink', newsTable, (item) => item.id, pool, config);
}
