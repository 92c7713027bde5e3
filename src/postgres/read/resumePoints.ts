import { lastValueFrom } from 'rxjs';
import { MIN_CLOSED_SEQ } from '../../market/gap.js';
import { KINDS, type RecordKind } from '../../market/recordKinds.js';
import {
  duration,
  having,
  listOf,
  number,
  type OptionsOf,
  oneOf,
  readArgument,
  readOptions,
  text,
} from '../../primitives/options.js';
import { qualify } from '../identifiers.js';
import type { Pool, PoolClient } from '../pool.js';
import { gapsTable, tableOf } from '../recordTables.js';
import { readWithin } from './readWithin.js';
import { finite, instantOf, microsOf } from './rows.js';
import { StoreReadError } from './storeReadError.js';

/** What the key of a table may have before the time, for the newest record of a series to be one look-up. */
const SERIES_COLUMNS = ['vendor', 'symbol', 'timeframe'];

const keyOf = (kind: RecordKind): readonly string[] => tableOf(kind).key;
const hasTimeframe = (kind: RecordKind) => keyOf(kind).includes('timeframe');
const isResumable = (kind: RecordKind): boolean => {
  const key = keyOf(kind);
  const before = key.slice(0, key.indexOf('ts'));
  return key.includes('ts') && before.every((column) => SERIES_COLUMNS.includes(column));
};

export interface ResumePointsConfig {
  /** The vendor, as the records have it: the name of the provider, or of the router that makes one series of several. */
  readonly vendor: string;
  /**
   * At least one of `bar`, `trade` and `quote`. The store has no series of the others: options of all contracts are under the symbol of
   * their underlying, and news and fundamentals say nothing of when they were received.
   */
  readonly kinds: readonly RecordKind[];
  /**
   * The symbols as records have them; `*` for a series of all symbols. Default: every symbol that the store has of the vendor, and
   * `*`.
   */
  readonly symbols?: readonly string[];
  /** Of bars. Default `1m`. */
  readonly timeframe?: string;
  /** The schema of the tables. Default: the connection's `search_path`. */
  readonly schema?: string;
  /**
   * By how much a series of all symbols begins before its newest record, in milliseconds: symbols are committed by several workers, each
   * in its own time. From 0, default 60,000.
   */
  readonly wildcardMarginMs?: number;
  /** Records later than this, in epoch milliseconds, say nothing of what is known. Default: now. */
  readonly now?: number;
  /** How long all of it may take, in milliseconds. Above 0, default 60,000; `Infinity` for no limit. */
  readonly timeoutMs?: number;
}

const OPTIONS = {
  vendor: text().required(),
  kinds: listOf(oneOf(KINDS.filter(isResumable)), { min: 1 }).required(),
  symbols: listOf(text()),
  timeframe: text().default('1m'),
  schema: text(),
  wildcardMarginMs: duration().default(60_000),
  now: number({ min: -8.64e15, max: 8.64e15 }),
  timeoutMs: duration({ above: 0 }).or(Number.POSITIVE_INFINITY).default(60_000),
} satisfies OptionsOf<ResumePointsConfig>;

/** What is asked of the function. */
export interface ResumableSeries {
  readonly of: string;
  readonly symbol: string;
  readonly timeframe?: string | undefined;
}

/** Up to when a series is known, in epoch milliseconds; `undefined` for one that the store does not have. */
export type ResumePoints = (series: ResumableSeries) => number | undefined;

/** How many symbols are looked up by one statement. */
const PAGE = 500;

/** Gaps may follow one another without a record in between; so many of the newest are looked at. */
const MAX_GAPS = 10;

/**
 * Reads up to when the series of a provider are known in a store: the time of the newest committed record of each, or the end of
 * the gap that follows it without a hole. The function that it gives is the `resumeFrom` of a stream, which then
 * records what was missed while the process was down.
 *
 * It needs no clean end of the process before: what was received and not committed lies behind the newest committed record of its
 * series, because a series is written in order. Symbols are spelled as the records have them.
 *
 * Costs a few index look-ups per series. A series of all symbols, and a config without `symbols`, first list the symbols that the table
 * has of the vendor: one look-up for each, for which compressed chunks of a hypertable may have to be unpacked. Name the symbols where you
 * know them. A table that is not there yet knows nothing.
 *
 * Rejects with a `StoreReadError` if the store cannot be read.
 *
 * @example
 * ```ts
 * import { openStore, resumePoints } from 'sluice/postgres';
 * import type { Provider } from 'sluice/providers';
 *
 * declare const provider: Provider;
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * const kinds = ['bar', 'trade'] as const;
 * const symbols = ['AAPL', 'MSFT'];
 * const resumeFrom = await resumePoints(store.pool, { vendor: provider.name, kinds, symbols });
 * provider.stream({ kinds, symbols, resumeFrom }).subscribe((record) => console.log(record));
 * ```
 */
export async function resumePoints(pool: Pool, config: ResumePointsConfig): Promise<ResumePoints> {
  readArgument('resumePoints', 'pool', pool, having('connect'));
  const options = readOptions('resumePoints', config, OPTIONS);
  const { schema, timeoutMs, wildcardMarginMs: marginMs } = options;
  const reading = {
    ...options,
    kinds: [...new Set(options.kinds)],
    symbols: options.symbols && [...new Set(options.symbols)],
    nowMicros: microsOf(options.now ?? Date.now())!,
  };
  const tables = reading.kinds.map((kind) => qualify(tableOf(kind).name, schema)).join(', ');
  let found: readonly Found[];
  try {
    found = await lastValueFrom(readWithin(pool, (client) => read(client, reading), timeoutMs));
  } catch (error) {
    throw new StoreReadError(tables, { cause: error, remedy: 'try again' });
  }
  return pointsOf(found, options.timeframe, marginMs);
}

interface Reading {
  readonly vendor: string;
  readonly kinds: readonly RecordKind[];
  readonly symbols: readonly string[] | undefined;
  readonly timeframe: string;
  readonly schema: string | undefined;
  readonly nowMicros: number;
}

/** What the store has of one series, in epoch milliseconds. */
interface Found {
  readonly of: RecordKind;
  readonly symbol: string;
  readonly newest: number;
  /** The newest gaps, from and to. */
  readonly gaps: readonly (readonly [number, number])[];
}

interface Row {
  readonly symbol: string;
  readonly micros: string;
  /** From and to in microseconds, and the version. */
  readonly gaps: readonly (readonly [number, number, number])[] | null;
}

async function read(client: PoolClient, reading: Reading): Promise<readonly Found[]> {
  const { vendor, kinds, symbols, timeframe, schema, nowMicros } = reading;
  const found: Found[] = [];
  const gaps = await present(client, qualify(gapsTable.name, schema));
  for (const of of kinds) {
    const table = await present(client, qualify(tableOf(of).name, schema));
    if (table === undefined) continue;
    const needsAll = symbols === undefined || symbols.includes('*');
    const all = needsAll ? await symbolsOf(client, table, vendor) : [];
    const wanted = [...new Set([...all, ...(symbols ?? [])])];
    const sql = pageQuery(table, gaps, of);
    for (let at = 0; at < wanted.length; at += PAGE) {
      const values = [vendor, wanted.slice(at, at + PAGE), nowMicros, hasTimeframe(of) ? timeframe : '', of];
      const { rows } = await client.query<Row>(sql, gaps === undefined ? values.slice(0, 4) : values);
      for (const { symbol, micros, gaps } of rows) {
        const newest = Number(micros) / 1000;
        found.push({ of, symbol, newest, gaps: spansOf(gaps) });
      }
    }
    if (needsAll)
      found.push({
        of,
        symbol: '*',
        newest: Number.NEGATIVE_INFINITY,
        gaps: await gapsOfAll(client, gaps, reading, of),
      });
  }
  return found;
}

/** The gaps of a series of all symbols, which are under its own name. */
async function gapsOfAll(
  client: PoolClient,
  gaps: string | undefined,
  { vendor, timeframe }: Reading,
  of: RecordKind,
): Promise<Found['gaps']> {
  if (gaps === undefined) return [];
  const { rows } = await client.query<Pick<Row, 'gaps'>>(
    `SELECT (${gapsQuery(gaps, '$1', "'*'", '$2', '$3')}) AS gaps`,
    [vendor, of, hasTimeframe(of) ? timeframe : ''],
  );
  return spansOf(rows[0]?.gaps);
}

/** What a gap says of a time after it was written is not so yet. */
function spansOf(gaps: Row['gaps'] | undefined): Found['gaps'] {
  return (gaps ?? []).map(([from, to, seq]) => {
    const writtenMicros = seq >= MIN_CLOSED_SEQ ? seq - MIN_CLOSED_SEQ : seq;
    return [from / 1000, Math.min(to, writtenMicros) / 1000];
  });
}

/** The name of a table, or `undefined` where it is not there. */
async function present(client: PoolClient, table: string): Promise<string | undefined> {
  const { rows } = await client.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [table]);
  return rows[0]?.found ? table : undefined;
}

/** The symbols of a vendor, with one index look-up for each: `DISTINCT` would read the whole table. */
async function symbolsOf(client: PoolClient, table: string, vendor: string): Promise<readonly string[]> {
  const next = (beyond: string) =>
    `SELECT item.symbol FROM ${table} AS item WHERE item.vendor = $1 ${beyond} ORDER BY item.symbol LIMIT 1`;
  const { rows } = await client.query<{ symbol: string }>(
    `WITH RECURSIVE known (symbol) AS (
      (${next('')})
      UNION ALL
      SELECT (${next('AND item.symbol > known.symbol')}) FROM known WHERE known.symbol IS NOT NULL)
    SELECT symbol FROM known WHERE symbol IS NOT NULL`,
    [vendor],
  );
  return rows.map(({ symbol }) => symbol);
}

/**
 * Of each symbol the newest record, by the primary key. While a bar is forming, the one before may be corrected: of the newest two the
 * final one counts, and of two that are not final the older.
 */
function pageQuery(table: string, gaps: string | undefined, of: RecordKind): string {
  // A parameter that the statement does not use has no type.
  const timeframe = hasTimeframe(of) ? 'AND item.timeframe = $4' : "AND $4 = ''";
  const spans = gaps === undefined ? 'NULL' : gapsQuery(gaps, '$1', 'wanted.symbol', '$5', '$4');
  const newest = (count: number) => `SELECT * FROM ${table} AS item
      WHERE item.vendor = $1 AND item.symbol = wanted.symbol ${timeframe}
        AND ${finite('ts')} AND item.ts <= ${instantOf('$3::float8')}
      ORDER BY item.ts DESC LIMIT ${count}`;
  // As the text of the row has it, because a table that was made by an older sink has no such column.
  const isFinal = "(to_jsonb(two) ->> 'is_final') IS DISTINCT FROM 'false'";
  const ts =
    of === 'bar'
      ? `(SELECT coalesce(max(two.ts) FILTER (WHERE ${isFinal}), min(two.ts)) FROM (${newest(2)}) AS two)`
      : `(SELECT one.ts FROM (${newest(1)}) AS one)`;
  return `SELECT wanted.symbol, (extract(epoch FROM item.ts) * 1000000)::int8 AS micros, (${spans}) AS gaps
    FROM unnest($2::text[]) AS wanted (symbol)
   CROSS JOIN LATERAL (SELECT ${ts} AS ts) AS item
   WHERE item.ts IS NOT NULL`;
}

/** The newest gaps of a series, by the primary key. */
function gapsQuery(gaps: string, vendor: string, symbol: string, of: string, timeframe: string): string {
  const micros = (time: string) => `(extract(epoch FROM item.${time}) * 1000000)::int8`;
  return `SELECT json_agg(json_build_array(item.a, item.b, item.seq)) FROM (
     SELECT ${micros('from_ts')} AS a, ${micros('to_ts')} AS b, item.seq FROM ${gaps} AS item
      WHERE item.vendor = ${vendor} AND item.symbol = ${symbol} AND item.of_kind = ${of} AND item.timeframe = ${timeframe}
        AND ${finite('from_ts')} AND ${finite('to_ts')}
      ORDER BY item.from_ts DESC LIMIT ${MAX_GAPS}) AS item`;
}

function pointsOf(found: readonly Found[], theTimeframe: string, marginMs: number): ResumePoints {
  const points = new Map<string, number>();
  const nameOf = (of: string, symbol: string) => `${of}\u0000${symbol}`;
  for (const { of, symbol, newest, gaps } of found) {
    if (symbol !== '*') points.set(nameOf(of, symbol), knownUntil(newest, gaps));
  }
  for (const { of, symbol, gaps } of found) {
    if (symbol !== '*') continue;
    let newest = Number.NEGATIVE_INFINITY;
    for (const other of found) if (other.of === of && other.newest > newest) newest = other.newest;
    if (newest > Number.NEGATIVE_INFINITY) points.set(nameOf(of, '*'), knownUntil(newest - marginMs, gaps));
  }
  return ({ of, symbol, timeframe }) => {
    if (timeframe !== undefined && timeframe !== theTimeframe) return undefined;
    return points.get(nameOf(of, symbol));
  };
}

/**
 * A gap that begins before the newest record ends where the series was live again: up to there everything is accounted for. One
 * that begins later says nothing, because what came before it may not be committed.
 */
function knownUntil(newest: number, gaps: Found['gaps']): number {
  let known = newest;
  for (const [from, to] of [...gaps].sort(([a], [b]) => a - b)) if (from <= known && to > known) known = to;
  return known;
}
