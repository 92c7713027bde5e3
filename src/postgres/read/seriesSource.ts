import type { Observable } from 'rxjs';
import { having, listOf, number, readArgument, reject, text } from '../../primitives/options.js';
import { qualify } from '../identifiers.js';
import type { Pool, PoolClient } from '../pool.js';
import { type NextPage, type PagedSourceConfig, pagedSource, type StoreSelection } from './pagedSource.js';
import { finite, instantOf, microsOf, presentColumns, vendorsOf } from './rows.js';
import { type Placed, SeriesMerge, type Wanted } from './seriesMerge.js';

/** The options of every source that reads records by symbol and time. */
export interface SeriesSelection extends StoreSelection {
  /** The symbol whose records are read, spelled as in the table. Either this or `symbols`. */
  readonly symbol?: string;
  /** The symbols whose records are read, merged by time. At least one; a symbol that is named twice is read once. */
  readonly symbols?: readonly string[];
  /** The vendor of the records. Default: all vendors that the table has at the time of subscription. */
  readonly vendor?: string;
  /** The first instant, in epoch milliseconds; the fraction carries microseconds. Default: as far back as there are records. */
  readonly from?: number;
  /** The instant before which the last record begins, in epoch milliseconds. At least `from`. Default: to the end. */
  readonly to?: number;
  /** About how many records are read at a time, and held. Integer of at least 1, default 2,000. */
  readonly pageSize?: number;
}

/** The range of a JavaScript date. */
const INSTANT = number({ min: -8.64e15, max: 8.64e15 });

export const SERIES_OPTIONS = {
  symbol: text(),
  symbols: listOf(text(), { min: 1 }),
  from: INSTANT,
  to: INSTANT,
};

/** The options of such a source, once they are read. */
interface SelectionSettings extends Omit<PagedSourceConfig, 'table'> {
  readonly symbol?: string | undefined;
  readonly symbols?: readonly string[] | undefined;
  readonly vendor?: string | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly pageSize: number;
  readonly table: string;
  readonly schema?: string | undefined;
}

/** How the rows of a table, each called `item`, are selected and become records. */
export interface SeriesReading<T, R> {
  /** What is selected of a row. */
  readonly columns: string;
  /** What is selected besides where the table has the column: one that a migration has added, and that a view may lack. */
  readonly laterColumns?: Readonly<Record<string, string>>;
  /** The column of the time. */
  readonly time: string;
  /** A text that puts the rows of one series and instant in order. Left out where a series has one row of an instant. */
  readonly tie?: string;
  /** What else a row has to be, with the value of a parameter. */
  readonly conditions: readonly Condition[];
  /** Whether all symbols and vendors are one series: read along the time, rather than one by one along the primary key. */
  readonly isOneSeries?: boolean;
  readonly recordOf: (row: R) => T;
}

export interface Condition {
  readonly sql: (parameter: string) => string;
  readonly value: unknown;
}

/** What the query of a page selects besides. */
interface PageRow {
  /** Which of the series, counted from 1. */
  readonly series: number;
  /** Microseconds since the epoch; the driver returns text rather than risk an inexact number. */
  readonly micros: string;
  readonly tie?: string;
}

/** Before the first instant that Postgres has. */
const LONG_AGO = -Number.MAX_SAFE_INTEGER;

/** Reads the records of a table in the order of their time, page by page, several series merged. */
export function seriesSource<T, R extends object>(
  pool: Pool,
  settings: SelectionSettings,
  reading: SeriesReading<T, R>,
): Observable<T> {
  const owner = settings.name;
  readArgument(owner, 'pool', pool, having('connect'));
  const { symbol, symbols: several, vendor, pageSize, isOneSeries = false } = { ...settings, ...reading };
  if (symbol !== undefined && several !== undefined) throw new RangeError(`${owner}: give either symbol or symbols`);
  const symbols = symbol !== undefined ? [symbol] : several && [...new Set(several)];
  if (!symbols && !isOneSeries) throw new RangeError(`${owner}: give either symbol or symbols`);
  if (settings.from !== undefined && settings.to !== undefined && settings.to < settings.from) {
    reject(owner, 'to', `a number of at least ${settings.from}`, settings.to);
  }
  const [from, to] = [microsOf(settings.from), microsOf(settings.to)];
  const table = qualify(settings.table, settings.schema);
  const conditions = [...reading.conditions];
  if (to !== undefined)
    conditions.push({ sql: (p) => `item.${reading.time} < ${instantOf(`${p}::float8`)}`, value: to });
  if (isOneSeries && symbols) conditions.push({ sql: (p) => `item.symbol = ANY(${p}::text[])`, value: symbols });
  if (isOneSeries && vendor !== undefined) conditions.push({ sql: (p) => `item.vendor = ${p}`, value: vendor });
  const given = conditions.map(({ value }) => value);

  const read = async (client: PoolClient, query: string, { vendors, symbols, froms, afters, limit }: Wanted) => {
    const { rows } = await client.query<R & PageRow>(query, [vendors, symbols, froms, afters, limit, ...given]);
    const answers: Placed<R>[][] = vendors.map(() => []);
    for (const row of rows) answers[row.series - 1]!.push({ micros: Number(row.micros), tie: row.tie, row });
    return answers;
  };
  const begin = async (client: PoolClient) => {
    const { laterColumns = {} } = reading;
    const names = Object.keys(laterColumns);
    const present = names.length === 0 ? [] : await presentColumns(client, table, names);
    const columns = [reading.columns, ...present.map((name) => laterColumns[name]!)].join(', ');
    const vendors = isOneSeries ? [null] : vendor === undefined ? await vendorsOf(client, table) : [vendor];
    return {
      query: pageQuery(table, columns, conditions, reading),
      merge: new SeriesMerge<R>(vendors, isOneSeries ? [null] : symbols!, pageSize, from ?? LONG_AGO),
    };
  };

  return pagedSource<T>(pool, { ...settings, table }, (): NextPage<T> => {
    let begun: Awaited<ReturnType<typeof begin>> | undefined;
    return () => {
      if (begun && !begun.merge.isOpen) return undefined;
      return async (client) => {
        begun ??= await begin(client);
        const { query, merge } = begun;
        const wanted = merge.wanted();
        return merge.add(wanted ? await read(client, query, wanted) : []).map(reading.recordOf);
      };
    };
  });
}

/** For each series, a scan along an index that ends at the limit. */
function pageQuery<T, R>(
  table: string,
  columns: string,
  conditions: readonly Condition[],
  { time, tie, isOneSeries }: SeriesReading<T, R>,
): string {
  const at = `item.${time}`;
  const start = `CASE WHEN series.micros > ${LONG_AGO} THEN ${instantOf('series.micros')} ELSE '-infinity' END`;
  const order = tie === undefined ? at : `${at}, ${tie}`;
  // The first condition alone tells TimescaleDB which chunks it needs. The last one leaves out the row that was read last.
  const beyond =
    tie === undefined
      ? ''
      : `AND (${at}, ${tie}) >= (${start}, coalesce(series.after, ''))
         AND (series.after IS NULL OR (${at}, ${tie}) <> (${start}, series.after))`;
  return `SELECT series.n::int4 AS series, (extract(epoch FROM ${at}) * 1000000)::int8 AS micros,
         ${tie === undefined ? '' : `${tie} AS tie, `}${columns}
    FROM unnest($1::text[], $2::text[], $3::float8[], $4::text[]) WITH ORDINALITY AS series (vendor, symbol, micros, after, n)
   CROSS JOIN LATERAL (
     SELECT * FROM ${table} AS item
      WHERE ${isOneSeries ? '' : 'item.vendor = series.vendor AND item.symbol = series.symbol AND '}${finite(time)}
        AND ${at} >= ${start} ${beyond}
        ${conditions.map(({ sql }, i) => `AND ${sql(`$${i + 6}`)}`).join(' ')}
      ORDER BY ${order} LIMIT $5::int8) AS item
   ORDER BY series.n, ${order}`;
}
