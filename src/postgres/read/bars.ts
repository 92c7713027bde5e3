import type { Observable } from 'rxjs';
import type { Bar } from '../../market/bar.js';
import { type OptionsOf, readOptions, text } from '../../primitives/options.js';
import type { Pool } from '../pool.js';
import { BAR_COLUMNS, BAR_DETAILS, type BarRow, barOf } from './barRows.js';
import { selectionOptions } from './pagedSource.js';
import { SERIES_OPTIONS, type SeriesSelection, seriesSource } from './seriesSource.js';

export interface BarsConfig extends SeriesSelection {
  /** The timeframe as the bars have it, such as `1m`. */
  readonly timeframe: string;
  /** The table or view. Default `bars`. */
  readonly table?: string;
}

const OPTIONS = {
  ...SERIES_OPTIONS,
  timeframe: text().required(),
  ...selectionOptions('bars', { table: 'bars', pageSize: 2_000 }),
} satisfies OptionsOf<BarsConfig>;

/**
 * Emits the bars of a store in the order of their time. Reads them in pages, and continues only while the gate downstream is
 * open.
 *
 * ```text
 * pages     [A1 B1 A2]--------[B2 A3]-----
 * gate      open---closed-----open--------
 * output    A1-B1-------------A2-B2-A3|
 * ```
 *
 * **Emits when** a page has arrived and the gate is open: by start, then by vendor, then by symbol in the order of `symbols`.
 * **Backpressure**: pauses. The next page is read when the last one is used up and the gate is open; no connection is held
 * while the gate is closed.
 * **Completes when** there are no more bars before `to`, or the pipeline drains.
 * **Errors when** the store cannot be read: `StoreReadError`, after what was read before.
 * **On unsubscribe** returns the connection to the pool. A connection that waits for an answer is cut; PGlite's only one is
 * returned when the answer has arrived.
 *
 * **Delivery**: each subscription reads from `from` again. Each page is a snapshot of the store when it is read: a bar written
 * behind the position reached so far is not seen.
 *
 * **Gotchas**:
 *
 * - `ts` is exact to the microsecond.
 * - With `retry()` all bars come again, unless `defer()` moves `from` forward to the last bar received.
 * - Set `vendor` for a view such as `bars_5m`, which on plain Postgres is aggregated for every page.
 *
 * @example
 * ```ts
 * import { openStore } from 'sluice/sinks';
 * import { bars } from 'sluice/sources';
 *
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * bars(store.pool, { symbols: ['AAPL', 'MSFT'], timeframe: '1m', from: Date.UTC(2026, 0, 5) }).subscribe({
 *   next: (bar) => console.log(bar.symbol, bar.close),
 *   complete: () => store.close(),
 * });
 * ```
 */
export function bars(pool: Pool, config: BarsConfig): Observable<Bar> {
  const { timeframe, ...selection } = readOptions('bars', config, OPTIONS);
  return seriesSource<Bar, BarRow>(pool, selection, {
    columns: BAR_COLUMNS,
    laterColumns: BAR_DETAILS,
    time: 'ts',
    conditions: [{ sql: (parameter) => `item.timeframe = ${parameter}`, value: timeframe }],
    recordOf: barOf,
  });
}
