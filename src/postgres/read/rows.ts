import type { PoolClient } from '../pool.js';

/** Epoch milliseconds to microseconds, which are exact. */
export function microsOf(epochMs: number | undefined): number | undefined {
  return epochMs === undefined ? undefined : Math.round(epochMs * 1000);
}

/** Microseconds to an instant: an interval keeps every microsecond, a number of seconds would not. */
export const instantOf = (micros: string) => `(timestamptz 'epoch' + interval '1 microsecond' * ${micros})`;

/** Of a row called `item`. No record is of an infinite instant. */
export const finite = (time: string) => `item.${time} > '-infinity' AND item.${time} < 'infinity'`;

/** The vendors of a table, with one index look-up for each: `DISTINCT` would read the whole table. */
export function vendorsQuery(table: string): string {
  return `WITH RECURSIVE known (vendor) AS (
    (SELECT vendor FROM ${table} ORDER BY vendor LIMIT 1)
    UNION ALL
    SELECT (SELECT item.vendor FROM ${table} AS item WHERE item.vendor > known.vendor ORDER BY item.vendor LIMIT 1)
      FROM known WHERE known.vendor IS NOT NULL)
  SELECT vendor FROM known WHERE vendor IS NOT NULL`;
}

export async function vendorsOf(client: PoolClient, table: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ vendor: string }>(vendorsQuery(table));
  return rows.map((row) => row.vendor).sort();
}

/** Those of the columns that a table or view has. None of one that is missing: whoever reads it learns that. */
export async function presentColumns(
  client: PoolClient,
  table: string,
  columns: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT attname::text AS name FROM pg_catalog.pg_attribute
      WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attname = ANY($2)`,
    [table, columns],
  );
  return columns.filter((column) => rows.some(({ name }) => name === column));
}

/** A record while it is put together from a row. */
export type Writable<R> = { -readonly [K in keyof R]: R[K] };

/** Null is what the table does not know, and undefined a column that it lacks. */
export function isKnown<V>(value: V | null | undefined): value is V {
  return value !== null && value !== undefined;
}
