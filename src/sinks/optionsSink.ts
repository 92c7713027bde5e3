import type { Sink } from '../contracts/sink.js';
import type { OptionSnapshot } from '../market/optionSnapshot.js';
import type { Pool } from '../postgres/pool.js';
import { optionsTable } from '../postgres/recordTables.js';
import { type TableSinkConfig, tableSinkOf } from '../postgres/tableSink.js';

/**
 * Writes option snapshots into the table `options_snap` of a Postgres database, one row per vendor, contract (underlying, expiry, call or put, strike) and
 * instant. A {@link tableSink}: the table is created at the first write unless it exists, a row is changed only by a higher
 * `seq`, and of equal ones the earlier stays. What a vendor does not know is stored as null.
 *
 * ```text
 * batches   --[C1 P1]--[C2 C3]--[C1]----
 * rows      ---C1 P1----C3-----------      (versions of a snapshot: C2 is older than C3, C1 than the row)
 * receipts  -----2--------1--------0-
 * ```
 *
 * **Emits when**: a batch is committed: one receipt with the number of rows inserted or changed.
 * **Backpressure**: a write waits for a connection of the pool; give the pool as many as there are lanes.
 * **Completes when**: its batch is committed, after the receipt.
 * **Errors when**: Postgres refuses the batch: `StoreError`; nothing of the batch is written.
 * **On unsubscribe**: as `tableSink()`, whose page holds for this sink too.
 *
 * **Delivery**: at least once, once in effect: writing a batch again changes nothing. Snapshots without a `seq` are numbered when
 * they are first written.
 *
 * **Gotchas**: `ts` is part of the key: a vendor that restates a snapshot keeps its `ts`, and one that stamps each poll anew
 * adds a row per poll. A newer version replaces the whole row, nulls included.
 *
 * @example
 * ```ts
 * import type { OptionSnapshot } from 'sluice/market';
 * import { openStore, optionsSink, sinkSubscriber } from 'sluice/sinks';
 * import { fromIterable } from 'sluice/sources';
 *
 * const chain: OptionSnapshot[] = ['C', 'P'].map((side) => ({
 *   kind: 'option',
 *   vendor: 'acme',
 *   symbol: 'SPY',
 *   expiry: '2024-06-21',
 *   optionType: side === 'C' ? 'C' : 'P',
 *   strike: 470,
 *   ts: Date.UTC(2024, 0, 2, 14, 30),
 *   iv: 0.21,
 * }));
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * const writer = sinkSubscriber(optionsSink(store.pool));
 * fromIterable(chain).subscribe(writer);
 * await writer.whenFinished();
 * await store.close();
 * ```
 */
export function optionsSink(pool: Pool, config: TableSinkConfig = {}): Sink<OptionSnapshot> {
  return tableSinkOf('optionsSink', pool, optionsTable, config);
}
