import type { Observable } from 'rxjs';
import type { Trade } from '../../market/trade.js';
import { type OptionsOf, readOptions } from '../../primitives/options.js';
import type { Pool } from '../pool.js';
import { selectionOptions } from './pagedSource.js';
import { isKnown, type Writable } from './rows.js';
import { SERIES_OPTIONS, type SeriesSelection, seriesSource } from './seriesSource.js';

export interface TradesConfig extends SeriesSelection {
  /** The table or view. Default `trades`. */
  readonly table?: string;
}

const OPTIONS = {
  ...SERIES_OPTIONS,
  ...selectionOptions('trades', { table: 'trades', pageSize: 2_000 }),
} satisfies OptionsOf<TradesConfig>;

interface TradeRow extends Omit<Trade, 'kind' | 'ts' | 'seq'> {
  readonly micros: string;
  readonly seq: string;
}

/**
 * Emits the trades of a store in the order of their time. Reads them in pages, and continues only while the gate downstream is
 * open.
 *
 * ```text
 * pages     [A1 B1 A2]--------[B2 A3]-----
 * gate      open---closed-----open--------
 * output    A1-B1-------------A2-B2-A3|
 * ```
 *
 * **Emits when** a page has arrived and the gate is open: by `ts`, then by vendor, then by symbol in the order
 * of `symbols`, then by id in the order of the database.
 * **Backpressure**: pauses. The next page is read when the last one is used up and the gate is open; no connection is held
 * while the gate is closed.
 * **Completes when** there are no more trades before `to`, or the pipeline drains.
 * **Errors when** the store cannot be read: `StoreReadError`, after what was read before.
 * **On unsubscribe** returns the connection to the pool. A connection that waits for an answer is cut; PGlite's only one is
 * returned when the answer has arrived.
 *
 * **Delivery**: each subscription reads from `from` again. Each page is a snapshot of the store when it is read: trades written
 * behind the position reached so far are not seen.
 *
 * **Gotchas**:
 *
 * - `ts` is exact to the microsecond.
 * - What the store has no value for is left out.
 * - With `retry()` all trades come again, unless `defer()` moves `from` forward to the last one received. Then those of that instant come
 *   again, which a sink does not mind.
 *
 * @example
 * ```ts
 * import { openStore } from 'sluice/sinks';
 * import { trades } from 'sluice/sources';
 *
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * trades(store.pool, { symbols: ['BTC-USD', 'ETH-USD'], from: Date.UTC(2026, 0, 5) }).subscribe({
 *   next: ({ symbol, price, size }) => console.log(symbol, price, size),
 *   complete: () => store.close(),
 * });
 * ```
 */
export function trades(pool: Pool, config: TradesConfig): Observable<Trade> {
  return seriesSource<Trade, TradeRow>(pool, readOptions('trades', config, OPTIONS), {
    columns:
      'item.vendor, item.symbol, item.id, item.price, item.size, item.venue, item.side, item.conditions, item.seq',
    time: 'ts',
    tie: 'item.id',
    conditions: [],
    recordOf: tradeOf,
  });
}

function tradeOf(row: TradeRow): Trade {
  const trade: Writable<Trade> = {
    kind: 'trade',
    vendor: row.vendor,
    symbol: row.symbol,
    ts: Number(row.micros) / 1000,
    price: Number(row.price),
    size: Number(row.size),
    id: row.id,
    seq: Number(row.seq),
  };
  if (isKnown(row.venue)) trade.venue = row.venue;
  if (isKnown(row.side)) trade.side = row.side;
  if (isKnown(row.conditions)) trade.conditions = row.conditions;
  return trade;
}
