import type { Sink } from '../contracts/sink.js';
import { aimed } from '../contracts/sinkTarget.js';
import type { RecordKind, RecordOf } from '../market/recordKinds.js';
import {
  boolean,
  func,
  having,
  listOf,
  nested,
  type OptionsOf,
  oneOf,
  readArgument,
  readOptions,
  reject,
  text,
} from '../primitives/options.js';
import { classifyPostgresFailure } from './failures.js';
import { identifier } from './identifiers.js';
import type { Pool } from './pool.js';
import { recordsOf, tableOf } from './recordTables.js';
import { abortable } from './session.js';
import { COLUMN_TYPES, type Column, type ColumnType, type Table } from './table.js';
import { STRATEGIES, type Strategy } from './write/planner.js';
import { TableWriter } from './write/writer.js';

/** The options of every sink that writes into a table. */
export interface TableSinkConfig {
  /** The table. 1 to 63 bytes, default the name in the description. */
  readonly table?: string;
  /** The schema of the table. Default: the first of the connection's `search_path`. */
  readonly schema?: string;
  /** Create schema and table at the first write, unless they exist. Default true. */
  readonly createTable?: boolean;
  /**
   * How a batch is written. Default `auto`: chosen for each batch by its size, by what the server offers, and by how often
   * batches have conflicted lately. `unnest` is one upsert from arrays; `copyUpsert` a binary COPY into a staging table and
   * the upsert from there; `copy` a binary COPY straight into the table, and the upsert only for a batch that conflicts.
   */
  readonly strategy?: Strategy | 'auto';
  /** The time in epoch milliseconds, for numbering items that bring no version. Default `Date.now`. */
  readonly now?: () => number;
  /** The name in metrics, errors and the report. Default the name in the description. */
  readonly name?: string;
}

const OPTIONS = {
  table: identifier(),
  schema: identifier(),
  createTable: boolean().default(true),
  strategy: oneOf(['auto', ...STRATEGIES]).default('auto'),
  now: func().default(() => Date.now()),
  name: text(),
} satisfies OptionsOf<TableSinkConfig>;

const COLUMN = {
  name: identifier().required(),
  type: oneOf(Object.keys(COLUMN_TYPES) as ColumnType[]).required(),
  nullable: boolean(),
  of: func().required(),
} satisfies OptionsOf<Column<unknown>>;

const TABLE = {
  name: identifier().required(),
  columns: listOf(nested(COLUMN), { min: 1 }).required(),
  key: listOf(identifier(), { min: 1 }).required(),
  keyOf: func().required(),
  version: identifier().required(),
  versionOf: func().required(),
  numbered: func().required(),
} satisfies OptionsOf<Table<unknown>>;

/**
 * Writes items of your own into a Postgres table, which a {@link Table} describes: its columns, its key, and the version that
 * guards the order. The table is created at the first write unless it exists. A row is changed only by a higher version; of
 * equal ones the earlier stays.
 *
 * ```text
 * batches   --[A1 B1]--[A2 A3]--[A1]----
 * rows      ---A1 B1----A3-----------      (A2 is older than A3, A1 older than the row)
 * receipts  -----2--------1--------0-
 * ```
 *
 * **Emits when**: a batch is committed: one receipt with the number of rows inserted or changed.
 * **Backpressure**: a write waits for a connection of the pool; give the pool as many as there are lanes.
 * **Completes when**: its batch is committed, after the receipt.
 * **Errors when**: Postgres refuses the batch: `StoreError`, nothing of the batch is written, and the sink can be written to
 * again. `classify` tells `writeTo()` what can be done about it, by SQLSTATE.
 * **On unsubscribe**: a statement in flight is not cancelled and may commit. Its connection is destroyed at once, so that
 * the end of the pool does not wait for it; PGlite's only one goes back when the statement has ended.
 *
 * **Delivery**: at least once, once in effect: writing a batch again changes nothing. Items without a version are numbered
 * when they are first written, by the time of receipt in microseconds, strictly increasing; `writeTo()` keeps the number
 * with them through retries and dead letters.
 *
 * **Gotchas**:
 *
 * - An existing table needs the columns with their exact types, and a unique index on exactly the key. Any other table is refused
 *   before the first write.
 * - Texts cannot hold NUL or half a surrogate pair, the texts of a key together no more than about 2,700 bytes, and a
 *   `timestamptz` must be finite. An item that breaks this fails its batch as poison; with dead letters only that item is diverted.
 * - A newer version with equal values is written too, so that its number counts.
 * - A straight COPY that conflicts appears in the server's log as an error before the batch is upserted.
 * - Two sinks with different lanes on the same rows can deadlock. The server ends that after its `deadlock_timeout`; the
 *   sink then writes again, up to five times, and from then on in the order of the keys.
 *
 * @example
 * ```ts
 * import { openStore, sinkSubscriber, type Table, tableSink } from 'sluice/sinks';
 * import { fromIterable } from 'sluice/sources';
 *
 * interface Trade {
 *   readonly id: string;
 *   readonly symbol: string;
 *   readonly at: number;
 *   readonly price: number;
 *   readonly tags?: readonly string[];
 *   readonly seq?: number;
 * }
 *
 * const trades: Table<Trade> = {
 *   name: 'trades',
 *   columns: [
 *     { name: 'id', type: 'text', of: (trade) => trade.id },
 *     { name: 'symbol', type: 'text', of: (trade) => trade.symbol },
 *     { name: 'at', type: 'timestamptz', of: (trade) => trade.at },
 *     { name: 'price', type: 'float8', of: (trade) => trade.price },
 *     { name: 'tags', type: 'text[]', nullable: true, of: (trade) => trade.tags },
 *     { name: 'seq', type: 'int8', of: (_trade, seq) => seq },
 *   ],
 *   key: ['id'],
 *   keyOf: (trade) => trade.symbol,
 *   version: 'seq',
 *   versionOf: (trade) => trade.seq,
 *   numbered: (trade, seq) => ({ ...trade, seq }),
 * };
 *
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * const writer = sinkSubscriber(tableSink(store.pool, trades));
 * fromIterable([{ id: 'T1', symbol: 'ACME', at: Date.now(), price: 99.5 }]).subscribe(writer);
 * await writer.whenFinished();
 * await store.close();
 * ```
 */
export function tableSink<T>(pool: Pool, definition: Table<T>, config: TableSinkConfig = {}): Sink<T> {
  requireTable('tableSink: its table', definition);
  return tableSinkOf('tableSink', pool, definition, config);
}

/** The same under the name of another factory, for its errors, with a description that is known to be right. */
export function tableSinkOf<T>(owner: string, pool: Pool, definition: Table<T>, config: TableSinkConfig): Sink<T> {
  readArgument(owner, 'pool', pool, having('connect'));
  const { table = definition.name, name = definition.name, ...options } = readOptions(owner, config, OPTIONS);
  const records = recordsOf(definition);
  const isMigrated = records !== undefined;
  const writer = new TableWriter<T>(pool, { ...options, table: { ...definition, name: table }, isMigrated });
  const sink: Sink<T> = {
    name,
    keyOf: definition.keyOf,
    classify: classifyPostgresFailure,
    stamp: (items) => writer.stamp(items),
    write: (batch) => abortable((signal) => writer.write(batch, signal)),
  };
  const { schema } = options;
  return aimed(sink, {
    table,
    ...(schema === undefined ? {} : { schema }),
    ...(records === undefined ? {} : { records }),
  });
}

/** The sink of the table of a kind; `owner` is the name in messages about the configuration. */
export function recordSink<K extends RecordKind>(
  owner: string,
  kind: K,
  pool: Pool,
  config: TableSinkConfig = {},
): Sink<RecordOf<K>> {
  return tableSinkOf(owner, pool, tableOf(kind), config);
}

function requireTable<T>(owner: string, definition: Table<T>): void {
  readOptions(owner, definition as Table<unknown>, TABLE);
  const { columns, key, version } = definition;
  const byName = new Map(columns.map((column) => [column.name, column]));
  if (byName.size < columns.length)
    reject(owner, 'columns', 'columns with different names', columns.map(({ name }) => name).join(', '));
  for (const name of key) {
    const column = byName.get(name);
    if (!column || column.nullable || column.type === 'text[]' || column.type === 'bool') {
      reject(owner, 'key', 'a list of columns that are neither nullable nor of type bool or text[]', name);
    }
  }
  const column = byName.get(version);
  if (column?.type !== 'int8' || column.nullable || key.includes(version)) {
    reject(owner, 'version', 'a column of type int8 that is neither nullable nor part of the key', version);
  }
}
