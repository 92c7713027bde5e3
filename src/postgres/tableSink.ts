import type { Pool } from 'pg';
import { Observable } from 'rxjs';
import type { Sink, WriteReceipt } from '../contracts/sink.js';
import {
  requireBoolean,
  requireFunction,
  requireKnownOptions,
  requireOneOf,
  requireText,
} from '../primitives/validate.js';
import { classifyPostgresFailure } from './failures.js';
import type { Table } from './tables.js';
import type { Strategy } from './write/planner.js';
import { TableWriter } from './write/writer.js';

/** What the sinks of all tables can be told. */
export interface TableSinkConfig {
  /** The table. 1 to 63 bytes, default the one that the sink is named for. */
  readonly table?: string;
  /** The schema of the table. Default: the first of the connection's `search_path`. */
  readonly schema?: string;
  /** Create schema and table at the first write, unless they are there. Default true. */
  readonly createTable?: boolean;
  /**
   * How a batch is written. `auto`, the default, chooses for each batch by its size, by what the server offers, and by
   * how often batches have conflicted lately; `unnest` is one upsert from arrays; `copyUpsert` a binary COPY into a
   * staging table and the upsert from there; `copy` a binary COPY straight into the table, and the upsert only for a
   * batch that conflicts.
   */
  readonly strategy?: Strategy | 'auto';
  /** The time in epoch milliseconds, for numbering items without a `seq`. Default `Date.now`. */
  readonly clock?: () => number;
  /** The name in metrics, errors and the report. Default the name of the table that the sink is named for. */
  readonly name?: string;
}

const OPTIONS = ['table', 'schema', 'createTable', 'strategy', 'clock', 'name'];

const STRATEGIES = ['auto', 'unnest', 'copyUpsert', 'copy'] as const;

/** As Postgres cuts longer ones off, two names could become one. */
function requireIdentifier(owner: string, option: string, value: unknown): string {
  const bytes = typeof value === 'string' ? Buffer.byteLength(value) : 0;
  if (typeof value !== 'string' || bytes < 1 || bytes > 63 || value.includes('\0')) {
    throw new RangeError(`${owner}: ${option} must be a name of 1 to 63 bytes, got ${JSON.stringify(value)}`);
  }
  return value;
}

/** A sink of a described table. `keyOf` may be coarser than the table's key: items with one key are written in order. */
export function tableSink<T>(
  owner: string,
  described: Table<T>,
  keyOf: (item: T) => string,
  pool: Pool,
  config: TableSinkConfig,
): Sink<T> {
  requireFunction(owner, 'the connect of its pool', pool?.connect);
  requireKnownOptions(owner, config, OPTIONS);
  const table = requireIdentifier(owner, 'table', config.table ?? described.name);
  const schema = config.schema === undefined ? undefined : requireIdentifier(owner, 'schema', config.schema);
  const strategy = requireOneOf(owner, 'strategy', config.strategy ?? 'auto', STRATEGIES);
  const clock = requireFunction(owner, 'clock', config.clock ?? Date.now);
  const createTable = requireBoolean(owner, 'createTable', config.createTable ?? true);
  const name = requireText(owner, 'name', config.name ?? described.name);

  const writer = new TableWriter<T>(pool, {
    table: { ...described, name: table },
    schema,
    createTable,
    strategy,
    clock,
  });
  return {
    name,
    keyOf,
    classify: classifyPostgresFailure,
    stamp: (items) => writer.stamp(items),
    write: (batch) =>
      new Observable<WriteReceipt>((subscriber) => {
        const abandon = new AbortController();
        writer.write(batch, abandon.signal).then(
          (receipt) => {
            subscriber.next(receipt);
            subscriber.complete();
          },
          (error: unknown) => subscriber.error(error),
        );
        return () => abandon.abort();
      }),
  };
}
