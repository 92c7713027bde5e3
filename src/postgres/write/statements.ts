import { createHash } from 'node:crypto';
import { STAGE_PREFIX } from '../failures.js';
import { qualify, quoteIdentifier } from '../identifiers.js';
import type { Table } from '../table.js';

export type Statements = ReturnType<typeof statementsFor>;

export function statementsFor<T>(table: Table<T>, schema: string | undefined) {
  const qualified = qualify(table.name, schema);
  const digest = createHash('sha256')
    .update(qualified)
    .update(JSON.stringify(table.columns))
    .digest('hex')
    .slice(0, 16);
  const stageName = `${STAGE_PREFIX}${digest}`;
  const stage = `pg_temp.${quoteIdentifier(stageName)}`;

  const names = table.columns.map(({ name }) => quoteIdentifier(name));
  const list = names.join(', ');
  const key = table.key.map(quoteIdentifier).join(', ');
  const version = quoteIdentifier(table.version);
  const changes = table.columns
    .filter(({ name }) => !table.key.includes(name))
    .map(({ name }) => `${quoteIdentifier(name)} = excluded.${quoteIdentifier(name)}`)
    .join(', ');
  const upsertFrom = (rows: string, values: string) =>
    `INSERT INTO ${qualified} AS stored (${list}) SELECT ${values} FROM ${rows} ` +
    `ON CONFLICT (${key}) DO UPDATE SET ${changes} WHERE stored.${version} < excluded.${version}`;

  const definitions = table.columns.map(
    ({ name, type, nullable }) => `${quoteIdentifier(name)} ${type}${nullable ? '' : ' NOT NULL'}`,
  );
  // `unnest` flattens an array of arrays down to its elements, so that an array is passed as the text of its literal.
  const arrays = table.columns.map(({ type }, i) => `$${i + 1}::${type === 'text[]' ? 'text' : type}[]`).join(', ');
  const unnested = table.columns
    .map(({ type }, i) => (type === 'text[]' ? `${names[i]}::text[]` : names[i]))
    .join(', ');
  // A lock that ends with the transaction: `IF NOT EXISTS` alone fails when two do it at once. Its number is arbitrary, and
  // the same for everyone who creates this table.
  const lock = BigInt.asIntN(64, BigInt(`0x${digest}`));

  const createStage = `CREATE TEMP TABLE IF NOT EXISTS ${quoteIdentifier(stageName)} (${table.columns
    .map(({ name, type }) => `${quoteIdentifier(name)} ${type}`)
    .join(', ')}) ON COMMIT DELETE ROWS`;
  const copyUpsert = `COPY ${stage} (${list}) FROM STDIN (FORMAT binary); ${upsertFrom(stage, list)}`;

  return {
    /** The table with its schema, as SQL writes it. */
    qualified,
    /** Whether the table exists: one row with one column `exists`, for `qualified` as its parameter. */
    exists: 'SELECT to_regclass($1) IS NOT NULL AS exists',
    /** Creates schema and table unless they exist, as one transaction: two processes may do so at once. */
    create: [
      `SELECT pg_advisory_xact_lock(${lock})`,
      ...(schema === undefined ? [] : [`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`]),
      `CREATE TABLE IF NOT EXISTS ${qualified} (${definitions.join(', ')}, PRIMARY KEY (${key}))`,
    ].join('; '),
    /** Upserts rows from one array parameter per column. */
    upsertArrays: upsertFrom(`unnest(${arrays}) AS incoming (${list})`, unnested),
    /** A name for `upsertArrays` as a prepared statement. */
    upsertName: `sluice_upsert_${digest}`,
    /** Takes rows straight into the table; an existing key is a unique violation. */
    copy: `COPY ${qualified} (${list}) FROM STDIN (FORMAT binary)`,
    /** Creates the staging table of a session. */
    createStage,
    // Several statements in one message are one transaction, also for a pooler.
    /** Takes rows into the staging table and upserts them from there, as one transaction. */
    copyUpsert,
    /** The same for a session that may lack the staging table, which it creates in the same transaction. */
    stageAndUpsert: `${createStage}; ${copyUpsert}`,
  };
}
