import type { ClientBase } from 'pg';
import { checkTable } from './checkTable.js';
import { quoteIdentifier } from './statements.js';
import { barsTable, fundamentalsTable, newsTable, optionsTable, type Table } from './tables.js';

type Check = (client: ClientBase, schema: string) => Promise<void>;

const checkOf =
  <T>(table: Table<T>): Check =>
  (client, schema) =>
    checkTable(client, table, `${quoteIdentifier(schema)}.${quoteIdentifier(table.name)}`);

/** After each of these migrations its table must be as its sink needs it, also where it was there before. */
export const TABLE_CHECKS: ReadonlyMap<string, Check> = new Map([
  ['001_bars', checkOf(barsTable)],
  ['002_options_snap', checkOf(optionsTable)],
  ['003_news', checkOf(newsTable)],
  ['004_fundamentals', checkOf(fundamentalsTable)],
]);
