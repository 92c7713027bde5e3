import { qualify, quoteIdentifier } from '../identifiers.js';
import type { Pool, PoolClient } from '../pool.js';
import { type MadeTable, RECORD_TABLES } from '../recordTables.js';
import { borrow } from '../session.js';
import type { TableShape } from '../table.js';
import { readCatalogue } from '../timescale/catalogue.js';
import type { FeatureStep } from '../timescale/featureStep.js';
import { HYPERTABLE_NAMES } from '../timescale/hypertables.js';
import { type FeaturePlan, planFeatures } from '../timescale/planFeatures.js';
import { DAILY, ROLLUPS } from '../timescale/rollups.js';
import type { TimescaleSettings } from '../timescale/settings.js';
import { checkTable } from '../write/checkTable.js';
import { MigrationError } from './migrationError.js';
import type { Migration, MigrationReport, MigrationStep } from './migrations.js';
import { outsideTransaction } from './outsideTransaction.js';
import { StatementWatch } from './statementWatch.js';
import { toMigrationError } from './toMigrationError.js';
import { underLock, withinLimits } from './underLock.js';

export interface MigratorConfig {
  readonly migrations: readonly Migration[];
  readonly schema: string | undefined;
  readonly timescale: TimescaleSettings;
  readonly onStep: (step: MigrationStep) => void;
  readonly onWait: (message: string) => void;
  readonly lockTimeoutMs: number;
  readonly answerTimeoutMs: number;
}

/** A migration to apply. */
interface Due extends Migration {
  /** Whether it was applied before and its table is gone. */
  readonly isAgain: boolean;
}

type Applied = Pick<Migration, 'version' | 'name' | 'checksum'>;

/** What a migration does to a table of ours. */
interface Made {
  /** What the table must look like after it. */
  readonly table: TableShape;
  /** The columns that it adds to the table; none if it makes it. */
  readonly adds: readonly string[];
}

/** By the name of the migration. If what it made is gone later, it is applied again. */
const MADE: ReadonlyMap<string, Made> = new Map(Object.values(RECORD_TABLES).flatMap((made) => madeOf(made)));

function madeOf({ table, migration, additions = {} }: MadeTable): (readonly [string, Made])[] {
  const steps: (readonly [string, readonly string[]])[] = [[migration, []], ...Object.entries(additions)];
  return steps.map(([name, adds], i) => {
    const later = steps.slice(i + 1).flatMap(([, columns]) => columns);
    const columns = table.columns.filter((column) => !later.includes(column.name));
    return [name, { table: { ...table, columns }, adds }];
  });
}

const GONE = `
  SELECT name FROM json_to_recordset($1::json) AS made (name text, relation text, columns text[])
   WHERE to_regclass(relation) IS NULL
      OR EXISTS (SELECT FROM unnest(columns) AS wanted
                  WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute
                                     WHERE attrelid = to_regclass(relation) AND attname = wanted AND NOT attisdropped))`;

/** Lends a connection of the pool to a {@link Migrator} of the schema. */
export async function withMigrator<R>(
  pool: Pool,
  config: MigratorConfig,
  use: (migrator: Migrator) => Promise<R>,
): Promise<R> {
  try {
    return await borrow(pool, async (client) => {
      const watch = new StatementWatch(client, { ...config, pool });
      return use(new Migrator(watch, config.schema ?? (await currentSchema(watch.client)), config));
    });
  } catch (error) {
    throw toMigrationError(error, undefined);
  }
}

async function currentSchema(client: PoolClient): Promise<string> {
  const { rows } = await client.query<{ schema: string | null }>('SELECT current_schema()::text AS schema');
  const schema = rows[0]?.schema;
  if (typeof schema === 'string') return schema;
  throw new MigrationError(
    'SLUICE_MIGRATION_SCHEMA',
    'the search_path of this user names no existing schema: pass the name of a schema, or set search_path',
  );
}

/**
 * Brings one schema to the newest state. Each step is one transaction that first takes the lock and then looks at what exists:
 * another process that migrates waits, and then finds the step applied. The lock ends with the transaction, even one that is
 * abandoned half-way, and works through a connection pooler.
 */
class Migrator {
  readonly #watch: StatementWatch;
  readonly #client: PoolClient;
  readonly #schema: string;
  readonly #record: string;
  readonly #config: MigratorConfig;
  /** The steps whose statements outside of a transaction are done. */
  readonly #prepared = new Set<string>();
  /** The notes to leave for steps that this user has no right to, by their names. */
  readonly #refused = new Map<string, string>();

  constructor(watch: StatementWatch, schema: string, config: MigratorConfig) {
    this.#watch = watch;
    this.#client = watch.client;
    this.#schema = schema;
    this.#record = qualify('sluice_migrations', schema);
    this.#config = config;
  }

  /** Reports what is missing. Changes nothing and waits for no lock. */
  async plan(): Promise<MigrationReport> {
    const look = async () => {
      const numbered = (await this.#missing()).map(stepOf);
      const features = await this.#features();
      return this.#report([...numbered, ...features.steps.map(featureStep)], features);
    };
    try {
      return await withinLimits(this.#watch, () => 'the plan', look, 'BEGIN READ ONLY');
    } catch (error) {
      throw toMigrationError(error, 'the plan');
    }
  }

  async run(): Promise<MigrationReport> {
    const steps: MigrationStep[] = [];
    const done = (step: MigrationStep) => {
      steps.push(step);
      this.#config.onStep(step);
    };
    await this.#makeRecord();
    for (let step = await this.#nextNumbered(); step; step = await this.#nextNumbered()) done(step);
    for (;;) {
      const { plan, next, isApplied } = await this.#nextFeature(steps);
      if (!next) return this.#report(steps, plan);
      if (isApplied) done(featureStep(next));
      else if (!this.#refused.has(next.name)) await this.#prepare(next);
    }
  }

  #report(steps: readonly MigrationStep[], { timescale, notes }: FeaturePlan): MigrationReport {
    const version = this.#config.migrations.length;
    return { schema: this.#schema, version, steps, timescale, notes: [...notes, ...this.#refused.values()] };
  }

  /** Schema and record. Looked up first: a user who may not create them can still migrate if they exist. */
  async #makeRecord(): Promise<void> {
    const home = quoteIdentifier(this.#schema);
    const make = async () => {
      const { rows } = await this.#client.query<{ home: boolean; record: boolean }>(
        'SELECT to_regnamespace($1) IS NOT NULL AS home, to_regclass($2) IS NOT NULL AS record',
        [home, this.#record],
      );
      if (!rows[0]?.home) await this.#client.query(`CREATE SCHEMA IF NOT EXISTS ${home}`);
      if (rows[0]?.record) return;
      await this.#client.query(
        `CREATE TABLE IF NOT EXISTS ${this.#record} (version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, ` +
          'applied_at timestamptz NOT NULL DEFAULT now())',
      );
    };
    await underLock(this.#watch, this.#schema, () => 'the record of migrations', make);
  }

  async #applied(): Promise<readonly Applied[]> {
    const { rows } = await this.#client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
      this.#record,
    ]);
    if (!rows[0]?.there) return [];
    const applied = `SELECT version, name, checksum FROM ${this.#record} ORDER BY version`;
    return (await this.#client.query<Applied>(applied)).rows;
  }

  /** Migrations not applied yet, or whose table is gone; refuses a database that this program does not understand. */
  async #missing(): Promise<Due[]> {
    const { migrations } = this.#config;
    const schema = quoteIdentifier(this.#schema);
    const applied = await this.#applied();
    const newest = applied.at(-1);
    if (newest && newest.version > migrations.length) {
      throw new MigrationError(
        'SLUICE_MIGRATION_NEWER',
        `the schema ${schema} is at migration ${newest.name}, and this program knows ` +
          `${migrations.length} of them, up to ${migrations.at(-1)?.name}: use the newer program that migrated it`,
      );
    }
    for (const { version, name, checksum } of applied) {
      const known = migrations[version - 1];
      if (known?.name === name && known.checksum === checksum) continue;
      const found = known?.name === name ? 'with another text' : `as ${known?.name ?? 'no migration'}`;
      throw new MigrationError(
        'SLUICE_MIGRATION_CHANGED',
        `migration ${name} was applied to the schema ${schema}, but this program has it ${found}: use ` +
          'the program that migrated it; a released migration is never edited, another one is added',
        { step: name },
      );
    }
    const gone = await this.#gone(applied);
    const numbers = new Set(applied.map(({ version }) => version));
    return migrations
      .filter(({ version, name }) => !numbers.has(version) || gone.has(name))
      .map((migration) => ({ ...migration, isAgain: numbers.has(migration.version) }));
  }

  /**
   * A table may have been dropped, or be missing from a restored backup, or an older program may have made it anew, without the
   * columns that came later: the record alone would not tell.
   */
  async #gone(applied: readonly Applied[]): Promise<ReadonlySet<string>> {
    const made = applied.flatMap(({ name }) => {
      const { table, adds } = MADE.get(name) ?? {};
      return table && adds ? [{ name, relation: qualify(table.name, this.#schema), columns: adds }] : [];
    });
    if (made.length === 0) return new Set();
    const { rows } = await this.#client.query<{ name: string }>(GONE, [JSON.stringify(made)]);
    return new Set(rows.map(({ name }) => name));
  }

  async #nextNumbered(): Promise<MigrationStep | undefined> {
    let step = 'the next migration';
    const apply = async () => {
      const [next] = await this.#missing();
      if (!next) return undefined;
      const { version, name, sql, checksum, isAgain } = next;
      step = name;
      await this.#client.query(sql);
      const { table } = MADE.get(name) ?? {};
      if (table) await checkTable(this.#client, table, qualify(table.name, this.#schema));
      const record = `INSERT INTO ${this.#record} (version, name, checksum) VALUES ($1, $2, $3)`;
      if (!isAgain) await this.#client.query(record, [version, name, checksum]);
      return stepOf(next);
    };
    return underLock(this.#watch, this.#schema, () => step, apply);
  }

  /**
   * Applies the next step that the server offers, or notes that this user has no right to it. A step with statements that cannot be
   * part of a transaction is only found, and applied once they are done.
   */
  async #nextFeature(done: readonly MigrationStep[]) {
    let plan: FeaturePlan | undefined;
    let next: FeatureStep | undefined;
    const apply = async () => {
      next = undefined;
      plan = await this.#features();
      next = plan.steps.find(({ name }) => !this.#refused.has(name));
      if (!next || (next.before && !this.#prepared.has(next.name))) return { plan, next, isApplied: false };
      const { name: step, statements } = next;
      if (done.some(({ name }) => name === step)) {
        throw new MigrationError('SLUICE_MIGRATION_FAILED', `${step} was applied but is still missing`, { step });
      }
      for (const statement of statements) await this.#client.query(statement);
      return { plan, next, isApplied: true };
    };
    try {
      return await underLock(this.#watch, this.#schema, () => next?.name ?? 'reading what the server offers', apply);
    } catch (error) {
      const isPermission = error instanceof MigrationError && error.code === 'SLUICE_MIGRATION_PERMISSION';
      if (!isPermission || next?.withoutIt === undefined || !plan) throw error;
      this.#refused.set(next.name, next.withoutIt);
      return { plan, next, isApplied: false };
    }
  }

  async #prepare({ name, what, before = [] }: FeatureStep): Promise<void> {
    this.#config.onWait(`${what}: all that is there first, which may take a while`);
    await outsideTransaction(this.#watch, name, before);
    this.#prepared.add(name);
  }

  async #features(): Promise<FeaturePlan> {
    const catalogue = await readCatalogue(this.#client, this.#schema, quoteIdentifier(this.#schema), {
      hypertables: HYPERTABLE_NAMES,
      rollups: ROLLUPS.map(({ name }) => name),
      daily: DAILY,
    });
    return planFeatures(catalogue, this.#config.timescale, this.#schema, new Set(this.#refused.keys()));
  }
}

function stepOf({ name, sql, isAgain }: Due): MigrationStep {
  const again = MADE.get(name)?.adds.length
    ? `apply ${name} again, whose columns are gone`
    : `recreate the table of ${name}, which is gone`;
  const what = isAgain ? again : `apply ${name}`;
  return { name, kind: 'numbered', what, sql };
}

function featureStep({ name, what, before = [], statements }: FeatureStep): MigrationStep {
  return { name, kind: 'feature', what, sql: `${[...before, ...statements].join(';\n')};` };
}
