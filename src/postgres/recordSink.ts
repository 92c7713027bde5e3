import type { Sink } from '../contracts/sink.js';
import type { RecordKind, RecordOf } from '../market/recordKinds.js';
import type { Pool } from './pool.js';
import { tableOf } from './recordTables.js';
import { type TableSinkConfig, tableSinkOf } from './tableSink.js';

/** The sink of the table of a kind; `owner` is the name in messages about the configuration. */
export function recordSink<K extends RecordKind>(
  owner: string,
  kind: K,
  pool: Pool,
  config: TableSinkConfig = {},
): Sink<RecordOf<K>> {
  return tableSinkOf(owner, pool, tableOf(kind), config);
}
