import type { ClientBase } from 'pg';
import { quoteIdentifier } from '../statements.js';
import { barsTable, fundamentalsTable, newsTable, optionsTable, type Table } from '../tables.js';
import { checkTable } from '../write/checkTable.js';

/** The table that a migration makes. */
export interface StoreTable {
  /** Its name in SQL. */
  readonly in: (schema: string) => string;
  readonly check: (client: ClientBase, schema: string) => Promise<void>;
}

function tableOf<T>(table: Table<T>): StoreTable {
  const named = (schema: string) => `${quoteIdentifier(schema)}.${quoteIdentifier(table.name)}`;
  return { in: named, check: (client, schema) => checkTable(client, table, named(schema)) };
}

/**
 * After each of these migrations its table must be as its sink needs it, also where it was there before. Where it is gone
 * later, its migrations are applied again: all that change a table are among them.
 */
export const STORE_TABLES: ReadonlyMap<string, StoreTable> = new Map([
  ['001_bars', tableOf(barsTable)],
  ['002_options_snap', tableOf(optionsTable)],
  ['003_news', tableOf(newsTable)],
  ['004_fundamentals', tableOf(fundamentalsTable)],
]);
