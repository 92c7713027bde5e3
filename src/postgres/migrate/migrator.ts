import { qualify, quoteIdentifier } from '../identifiers.js';
import type { Pool, PoolClient } from '../pool.js';
import { RECORD_TABLES } from '../recordTables.js';
import { borrow, inTransaction } from '../session.js';
import type { TableShape } from '../table.js';
import { readCatalogue, type StoreCatalogue } from '../timescale/catalogue.js';
import { HYPERTABLE_NAMES } from '../timescale/hypertables.js';
import { type FeaturePlan, planFeatures } from '../timescale/planFeatures.js';
import { ROLLUPS } from '../timescale/rollups.js';
import type { TimescaleSettings } from '../timescale/settings.js';
import { checkTable } from '../write/checkTable.js';
import { MigrationError } from './migrationError.js';
import type { Migration, MigrationReport, MigrationStep } from './migrations.js';
import { toMigrationError } from './toMigrationError.js';
import { underLock } from './underLock.js';

export interface MigratorConfig {
  readonly migrations: readonly Migration[];
  readonly schema: string | undefined;
  readonly timescale: TimescaleSettings;
  readonly onStep: (step: MigrationStep) => void;
}

interface FeatureOutcome {
  readonly plan: FeaturePlan;
  /** The step that was applied; undefined if none is missing, or if the right to it is. */
  readonly step: MigrationStep | undefined;
  readonly wasRefused: boolean;
}

/** A migration to apply. */
interface Due extends Migration {
  /** Whether it was applied before and its table is gone. */
  readonly isAgain: boolean;
}

interface Applied {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

const RECORD = 'sluice_migrations';

/** The table that each migration makes. If it is gone later, its migrations are applied again: all that change it are among them. */
const TABLES: ReadonlyMap<string, TableShape> = new Map(
  Object.values(RECORD_TABLES).map(({ migration, table }) => [migration, table]),
);

/**
 * Brings one schema to the newest state. Each step is one transaction that first takes the lock and then looks at what exists:
 * another process that migrates waits, and then finds the step applied. The lock ends with the transaction, even one that is
 * abandoned half-way, and works through a connection pooler.
 */
export class Migrator {
  readonly #pool: Pool;
  readonly #config: MigratorConfig;

  constructor(pool: Pool, config: MigratorConfig) {
    this.#pool = pool;
    this.#config = config;
  }

  /** Reports what is missing. Changes nothing and waits for no lock. */
  plan(): Promise<MigrationReport> {
    return this.#borrow(async (client) => {
      const schema = await this.#schemaOf(client);
      const look = async () => {
        const applied = await this.#applied(client, schema);
        const numbered = (await this.#missing(client, applied, schema)).map(stepOf);
        const features = await this.#features(client, schema, new Set());
        return this.#report(schema, [...numbered, ...features.steps.map(featureStep)], features, []);
      };
      return inTransaction(client, look, 'BEGIN READ ONLY').catch((error: unknown) => {
        throw toMigrationError(error, 'the plan');
      });
    });
  }

  run(): Promise<MigrationReport> {
    return this.#borrow(async (client) => {
      const schema = await this.#schemaOf(client);
      const steps: MigrationStep[] = [];
      const done = (step: MigrationStep | undefined) => {
        if (!step) return false;
        steps.push(step);
        this.#config.onStep(step);
        return true;
      };
      await this.#makeRecord(client, schema);
      while (done(await this.#nextNumbered(client, schema)));

      const refused = new Map<string, string>();
      let next: FeatureOutcome;
      do {
        next = await this.#nextFeature(client, schema, refused, new Set(steps.map(({ name }) => name)));
      } while (done(next.step) || next.wasRefused);
      return this.#report(schema, steps, next.plan, [...refused.values()]);
    });
  }

  #borrow<R>(use: (client: PoolClient) => Promise<R>): Promise<R> {
    return borrow(this.#pool, use).catch((error: unknown) => {
      throw toMigrationError(error, undefined);
    });
  }

  #report(schema: string, steps: MigrationStep[], features: FeaturePlan, refusals: string[]): MigrationReport {
    return {
      schema,
      version: this.#config.migrations.length,
      steps,
      timescale: features.timescale,
      notes: [...features.notes, ...refusals],
    };
  }

  async #schemaOf(client: PoolClient): Promise<string> {
    if (this.#config.schema !== undefined) return this.#config.schema;
    const { rows } = await client.query<{ schema: string | null }>('SELECT current_schema()::text AS schema');
    const schema = rows[0]?.schema;
    if (typeof schema === 'string') return schema;
    throw new MigrationError(
      'SLUICE_MIGRATION_SCHEMA',
      'the search_path of this user names no existing schema: pass the name of a schema, or set search_path',
    );
  }

  /** Schema and record. Looked up first: a user who may not create them can still migrate if they exist. */
  async #makeRecord(client: PoolClient, schema: string): Promise<void> {
    const home = quoteIdentifier(schema);
    const record = recordOf(schema);
    await underLock(
      client,
      schema,
      () => 'the record of migrations',
      async () => {
        const { rows } = await client.query<{ home: boolean; record: boolean }>(
          'SELECT to_regnamespace($1) IS NOT NULL AS home, to_regclass($2) IS NOT NULL AS record',
          [home, record],
        );
        if (!rows[0]?.home) await client.query(`CREATE SCHEMA IF NOT EXISTS ${home}`);
        if (rows[0]?.record) return;
        await client.query(
          `CREATE TABLE IF NOT EXISTS ${record} (version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, ` +
            'applied_at timestamptz NOT NULL DEFAULT now())',
        );
      },
    );
  }

  async #applied(client: PoolClient, schema: string): Promise<readonly Applied[]> {
    const record = recordOf(schema);
    const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [record]);
    if (!rows[0]?.there) return [];
    return (await client.query<Applied>(`SELECT version, name, checksum FROM ${record} ORDER BY version`)).rows;
  }

  /** Migrations not applied yet, or whose table is gone; refuses a database that this program does not understand. */
  async #missing(client: PoolClient, applied: readonly Applied[], schema: string): Promise<Due[]> {
    const { migrations } = this.#config;
    const newest = applied.at(-1);
    if (newest && newest.version > migrations.length) {
      throw new MigrationError(
        'SLUICE_MIGRATION_NEWER',
        `the schema ${quoteIdentifier(schema)} is at migration ${newest.name}, and this program knows ` +
          `${migrations.length} of them, up to ${migrations.at(-1)?.name}: use the newer program that migrated it`,
      );
    }
    for (const { version, name, checksum } of applied) {
      const known = migrations[version - 1];
      if (known?.name === name && known.checksum === checksum) continue;
      const found = known?.name === name ? 'with another text' : `as ${known?.name ?? 'no migration'}`;
      throw new MigrationError(
        'SLUICE_MIGRATION_CHANGED',
        `migration ${name} was applied to the schema ${quoteIdentifier(schema)}, but this program has it ${found}: use ` +
          'the program that migrated it; a released migration is never edited, another one is added',
        { step: name },
      );
    }
    const gone = await this.#gone(client, applied, schema);
    const numbers = new Set(applied.map(({ version }) => version));
    return migrations
      .filter(({ version, name }) => !numbers.has(version) || gone.has(name))
      .map((migration) => ({ ...migration, isAgain: numbers.has(migration.version) }));
  }

  /** A table may have been dropped, or be missing from a restored backup: the record alone would not tell. */
  async #gone(client: PoolClient, applied: readonly Applied[], schema: string): Promise<ReadonlySet<string>> {
    const names = applied.map(({ name }) => name).filter((name) => TABLES.has(name));
    if (names.length === 0) return new Set();
    const { rows } = await client.query<{ name: string }>(
      'SELECT name FROM unnest($1::text[], $2::text[]) AS made (name, relation) WHERE to_regclass(relation) IS NULL',
      [names, names.map((name) => qualify(TABLES.get(name)!.name, schema))],
    );
    return new Set(rows.map(({ name }) => name));
  }

  async #nextNumbered(client: PoolClient, schema: string): Promise<MigrationStep | undefined> {
    let name = 'the next migration';
    return underLock(
      client,
      schema,
      () => name,
      async () => {
        const [next] = await this.#missing(client, await this.#applied(client, schema), schema);
        if (!next) return undefined;
        name = next.name;
        await client.query(next.sql);
        const table = TABLES.get(next.name);
        if (table) await checkTable(client, table, qualify(table.name, schema));
        if (next.isAgain) return stepOf(next);
        await client.query(`INSERT INTO ${recordOf(schema)} (version, name, checksum) VALUES ($1, $2, $3)`, [
          next.version,
          next.name,
          next.checksum,
        ]);
        return stepOf(next);
      },
    );
  }

  async #nextFeature(
    client: PoolClient,
    schema: string,
    refused: Map<string, string>,
    done: ReadonlySet<string>,
  ): Promise<FeatureOutcome> {
    let plan: FeaturePlan | undefined;
    let name = 'reading what the server offers';
    let withoutIt: string | undefined;
    try {
      const step = await underLock(
        client,
        schema,
        () => name,
        async () => {
          withoutIt = undefined;
          plan = await this.#features(client, schema, new Set(refused.keys()));
          const next = plan.steps.find((one) => !refused.has(one.name));
          if (!next) return undefined;
          name = next.name;
          withoutIt = next.withoutIt;
          if (done.has(name)) {
            throw new MigrationError('SLUICE_MIGRATION_FAILED', `${name} was applied but is still missing`, {
              step: name,
            });
          }
          for (const statement of next.statements) await client.query(statement);
          return featureStep(next);
        },
      );
      return { plan: plan!, step, wasRefused: false };
    } catch (error) {
      const isPermission = error instanceof MigrationError && error.code === 'SLUICE_MIGRATION_PERMISSION';
      if (!isPermission || withoutIt === undefined || !plan) throw error;
      refused.set(name, withoutIt);
      return { plan, step: undefined, wasRefused: true };
    }
  }

  async #features(client: PoolClient, schema: string, refused: ReadonlySet<string>): Promise<FeaturePlan> {
    const catalogue: StoreCatalogue = await readCatalogue(client, schema, quoteIdentifier(schema), {
      hypertables: HYPERTABLE_NAMES,
      rollups: ROLLUPS.map(({ name }) => name),
    });
    return planFeatures(catalogue, this.#config.timescale, schema, refused);
  }
}

function recordOf(schema: string): string {
  return qualify(RECORD, schema);
}

function stepOf({ name, sql, isAgain }: Due): MigrationStep {
  const what = isAgain ? `recreate the table of ${name}, which is gone` : `apply ${name}`;
  return { name, kind: 'numbered', what, sql };
}

function featureStep({ name, what, statements }: FeaturePlan['steps'][number]): MigrationStep {
  return { name, kind: 'feature', what, sql: `${statements.join(';\n')};` };
}
