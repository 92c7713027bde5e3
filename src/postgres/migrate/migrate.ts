import type { Pool } from 'pg';
import { requireBoolean, requireFunction, requireKnownOptions } from '../../primitives/validate.js';
import { type TimescaleConfig, timescaleSettings } from '../timescale/settings.js';
import { MIGRATIONS, type MigrationReport, type MigrationStep } from './migrations.js';
import { Migrator } from './migrator.js';

export interface MigrateConfig {
  /** Change nothing, and report what is missing. Default false. */
  readonly plan?: boolean;
  /** The schema of the store, created if need be. 1 to 63 bytes. Default: the first of the connection's `search_path`. */
  readonly schema?: string;
  /** What TimescaleDB is to do where the server has it. Default: hypertables, compression after 7 days, no retention. */
  readonly timescale?: TimescaleConfig;
  /** Told of each step when it is committed. Default: nobody is told. */
  readonly onStep?: (step: MigrationStep) => void;
}

/**
 * Brings the database of a store to the newest state: its tables, and what the server offers to them. Where the
 * TimescaleDB extension is, `bars` and `options_snap` become hypertables with compression, and `bars_5m`, `bars_1h` and
 * `bars_1d` continuous aggregates; on plain Postgres these three are views, with the same columns.
 *
 * ```text
 * empty             --(001 002 003 004, views)-->  newest
 * newest            --()------------------------>  newest
 * and the extension --(hypertables, aggregates)->  newest
 * ```
 *
 * **Emits when**: does not apply; the promise resolves with a report of what was done, `onStep` is told of each step.
 * **Backpressure**: does not apply; two that migrate at once take turns, step by step.
 * **Completes when**: nothing is missing any more.
 * **Errors when**: the database was migrated by a newer program, or an applied migration has another text here, or a table
 * of the same name is of another shape, or a right is missing: `MigrationError`, and nothing of that step is applied.
 * **On unsubscribe**: does not apply; a process that ends half-way leaves whole steps behind, and the next run goes on.
 *
 * **Delivery**: each step is one transaction under an advisory lock, and is applied once.
 *
 * **Gotchas**: a table that `barsSink` made is taken over. An extension that appears later is used at the next run, which
 * then moves the rows into chunks under a lock on the table. On plain Postgres the views aggregate whenever they are
 * read. TimescaleDB before 2.11 is not used, because it cannot upsert into compressed chunks.
 *
 * @example
 * ```ts
 * import { migrate, openStore } from 'sluice/sinks';
 *
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * const { steps, notes } = await migrate(store.pool, { onStep: ({ what }) => console.log(what) });
 * console.log(steps.length === 0 ? 'nothing to do' : `${steps.length} steps`, ...notes);
 * await store.close();
 * ```
 */
export async function migrate(pool: Pool, config: MigrateConfig = {}): Promise<MigrationReport> {
  const owner = 'migrate';
  requireFunction(owner, 'the connect of its pool', pool?.connect);
  requireKnownOptions(owner, config, ['plan', 'schema', 'timescale', 'onStep']);
  const plan = requireBoolean(owner, 'plan', config.plan ?? false);
  const migrator = new Migrator(pool, {
    migrations: MIGRATIONS,
    schema: config.schema === undefined ? undefined : requireSchema(owner, config.schema),
    timescale: timescaleSettings(owner, config.timescale ?? {}),
    onStep: requireFunction(owner, 'onStep', config.onStep ?? (() => {})),
  });
  return plan ? migrator.plan() : migrator.run();
}

/** What {@link migrate} would do: the same as its `plan: true`. */
export function migrationPlan(
  pool: Pool,
  config: Omit<MigrateConfig, 'plan' | 'onStep'> = {},
): Promise<MigrationReport> {
  return migrate(pool, { ...config, plan: true });
}

/** Postgres cuts longer ones off. */
function requireSchema(owner: string, value: unknown): string {
  const bytes = typeof value === 'string' ? Buffer.byteLength(value) : 0;
  if (typeof value !== 'string' || bytes < 1 || bytes > 63 || value.includes('\0')) {
    throw new RangeError(`${owner}: schema must be a name of 1 to 63 bytes, got ${JSON.stringify(value)}`);
  }
  return value;
}
