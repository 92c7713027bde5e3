import { quoteIdentifier } from '../identifiers.js';
import type { Queryable } from '../pool.js';
import { StoreError } from '../storeError.js';
import { COLUMN_TYPES, type TableShape } from '../table.js';

const COLUMNS = `
  SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS declared,
         CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)
                        ELSE format_type(a.atttypid, a.atttypmod) END AS type,
         (a.attnotnull OR t.typnotnull) AND NOT a.atthasdef AND t.typdefault IS NULL AND a.attidentity = '' AS required
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
   WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`;

/** Whether a trigger fills in rows before they are checked: it may set a column that the sink does not know. TimescaleDB's does not. */
const FILLS = `
  SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger
                  WHERE tgrelid = to_regclass($1) AND tgenabled <> 'D' AND tgtype & 7 = 7
                    AND tgname <> 'ts_insert_blocker') AS fills`;

/** The columns of each index that an upsert can use. */
const KEYS = `
  SELECT array(SELECT a.attname::text
                 FROM generate_series(0, i.indnkeyatts - 1) AS place
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[place]) AS key
    FROM pg_catalog.pg_index i
   WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indisready AND i.indimmediate
     AND i.indpred IS NULL AND i.indexprs IS NULL`;

/**
 * Refuses a table that is missing or has another shape. A binary COPY casts nothing: into a column of another type of the same
 * width it silently writes other values. Without a unique index on the key, rows that are written again are duplicated.
 * `isMigrated`: what a table of an older store lacks, a migration adds.
 */
export async function checkTable(
  client: Queryable,
  table: TableShape,
  qualified: string,
  isMigrated = false,
): Promise<void> {
  const refuse = (sqlState: string, message: string) => new StoreError('SLUICE_STORE_TABLE', message, { sqlState });
  const { rows } = await client.query<{ name: string; declared: string; type: string; required: boolean }>(COLUMNS, [
    qualified,
  ]);
  if (rows.length === 0) {
    throw refuse('42P01', `the table ${qualified} is missing: create it, or let the sink do so with createTable: true`);
  }
  const found = new Map(rows.map((row) => [row.name, row]));
  const missing = table.columns.filter(({ name }) => !found.has(name));
  if (missing.length > 0) {
    const needed = missing.map(({ name, type }) => `${quoteIdentifier(name)} ${type}`).join(', ');
    const remedy = isMigrated ? 'migrate the store with sluice migrate, or add' : 'add';
    throw refuse(
      '42703',
      `the table ${qualified} lacks columns: ${remedy} ${needed}, or give the sink a table of its own`,
    );
  }
  for (const { name, type } of table.columns) {
    const column = found.get(name)!;
    if (COLUMN_TYPES[type].matches.test(column.type)) continue;
    throw refuse(
      '42804',
      `column ${quoteIdentifier(name)} of the table ${qualified} is ${column.declared} and must be ${type}: alter it, ` +
        'or give the sink a table of its own',
    );
  }
  const written = new Set(table.columns.map(({ name }) => name));
  const required = rows.filter((row) => row.required && !written.has(row.name));
  if (required.length > 0 && !(await client.query<{ fills: boolean }>(FILLS, [qualified])).rows[0]?.fills) {
    const names = required.map(({ name }) => quoteIdentifier(name)).join(', ');
    throw refuse(
      '23502',
      `the table ${qualified} requires columns that the sink does not write, and would refuse every row: give ${names} a ` +
        'default, or drop NOT NULL, or give the sink a table of its own',
    );
  }
  const keys = await client.query<{ key: string[] }>(KEYS, [qualified]);
  const wanted = [...table.key].sort().join('\0');
  if (!keys.rows.some(({ key }) => key.sort().join('\0') === wanted)) {
    const key = table.key.map(quoteIdentifier).join(', ');
    throw refuse(
      '42P10',
      `the table ${qualified} has no unique index on exactly its key: CREATE UNIQUE INDEX ON ${qualified} (${key})`,
    );
  }
}
