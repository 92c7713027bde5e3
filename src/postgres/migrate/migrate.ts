import {
  boolean,
  duration,
  func,
  having,
  integer,
  nested,
  type OptionsOf,
  readArgument,
  readOptions,
} from '../../primitives/options.js';
import { MAX_TIMER_MS } from '../../primitives/timer.js';
import { identifier } from '../identifiers.js';
import type { Pool } from '../pool.js';
import { DAYS_OPTIONS, type DaysConfig } from '../timescale/days.js';
import { TIMESCALE_OPTIONS, type TimescaleConfig, timescaleSettings } from '../timescale/settings.js';
import { MIGRATIONS, type MigrationReport, type MigrationStep } from './migrations.js';
import { withMigrator } from './migrator.js';

export interface MigrateConfig {
  /** Change nothing, and report what is missing. Default false. */
  readonly plan?: boolean;
  /** The schema of the store, created if need be. 1 to 63 bytes. Default: the first of the connection's `search_path`. */
  readonly schema?: string;
  /** What TimescaleDB does, if the server has it. Default: hypertables, compression after 7 days, no retention. */
  readonly timescale?: TimescaleConfig;
  /**
   * When the days of `bars_1d` begin. Other days than the store has make the view anew. Default: as in the store, and in a new one
   * those of UTC.
   */
  readonly days?: DaysConfig;
  /** Called with each step once it is committed. Default: steps are only in the report. */
  readonly onStep?: (step: MigrationStep) => void;
  /**
   * Called with one line when it waits for the locks of others, such as `waiting for process 4711 (psql, …)`, and before a step that
   * may take long. Default: nothing says so.
   */
  readonly onWait?: (message: string) => void;
  /** How long a step may wait for one lock, in milliseconds. At least 1, default 60,000. */
  readonly lockTimeoutMs?: number;
  /**
   * How long the server may neither answer nor run the statement, in milliseconds, until the connection counts as lost. At least 1,
   * default 20,000. A statement that runs is waited for as long as it takes.
   */
  readonly answerTimeoutMs?: number;
}

const OPTIONS = {
  plan: boolean().default(false),
  schema: identifier(),
  timescale: nested(TIMESCALE_OPTIONS).default({}),
  days: nested(DAYS_OPTIONS),
  onStep: func().default(() => {}),
  onWait: func().default(() => {}),
  lockTimeoutMs: integer({ min: 1, max: MAX_TIMER_MS }).default(60_000),
  answerTimeoutMs: duration({ min: 1 }).default(20_000),
} satisfies OptionsOf<MigrateConfig>;

/**
 * Brings the database of a store to the newest state: its tables, and what the server offers for them. With the TimescaleDB
 * extension, `bars`, `options_snap`, `trades` and `quotes` become hypertables with compression, and `bars_5m`, `bars_1h` and
 * `bars_1d` continuous aggregates; on plain Postgres these three are views, with the same columns. The promise resolves with a
 * report of what was done.
 *
 * ```text
 * empty             --(001 to 008, views)------->  newest
 * an older store    --(005 to 008)-------------->  newest
 * newest            --()------------------------>  newest
 * and the extension --(hypertables, aggregates)->  newest
 * ```
 *
 * **Backpressure**: two processes that migrate at once take turns, step by step. Whoever waits says for which process, and gives
 * up after `lockTimeoutMs`.
 * **Errors when**: the database was migrated by a newer program, an applied migration has another text here, a table of the
 * same name has another shape, a right is missing, a lock is held for too long, or the server falls silent: `MigrationError`, and
 * nothing of that step is applied.
 *
 * **Delivery**: each step is one transaction under an advisory lock, and is applied once. A process that ends half-way leaves
 * whole steps behind, and the next run continues.
 *
 * **Gotchas**:
 *
 * - A table that `barsSink` created is taken over. An older one gets the columns that it lacks, and its rows stay.
 * - An extension that appears later is used at the next run, which then moves the rows into chunks under a lock on the table.
 * - On plain Postgres the views aggregate whenever they are read.
 * - A day of `bars_1d` is a day of UTC unless `days` says otherwise. Days of a zone have 23 or 25 hours where its clocks change.
 * - With `retainBarsMs`, older bars are aggregated before the first of them is dropped, which takes a while in a large store.
 * - TimescaleDB before 2.11 is not used, because it cannot upsert into compressed chunks.
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
  readArgument('migrate', 'pool', pool, having('connect'));
  const { plan, timescale, days, ...options } = readOptions('migrate', config, OPTIONS);
  const migrator = { ...options, migrations: MIGRATIONS, timescale: timescaleSettings(timescale, days) };
  return withMigrator(pool, migrator, (one) => (plan ? one.plan() : one.run()));
}

/** What {@link migrate} would do: the same as its `plan: true`. */
export function migrationPlan(
  pool: Pool,
  config: Omit<MigrateConfig, 'plan' | 'onStep'> = {},
): Promise<MigrationReport> {
  return migrate(pool, { ...config, plan: true });
}
