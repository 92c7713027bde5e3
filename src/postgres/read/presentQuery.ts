import type { MarketEvent, RecordKind } from '../../market/recordKinds.js';
import { tableOf } from '../recordTables.js';
import type { ColumnType, ColumnValue, Table } from '../table.js';
import { instantOf, microsOf } from './rows.js';

/** How the column of a key is compared: the type of the parameter, and what it is compared with. */
const COMPARED: Partial<Record<ColumnType, readonly [type: string, sql: (value: string) => string]>> = {
  timestamptz: ['float8', instantOf],
  date: ['text', (value) => `${value}::date`],
  float8: ['float8', (value) => value],
  int8: ['int8', (value) => value],
};

/** How many of some records of one kind a table has, in their version or a newer one: looks each up by the primary key. */
export function presentQuery(table: string, kind: RecordKind, records: readonly MarketEvent[]) {
  const { key, columns, version, versionOf } = tableOf(kind) as unknown as Table<MarketEvent>;
  const values: unknown[] = [];
  const types: string[] = [];
  const conditions: string[] = [];
  let bounds = '';
  for (const [i, name] of key.entries()) {
    const column = columns.find((one) => one.name === name)!;
    const [type, sql] = COMPARED[column.type] ?? ['text', (value: string) => value];
    const given = records.map((record) => compared(column.type, column.of(record, 0)));
    values.push(given);
    types.push(`$${i + 1}::${type}[]`);
    conditions.push(`item.${name} = ${sql(`wanted.k${i}`)}`);
    // Alone it tells TimescaleDB which chunks it needs.
    if (column.type === 'timestamptz') {
      const all = `unnest($${i + 1}::float8[]) AS one (micros)`;
      bounds = `AND item.${name} >= ${instantOf(`(SELECT min(micros) FROM ${all})`)} AND item.${name} <= ${instantOf(`(SELECT max(micros) FROM ${all})`)}`;
    }
  }
  values.push(records.map((record) => versionOf(record) ?? null));
  types.push(`$${values.length}::int8[]`);
  conditions.push(`(wanted.version IS NULL OR item.${version} >= wanted.version)`);
  const names = key.map((_, i) => `k${i}`).join(', ');
  const sql = `SELECT count(*) AS rows FROM unnest(${types.join(', ')}) AS wanted (${names}, version)
      WHERE EXISTS (SELECT FROM ${table} AS item WHERE ${conditions.join(' AND ')} ${bounds})`;
  return { sql, values };
}

function compared(type: ColumnType, value: ColumnValue): ColumnValue {
  return type === 'timestamptz' ? microsOf(value as number) : value;
}
