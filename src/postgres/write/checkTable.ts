import { quoteIdentifier } from '../identifiers.js';
import type { Queryable } from '../pool.js';
import { StoreError } from '../storeError.js';
import { COLUMN_TYPES, type TableShape } from '../table.js';

const COLUMNS = `
  SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS declared,
         CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)
                        ELSE format_type(a.atttypid, a.atttypmod) END AS type
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
   WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`;

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
 */
export async function checkTable(client: Queryable, table: TableShape, qualified: string): Promise<void> {
  const refuse = (sqlState: string, message: string) => new StoreError('SLUICE_STORE_TABLE', message, { sqlState });
  const { rows } = await client.query<{ name: string; declared: string; type: string }>(COLUMNS, [qualified]);
  if (rows.length === 0) {
    throw refuse('42P01', `the table ${qualified} is missing: create it, or let the sink do so with createTable: true`);
  }
  const found = new Map(rows.map((row) => [row.name, row]));
  const missing = table.columns.filter(({ name }) => !found.has(name));
  if (missing.length > 0) {
    const needed = missing.map(({ name, type }) => `${quoteIdentifier(name)} ${type}`).join(', ');
    throw refuse('42703', `the table ${qualified} lacks columns: add ${needed}, or give the sink a table of its own`);
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
