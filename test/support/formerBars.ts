import type pg from 'pg';
import type { Sink } from '../../src/contracts/sink.js';
import type { Bar } from '../../src/market/bar.js';
import { barsTable } from '../../src/postgres/recordTables.js';
import { type TableSinkConfig, tableSink } from '../../src/postgres/tableSink.js';

/** The columns that bars got later. */
export const DETAILS: readonly string[] = ['is_final', 'is_complete', 'trades', 'vwap'];

/** The sink of programs from before then. */
export function formerBarsSink(pool: pg.Pool, config: TableSinkConfig = {}): Sink<Bar> {
  const columns = barsTable.columns.filter(({ name }) => !DETAILS.includes(name));
  return tableSink(pool, { ...barsTable, columns }, config);
}
