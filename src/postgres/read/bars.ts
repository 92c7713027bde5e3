import type { Observable } from 'rxjs';
import type { Bar } from '../../market/bar.js';
import {
  having,
  listOf,
  number,
  type OptionsOf,
  readArgument,
  readOptions,
  reject,
  text,
} from '../../primitives/options.js';
import { qualify } from '../identifiers.js';
import type { Pool, PoolClient } from '../pool.js';
import { BAR_COLUMNS, type BarRow, barOf, IS_FINITE, instantOf, vendorsQuery } from './barRows.js';
import { type NextPage, pagedSource, type StoreSelection, selectionOptions } from './pagedSource.js';
import { type Placed, SeriesMerge, type Wanted } from './seriesMerge.js';

export interface BarsConfig extends StoreSelection {
  /** The symbol whose bars are read. Either this or `symbols`. */
  readonly symbol?: string;
  /** The symbols whose bars are read, merged by time. At least one; a symbol that is named twice is read once. */
  readonly symbols?: readonly string[];
  /** The vendor of the bars. Default: all vendors that the table has at the time of subscription. */
  readonly vendor?: string;
  /** The timeframe as the bars have it, such as `1m`. */
  readonly timeframe: string;
  /** The first instant, in epoch milliseconds; the fraction carries microseconds. Default: as far back as there are bars. */
  readonly from?: number;
  /** The instant before which the last bar begins, in epoch milliseconds. At least `from`. Default: to the end. */
  readonly to?: number;
  /** About how many bars are read at a time, and held. Integer of at least 1, default 2,000. */
  readonly pageSize?: number;
}

/** The range of a JavaScript date. */
const INSTANT = number({ min: -8.64e15, max: 8.64e15 });

const OPTIONS = {
  symbol: text(),
  symbols: listOf(text(), { min: 1 }),
  timeframe: text().required(),
  from: INSTANT,
  to: INSTANT,
  ...selectionOptions('bars', 2_000),
} satisfies OptionsOf<BarsConfig>;

/** Before the first instant that Postgres has. */
const LONG_AGO = -Number.MAX_SAFE_INTEGER;

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
  readArgument('bars', 'pool', pool, having('connect'));
  const options = readOptions('bars', config, OPTIONS);
  const { symbol, vendor, timeframe, pageSize } = options;
  if ((symbol === undefined) === (options.symbols === undefined)) {
    throw new RangeError('bars: give either symbol or symbols');
  }
  if (options.from !== undefined && options.to !== undefined && options.to < options.from) {
    reject('bars', 'to', `a number of at least ${options.from}`, options.to);
  }
  const symbols = options.symbols === undefined ? [symbol!] : [...new Set(options.symbols)];
  const [from, to] = [microsOf(options.from), microsOf(options.to)];
  const table = qualify(options.table, options.schema);
  const query = pageQuery(table, to !== undefined);
  const read = async (client: PoolClient, { vendors, symbols: ofSymbols, froms, limit }: Wanted) => {
    const values = [vendors, ofSymbols, froms, timeframe, limit, ...(to === undefined ? [] : [to])];
    const { rows } = await client.query<BarRow & { readonly series: number }>(query, values);
    const answers: Placed<BarRow>[][] = vendors.map(() => []);
    for (const row of rows) answers[row.series - 1]!.push({ micros: Number(row.micros), row });
    return answers;
  };

  return pagedSource<Bar>(pool, { ...options, table }, (): NextPage<Bar> => {
    let merge: SeriesMerge<BarRow> | undefined;
    return () => {
      if (merge && !merge.isOpen) return undefined;
      return async (client) => {
        merge ??= new SeriesMerge(await vendorsOf(client, table, vendor), symbols, pageSize, from ?? LONG_AGO);
        const wanted = merge.wanted();
        return merge.add(wanted ? await read(client, wanted) : []).map(barOf);
      };
    };
  });
}

function microsOf(epochMs: number | undefined): number | undefined {
  return epochMs === undefined ? undefined : Math.round(epochMs * 1000);
}

async function vendorsOf(client: PoolClient, table: string, vendor: string | undefined): Promise<readonly string[]> {
  if (vendor !== undefined) return [vendor];
  const { rows } = await client.query<{ vendor: string }>(vendorsQuery(table));
  return rows.map((row) => row.vendor).sort();
}

/** For each series, a scan along the primary key that ends at the limit. */
function pageQuery(table: string, hasEnd: boolean): string {
  return `SELECT series.n::int4 AS series, ${BAR_COLUMNS}
    FROM unnest($1::text[], $2::text[], $3::float8[]) WITH ORDINALITY AS series (vendor, symbol, micros, n)
   CROSS JOIN LATERAL (
     SELECT * FROM ${table} AS bar
      WHERE bar.vendor = series.vendor AND bar.symbol = series.symbol AND bar.timeframe = $4
        AND ${IS_FINITE}
        AND bar.ts >= CASE WHEN series.micros > ${LONG_AGO} THEN ${instantOf('series.micros')} ELSE '-infinity' END
        ${hasEnd ? `AND bar.ts < ${instantOf('$6::float8')}` : ''}
      ORDER BY bar.ts LIMIT $5::int8) AS bar
   ORDER BY series.n, bar.ts`;
}
