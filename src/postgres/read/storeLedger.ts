import { catchError, concatMap, map, type Observable, of, throwError } from 'rxjs';
import type { GapLedger, GapSpan } from '../../contracts/gapLedger.js';
import type { Gap } from '../../market/gap.js';
import { KINDS, type RecordKind } from '../../market/recordKinds.js';
import { duration, having, type OptionsOf, readArgument, readOptions, text } from '../../primitives/options.js';
import { qualify } from '../identifiers.js';
import type { Pool } from '../pool.js';
import { tableOf } from '../recordTables.js';
import { GAP_COLUMNS, type GapRow, gapOf } from './gapRows.js';
import { gaps } from './gaps.js';
import { presentQuery } from './presentQuery.js';
import { readWithin } from './readWithin.js';
import { instantOf, microsOf } from './rows.js';
import { StoreReadError } from './storeReadError.js';

export interface StoreLedgerConfig {
  /** The schema of the tables. Default: the connection's `search_path`. */
  readonly schema?: string;
  /** How long one question may take, the wait for a connection included, in milliseconds. Above 0, default 60,000. */
  readonly timeoutMs?: number;
}

const OPTIONS = {
  schema: text(),
  timeoutMs: duration({ above: 0 }).default(60_000),
} satisfies OptionsOf<StoreLedgerConfig>;

/**
 * The gaps of a store, and how many records it has of a span: what {@link GapLedger} asks. Each question takes a connection of the pool for
 * as long as its statement runs, and looks up an index of the table. A table that is not there has no records, and no gaps.
 *
 * Its questions fail with a `StoreReadError`; unsubscribing cancels the statement at the server.
 *
 * @example
 * ```ts
 * import { openStore, storeLedger } from 'sluice/postgres';
 * import { from } from 'rxjs';
 *
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * from(storeLedger(store.pool).open()).subscribe({
 *   next: ({ vendor, symbol, of, from, to }) => console.log(vendor, symbol, of, new Date(from), new Date(to)),
 *   complete: () => store.close(),
 * });
 * ```
 */
export function storeLedger(pool: Pool, config: StoreLedgerConfig = {}): GapLedger {
  const owner = 'storeLedger';
  readArgument(owner, 'pool', pool, having('connect'));
  const { schema, timeoutMs } = readOptions(owner, config, OPTIONS);
  const gapsTable = qualify(tableOf('gap').name, schema);

  /** The rows of a statement; none where the table is not there. */
  const ask = <R extends object>(table: string, sql: string, values: readonly unknown[]): Observable<readonly R[]> =>
    readWithin(
      pool,
      async (client) => {
        const { rows: present } = await client.query<{ found: boolean }>(
          'SELECT to_regclass($1) IS NOT NULL AS found',
          [table],
        );
        return present[0]?.found ? (await client.query<R>(sql, [...values])).rows : [];
      },
      timeoutMs,
    ).pipe(catchError((cause) => throwError(() => new StoreReadError(table, { cause }))));

  const askGaps = (conditions: string, values: readonly unknown[]): Observable<Gap> =>
    ask<GapRow>(
      gapsTable,
      `SELECT (extract(epoch FROM item.from_ts) * 1000000)::int8 AS micros, ${GAP_COLUMNS} FROM ${gapsTable} AS item
        WHERE item.vendor = $1 AND item.symbol = $2 AND item.of_kind = $3 AND item.timeframe = $4 AND ${conditions}
        ORDER BY item.from_ts, item.to_ts`,
      values,
    ).pipe(
      // Bounded because there is one array.
      concatMap((rows) => rows),
      map(gapOf),
    );

  return {
    open: () => gaps(pool, { states: ['open'], ...(schema !== undefined && { schema }), timeoutMs }),

    count(span) {
      if (!isKind(span.of)) throw new RangeError(`${owner}: there is no kind of records ${JSON.stringify(span.of)}`);
      const table = qualify(tableOf(span.of).name, schema);
      const { sql, values } = countQuery(table, span.of, span);
      return ask<{ readonly rows: string }>(table, sql, values).pipe(map(([row]) => Number(row?.rows ?? 0)));
    },

    has(records) {
      const [first] = records;
      if (first === undefined) return of(0);
      const table = qualify(tableOf(first.kind).name, schema);
      const { sql, values } = presentQuery(table, first.kind, records);
      return ask<{ readonly rows: string }>(table, sql, values).pipe(map(([row]) => Number(row?.rows ?? 0)));
    },

    closed: (span) =>
      askGaps(
        `item.state <> 'open' AND item.from_ts <= ${instantOf('$6::float8')} AND item.to_ts >= ${instantOf('$5::float8')}`,
        [...seriesOf(span), microsOf(span.from), microsOf(span.to)],
      ),

    find: (gap) =>
      askGaps(`item.from_ts = ${instantOf('$5::float8')} AND item.to_ts = ${instantOf('$6::float8')}`, [
        ...seriesOf(gap),
        microsOf(gap.from),
        microsOf(gap.to),
      ]),
  };
}

function isKind(of: string): of is RecordKind {
  return (KINDS as readonly string[]).includes(of);
}

function seriesOf({ vendor, symbol, of, timeframe = '' }: GapSpan): readonly string[] {
  return [vendor, symbol, of, timeframe];
}

/** The instants of a row called `item`, as its kind has them. */
function timeOf(columns: readonly string[]): string {
  if (columns.includes('ts')) return 'item.ts';
  if (columns.includes('published_at')) return 'item.published_at';
  // At midnight in UTC, as records have it.
  return "(coalesce(item.filing_date, item.period_end)::timestamp AT TIME ZONE 'UTC')";
}

function countQuery(table: string, kind: RecordKind, { vendor, symbol, timeframe, from, to }: GapSpan) {
  const columns = tableOf(kind).columns.map(({ name }) => name);
  const values: unknown[] = [vendor, microsOf(from), microsOf(to)];
  const time = timeOf(columns);
  const conditions = [
    'item.vendor = $1',
    `${time} >= ${instantOf('$2::float8')}`,
    `${time} <= ${instantOf('$3::float8')}`,
  ];
  const add = (condition: (parameter: string) => string, value: unknown) => {
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  // `*` is the series of all symbols.
  if (symbol !== '*') {
    if (columns.includes('symbol')) add((parameter) => `item.symbol = ${parameter}`, symbol);
    else add((parameter) => `item.symbols @> ARRAY[${parameter}::text]`, symbol);
  }
  if (timeframe !== undefined && columns.includes('timeframe')) add((p) => `item.timeframe = ${p}`, timeframe);
  return { sql: `SELECT count(*) AS rows FROM ${table} AS item WHERE ${conditions.join(' AND ')}`, values };
}
