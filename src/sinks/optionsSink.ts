import type { Pool } from 'pg';
import type { Sink } from '../contracts/sink.js';
import type { OptionSnapshot } from '../market/optionSnapshot.js';
import { type TableSinkConfig, tableSink } from '../postgres/tableSink.js';
import { optionsTable } from '../postgres/tables.js';

export interface OptionsSinkConfig extends TableSinkConfig {
  /** The table. 1 to 63 bytes, default `options_snap`. */
  readonly table?: string;
  /** The name in metrics, errors and the report. Default `options_snap`. */
  readonly name?: string;
}

/**
 * Writes option snapshots into a Postgres table, one row a vendor, contract (underlying, expiry, call or put, strike) and
 * moment; made at the first write unless it is there. A row is changed only by a higher `seq`, and of equals the earlier
 * stays. What a vendor does not know is stored as null.
 *
 * ```text
 * batches   --[C1 P1]--[C2 C3]--[C1]----
 * rows      ---C1 P1----C3-----------      (versions of one snapshot: C2 is older than C3, C1 than what is there)
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
 * **Delivery**: at least once, once in effect: writing a batch again changes nothing. Snapshots without a `seq` are numbered
 * when they are first written, by the time of receipt in microseconds, strictly increasing; `writeTo()` keeps the number
 * with them through retries and dead letters.
 *
 * **Gotchas**: `ts` is part of the key: a vendor that restates a snapshot keeps its `ts`, and one that stamps each poll anew
 * makes a row a poll. A newer version replaces the whole row, nulls included. A table that is there already needs the
 * columns with their very types and a unique index on exactly the key, as with `barsSink()`, whose page has the rest.
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
export function optionsSink(pool: Pool, config: OptionsSinkConfig = {}): Sink<OptionSnapshot> {
  return tableSink('optionsSink', optionsTable, (option) => option.symbol, pool, config);
}
