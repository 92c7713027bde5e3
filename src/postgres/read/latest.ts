import type { Observable } from 'rxjs';
import type { Bar } from '../../market/bar.js';
import { having, listOf, type OptionsOf, readArgument, readOptions, text } from '../../primitives/options.js';
import { qualify } from '../identifiers.js';
import type { Pool, PoolClient } from '../pool.js';
import { BAR_COLUMNS, BAR_DETAILS, type BarRow, barOf } from './barRows.js';
import { type NextPage, pagedSource, type StoreSelection, selectionOptions } from './pagedSource.js';
import { finite, presentColumns, vendorsQuery } from './rows.js';

export interface LatestConfig extends StoreSelection {
  /** The symbols whose newest bars are read. At least one; a symbol that is named twice is read once. */
  readonly symbols: readonly string[];
  /** The timeframe as the bars have it, such as `1m`. Default: the newest bar of each timeframe. */
  readonly timeframe?: string;
  /** The vendor of the bars. Default: the newest bar of each vendor. */
  readonly vendor?: string;
  /** The table or view. Default `bars`. */
  readonly table?: string;
  /** For how many symbols bars are read at a time, and held. Integer of at least 1, default 200. */
  readonly pageSize?: number;
}

const OPTIONS = {
  symbols: listOf(text(), { min: 1 }).required(),
  timeframe: text(),
  ...selectionOptions('latest', { table: 'bars', pageSize: 200 }),
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

  const prepare = async (client: PoolClient) => {
    const details = await presentColumns(client, table, Object.keys(BAR_DETAILS));
    const columns = [BAR_COLUMNS, ...details.map((name) => BAR_DETAILS[name]!)].join(', ');
    return latestQuery(table, columns, vendor !== undefined, timeframe !== undefined);
  };
  const given = [vendor, timeframe].filter((value) => value !== undefined);
  return pagedSource<Bar>(pool, { ...options, table }, (): NextPage<Bar> => {
    let at = 0;
    let query: string | undefined;
    return () => {
      if (at >= symbols.length) return undefined;
      const page = symbols.slice(at, at + pageSize);
      at += pageSize;
      return async (client) => {
        query ??= await prepare(client);
        return (await client.query<BarRow>(query, [page, ...given])).rows.map(barOf);
      };
    };
  });
}

/** Looks up the primary key: the vendors, the timeframes of each, and the newest bar of each. */
function latestQuery(table: string, columns: string, hasVendor: boolean, hasTimeframe: boolean): string {
  const vendors = hasVendor ? 'SELECT $2::text AS vendor' : vendorsQuery(table);
  const next = (beyond: string) =>
    `SELECT item.timeframe FROM ${table} AS item WHERE item.vendor = of_vendor.vendor AND item.symbol = wanted.symbol ` +
    `${beyond} ORDER BY item.timeframe LIMIT 1`;
  const timeframes = hasTimeframe
    ? `SELECT $${hasVendor ? 3 : 2}::text AS timeframe`
    : `WITH RECURSIVE known (timeframe) AS (
         (${next('')})
         UNION ALL
         SELECT (${next('AND item.timeframe > known.timeframe')}) FROM known WHERE known.timeframe IS NOT NULL)
       SELECT timeframe FROM known WHERE timeframe IS NOT NULL`;
  return `SELECT ${columns}, (extract(epoch FROM item.ts) * 1000000)::int8 AS micros
    FROM unnest($1::text[]) WITH ORDINALITY AS wanted (symbol, n)
   CROSS JOIN (${vendors}) AS of_vendor
   CROSS JOIN LATERAL (${timeframes}) AS of_timeframe
   CROSS JOIN LATERAL (
     SELECT * FROM ${table} AS item
      WHERE item.vendor = of_vendor.vendor AND item.symbol = wanted.symbol AND item.timeframe = of_timeframe.timeframe
        AND ${finite('ts')}
      ORDER BY item.ts DESC LIMIT 1) AS item
   ORDER BY wanted.n, item.vendor, item.timeframe`;
}
