import type { Observable } from 'rxjs';
import type { Bar } from '../../market/bar.js';
import { having, listOf, type OptionsOf, readArgument, readOptions, text } from '../../primitives/options.js';
import { qualify } from '../identifiers.js';
import type { Pool } from '../pool.js';
import { BAR_COLUMNS, type BarRow, barOf, IS_FINITE, vendorsQuery } from './barRows.js';
import { type NextPage, pagedSource, type StoreSelection, selectionOptions } from './pagedSource.js';

export interface LatestConfig extends StoreSelection {
  /** The symbols whose newest bars are read. At least one; a symbol that is named twice is read once. */
  readonly symbols: readonly string[];
  /** The timeframe as the bars have it, such as `1m`. Default: the newest bar of each timeframe. */
  readonly timeframe?: string;
  /** The vendor of the bars. Default: the newest bar of each vendor. */
  readonly vendor?: string;
  /** For how many symbols bars are read at a time, and held. Integer of at least 1, default 200. */
  readonly pageSize?: number;
}

const OPTIONS = {
  symbols: listOf(text(), { min: 1 }).required(),
  timeframe: text(),
  ...selectionOptions('latest', 200),
} satisfies OptionsOf<LatestConfig>;

/**
 * Emits the newest bar of each symbol in a store, one per vendor and timeframe, and completes.
 *
 * ```text
 * store     A: 9:30 9:31   B: 9:30   C: none
 * output    A9:31-B9:30|
 * ```
 *
 * **Emits when** a page has arrived and the gate is open: by symbol in the order of `symbols`, then by vendor, then by
 * timeframe. A symbol without a bar is skipped.
 * **Backpressure**: pauses. The next symbols are read when the last page is used up and the gate is open; no connection is held
 * while the gate is closed.
 * **Completes when** all symbols have been read, or the pipeline drains.
 * **Errors when** the store cannot be read: `StoreReadError`, after what was read before.
 * **On unsubscribe** returns the connection to the pool. A connection that waits for an answer is cut; PGlite's only one is
 * returned when the answer has arrived.
 *
 * **Delivery**: each subscription reads again. Each page is a snapshot of the store when it is read.
 *
 * **Gotchas**: costs a few index look-ups per bar, however long the history is; a view costs the whole history of the symbol.
 *
 * @example
 * ```ts
 * import { openStore } from 'sluice/sinks';
 * import { latest } from 'sluice/sources';
 *
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * latest(store.pool, { symbols: ['AAPL', 'MSFT'], timeframe: '1m' }).subscribe({
 *   next: (bar) => console.log(bar.symbol, new Date(bar.ts), bar.close),
 *   complete: () => store.close(),
 * });
 * ```
 */
export function latest(pool: Pool, config: LatestConfig): Observable<Bar> {
  readArgument('latest', 'pool', pool, having('connect'));
  const options = readOptions('latest', config, OPTIONS);
  const { vendor, timeframe, pageSize } = options;
  const symbols = [...new Set(options.symbols)];
  const table = qualify(options.table, options.schema);

  const query = latestQuery(table, vendor !== undefined, timeframe !== undefined);
  const given = [vendor, timeframe].filter((value) => value !== undefined);
  return pagedSource<Bar>(pool, { ...options, table }, (): NextPage<Bar> => {
    let at = 0;
    return () => {
      if (at >= symbols.length) return undefined;
      const page = symbols.slice(at, at + pageSize);
      at += pageSize;
      return async (client) => (await client.query<BarRow>(query, [page, ...given])).rows.map(barOf);
    };
  });
}

/** Looks up the primary key: the vendors, the timeframes of each, and the newest bar of each. */
function latestQuery(table: string, hasVendor: boolean, hasTimeframe: boolean): string {
  const vendors = hasVendor ? 'SELECT $2::text AS vendor' : vendorsQuery(table);
  const next = (beyond: string) =>
    `SELECT bar.timeframe FROM ${table} AS bar WHERE bar.vendor = of_vendor.vendor AND bar.symbol = wanted.symbol ` +
    `${beyond} ORDER BY bar.timeframe LIMIT 1`;
  const timeframes = hasTimeframe
    ? `SELECT $${hasVendor ? 3 : 2}::text AS timeframe`
    : `WITH RECURSIVE known (timeframe) AS (
         (${next('')})
         UNION ALL
         SELECT (${next('AND bar.timeframe > known.timeframe')}) FROM known WHERE known.timeframe IS NOT NULL)
       SELECT timeframe FROM known WHERE timeframe IS NOT NULL`;
  return `SELECT ${BAR_COLUMNS}
    FROM unnest($1::text[]) WITH ORDINALITY AS wanted (symbol, n)
   CROSS JOIN (${vendors}) AS of_vendor
   CROSS JOIN LATERAL (${timeframes}) AS of_timeframe
   CROSS JOIN LATERAL (
     SELECT * FROM ${table} AS bar
      WHERE bar.vendor = of_vendor.vendor AND bar.symbol = wanted.symbol AND bar.timeframe = of_timeframe.timeframe
        AND ${IS_FINITE}
      ORDER BY bar.ts DESC LIMIT 1) AS bar
   ORDER BY wanted.n, bar.vendor, bar.timeframe`;
}
