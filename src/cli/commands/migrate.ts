import { Command } from 'commander';
import { migrate } from '../../postgres/migrate/migrate.js';
import type { MigrationReport } from '../../postgres/migrate/migrator.js';
import type { Invocation } from '../invocation.js';
import { type StoreOptions, storeFolderOption, withStore } from '../withStore.js';

interface MigrateOptions extends StoreOptions {
  readonly plan?: boolean;
  readonly json?: true;
  readonly schema?: string;
}

/** `sluice migrate`: brings the tables of the store to the newest state. */
export function migrateCommand(invocation: Invocation): Command {
  return new Command('migrate')
    .summary('bring the tables of the store to the newest state')
    .description('Creates and changes the tables of the store, step by step, each in a transaction of its own.')
    .option('--plan', 'change nothing, and show what is missing')
    .option('--schema <name>', 'the schema of the tables, created if need be (default: that of the connection)')
    .addOption(storeFolderOption())
    .option(
      '--json',
      'one JSON document: { plan, schema, version, timescale, steps: [{ name, kind, what, sql }], notes }',
    )
    .action((options: MigrateOptions) => withStore(invocation, options, ({ pool }) => run(invocation, pool, options)));
}

type Pool = Parameters<typeof migrate>[0];

async function run(invocation: Invocation, pool: Pool, { plan = false, json, schema }: MigrateOptions): Promise<void> {
  const lines: Promise<void>[] = [];
  const report = await migrate(pool, {
    plan,
    ...(schema === undefined ? {} : { schema }),
    onStep({ what }) {
      // The migration goes on, whoever has stopped reading; that is told when it is over.
      if (!json) lines.push(invocation.print(what));
      lines.at(-1)?.catch(() => {});
    },
  });
  await Promise.all(lines);
  await invocation.print(json ? document(report, plan) : page(report, plan));
}

function document({ schema, version, timescale, steps, notes }: MigrationReport, plan: boolean): string {
  return JSON.stringify({ plan, schema, version, timescale: timescale ?? null, steps, notes }, undefined, 2);
}

function page({ schema, version, timescale, steps, notes }: MigrationReport, plan: boolean): string {
  const count = steps.length === 1 ? 'one step' : `${steps.length} steps`;
  const server = timescale === undefined ? 'plain Postgres' : `TimescaleDB ${timescale}`;
  const state = `schema ${JSON.stringify(schema)}, migration ${version}, ${server}`;
  const head =
    steps.length === 0
      ? `nothing is missing (${state})`
      : plan
        ? `${count} missing (${state}):`
        : `${count} done (${state})`;
  const missing = plan ? steps.map(({ what }) => `  ${what}`) : [];
  return [head, ...missing, ...notes.map((note) => `note: ${note}`)].join('\n');
}
