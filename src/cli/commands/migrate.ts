import { Command } from 'commander';
import { migrate } from '../../postgres/migrate/migrate.js';
import type { MigrationReport } from '../../postgres/migrate/migrations.js';
import type { Days } from '../../postgres/timescale/days.js';
import { MAX_TIMER_MS } from '../../primitives/timer.js';
import type { CommandContext } from '../commandContext.js';
import { days, positive } from '../parsers.js';
import { type StoreOptions, storeFolderOption, withStore } from '../withStore.js';

interface MigrateOptions extends StoreOptions {
  readonly plan?: boolean;
  readonly json?: true;
  readonly schema?: string;
  readonly days?: Days;
  readonly lockTimeout: number;
}

/** `sluice migrate`: brings the tables of the store up to date. */
export function migrateCommand(context: CommandContext): Command {
  return new Command('migrate')
    .summary('bring the tables of the store up to date')
    .description('Creates and alters the tables of the store, each step in its own transaction.')
    .option('--plan', 'show the missing steps and change nothing')
    .option('--schema <name>', 'the schema of the tables, created if missing (default: that of the connection)')
    .option(
      '--days <zone[@time]>',
      'the days of bars_1d: America/New_York, or America/New_York@17:00 (default: as in the store, UTC in a new one)',
      days,
    )
    .option('--lock-timeout <seconds>', 'wait no longer for a lock of another session', positive, 60)
    .addOption(storeFolderOption())
    .option(
      '--json',
      'print one JSON document: { plan, schema, version, timescale, steps: [{ name, kind, what, sql }], notes }',
    )
    .action((options: MigrateOptions) => withStore(context, options, ({ pool }) => run(context, pool, options)));
}

type Pool = Parameters<typeof migrate>[0];

async function run(context: CommandContext, pool: Pool, options: MigrateOptions): Promise<void> {
  const { plan = false, json, schema, days: asked, lockTimeout } = options;
  const lines: Promise<void>[] = [];
  const report = await migrate(pool, {
    plan,
    ...(schema === undefined ? {} : { schema }),
    ...(asked === undefined ? {} : { days: asked }),
    lockTimeoutMs: Math.min(Math.ceil(lockTimeout * 1_000), MAX_TIMER_MS),
    onStep({ what }) {
      // The migration continues if the output closes; the error surfaces at the end.
      if (!json) lines.push(context.print(what));
      lines.at(-1)?.catch(() => {});
    },
    onWait(message) {
      context.report(message).catch(() => {});
    },
  });
  await Promise.all(lines);
  await context.print(json ? document(report, plan) : page(report, plan));
}

function document({ schema, version, timescale, steps, notes }: MigrationReport, plan: boolean): string {
  return JSON.stringify({ plan, schema, version, timescale: timescale ?? null, steps, notes }, undefined, 2);
}

function page({ schema, version, timescale, steps, notes }: MigrationReport, plan: boolean): string {
  const count = steps.length === 1 ? '1 step' : `${steps.length} steps`;
  const server = timescale === undefined ? 'plain Postgres' : `TimescaleDB ${timescale}`;
  const state = `schema ${JSON.stringify(schema)}, migration ${version}, ${server}`;
  const head =
    steps.length === 0 ? `up to date (${state})` : plan ? `${count} missing (${state}):` : `${count} done (${state})`;
  const missing = plan ? steps.map(({ what }) => `  ${what}`) : [];
  return [head, ...missing, ...notes.map((note) => `note: ${note}`)].join('\n');
}
