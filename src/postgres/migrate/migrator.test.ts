import { EventEmitter } from 'node:events';
import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { readOptions } from '../../primitives/options.js';
import { TIMESCALE_OPTIONS, type TimescaleConfig, timescaleSettings } from '../timescale/settings.js';
import { migrate } from './migrate.js';
import { isMigrationError } from './migrationError.js';
import { MIGRATIONS } from './migrations.js';
import { withMigrator } from './migrator.js';

/** A server that has nothing but what it is told to have, and remembers what it is asked. */
class RecordedServer extends EventEmitter {
  readonly options = {};
  readonly log: string[] = [];
  readonly applied: { version: number; name: string; checksum: string }[] = [];
  readonly views = new Set<string>();
  readonly releases: (boolean | undefined)[] = [];
  timescale: string | undefined;
  failures: { readonly at: RegExp; readonly error: object; times: number }[] = [];

  connect = async () =>
    Object.assign(new EventEmitter(), {
      query: async (text: string, values: readonly unknown[] = []) => ({ rows: this.#answer(text, values) }),
      release: (broken?: boolean) => {
        this.releases.push(broken);
      },
    });

  get pool(): pg.Pool {
    return this as EventEmitter as pg.Pool;
  }

  #answer(text: string, values: readonly unknown[]): object[] {
    this.log.push(text.trim().split('\n')[0]!);
    const failure = this.failures.find(({ at, times }) => times > 0 && at.test(text));
    if (failure) {
      failure.times -= 1;
      throw Object.assign(new Error('refused by the test'), failure.error);
    }
    if (text.includes('to_regnamespace($1) IS NOT NULL AS home')) return [{ home: true, record: true }];
    if (text.includes('IS NOT NULL AS there')) return [{ there: true }];
    if (text.startsWith('SELECT version, name, checksum')) return this.applied;
    if (text.startsWith('INSERT INTO')) {
      const [version, name, checksum] = values as [number, string, string];
      this.applied.push({ version, name, checksum });
    }
    if (text.includes('current_database()')) return [this.#server()];
    if (text.includes('pg_catalog.pg_class')) {
      return [...this.views].map((name) => ({ name, kind: 'v', comment: 'sluice rollup: made of the bars of 1m' }));
    }
    const view = /^CREATE VIEW "s"\."(\w+)"/.exec(text)?.[1];
    if (view) this.views.add(view);
    return [];
  }

  #server() {
    return {
      database: 'market',
      version: 'PostgreSQL 17.5',
      hasPublic: true,
      available: this.timescale ?? null,
      installed: null,
      schema: null,
      workers: this.timescale ? '16' : null,
      license: null,
      limit: null,
      limitsSet: 0,
    };
  }
}

const LIMITS = ["SELECT pg_backend_pid() AS pid, set_config('lock_timeout', $1, true),"];

const TWO = ['001_one', '002_two'].map((name, i) => ({
  version: i + 1,
  name,
  sql: `CREATE TABLE ${name} ()`,
  checksum: `sum of ${name}`,
}));
const migratorOf = (server: RecordedServer, onStep: (step: { name: string }) => void = () => {}) => {
  const timescale = timescaleSettings(
    readOptions<TimescaleConfig, typeof TIMESCALE_OPTIONS>('timescale', {}, TIMESCALE_OPTIONS),
  );
  const limits = { onWait() {}, lockTimeoutMs: 1_500, answerTimeoutMs: 1_000 };
  const config = { migrations: TWO, schema: 's', timescale, onStep, ...limits };
  return {
    run: () => withMigrator(server.pool, config, (migrator) => migrator.run()),
    plan: () => withMigrator(server.pool, config, (migrator) => migrator.plan()),
  };
};

describe('Migrator', () => {
  it('does each step in a transaction of its own, under the lock, in its schema, and looks before it acts', async () => {
    const server = new RecordedServer();
    await migratorOf(server).run();
    const lock = server.log.find((line) => line.includes('pg_advisory_xact_lock'))!;
    const steps = server.log
      .join('\n')
      .split('BEGIN\n')
      .slice(1)
      .map((step) => step.trim().split('\n'));
    for (const step of steps) {
      expect(step.slice(0, 3)).toEqual([...LIMITS, lock, 'SET LOCAL search_path TO "s"']);
      expect(step.at(-1)).toBe('COMMIT');
      expect(step.filter((line) => /^CREATE (TABLE|VIEW)/.test(line)).length).toBeLessThanOrEqual(1);
    }
    expect(steps[1]).toEqual([
      ...LIMITS,
      lock,
      'SET LOCAL search_path TO "s"',
      'SELECT to_regclass($1) IS NOT NULL AS there',
      'SELECT version, name, checksum FROM "s"."sluice_migrations" ORDER BY version',
      'CREATE TABLE 001_one ()',
      'INSERT INTO "s"."sluice_migrations" (version, name, checksum) VALUES ($1, $2, $3)',
      'COMMIT',
    ]);
    expect(server.releases).toEqual([false]);
  });

  it('goes on with views where the extension is refused, and says so', async () => {
    const server = new RecordedServer();
    server.timescale = '2.23.0';
    server.failures = [{ at: /^CREATE EXTENSION/, error: { code: '42501' }, times: 1 }];
    const report = await migratorOf(server).run();
    expect(report.steps.map(({ name }) => name)).toEqual([
      '001_one',
      '002_two',
      'bars_5m view',
      'bars_1h view',
      'bars_1d view',
    ]);
    expect(report.notes).toEqual([expect.stringContaining('let a superuser run CREATE EXTENSION timescaledb')]);
    expect(report.timescale).toBeUndefined();
    const refusal = server.log.findIndex((line) => line.startsWith('CREATE EXTENSION'));
    expect(server.log[refusal + 1]).toBe('ROLLBACK');
    expect(server.log.filter((line) => line.startsWith('CREATE EXTENSION'))).toHaveLength(1);
  });

  it('plans the extension and what follows from it, without a statement that writes', async () => {
    const server = new RecordedServer();
    server.timescale = '2.23.0';
    const { steps, timescale } = await migratorOf(server).plan();
    expect(steps.map(({ name }) => name).slice(0, 4)).toEqual([
      '001_one',
      '002_two',
      'create timescaledb',
      'bars hypertable',
    ]);
    expect(timescale).toBe('2.23.0');
    expect(server.log[0]).toBe('BEGIN READ ONLY');
    expect(server.log.filter((line) => !/^(SELECT|BEGIN READ ONLY|COMMIT)/.test(line))).toEqual([]);
  });

  it('tries again where another has made the same thing in the meantime, three times in all', async () => {
    const server = new RecordedServer();
    server.failures = [{ at: /^CREATE TABLE 001/, error: { code: '23505' }, times: 2 }];
    expect((await migratorOf(server).run()).steps[0]?.name).toBe('001_one');
    const stubborn = new RecordedServer();
    stubborn.failures = [{ at: /^CREATE TABLE 001/, error: { code: '42P07' }, times: 3 }];
    await expect(migratorOf(stubborn).run()).rejects.toMatchObject({
      code: 'SLUICE_MIGRATION_FAILED',
      step: '001_one',
    });
    expect(stubborn.applied).toEqual([]);
  });

  it('says what the server advises where a step fails, and keeps the connection', async () => {
    const server = new RecordedServer();
    const hint = 'Hypertable owner must have LOGIN permission to run background tasks.';
    server.failures = [{ at: /^CREATE VIEW/, error: { code: '28000', hint }, times: 1 }];
    const failure = await migratorOf(server)
      .run()
      .catch((error: unknown) => error);
    expect(isMigrationError(failure) && failure.message).toBe(
      `bars_5m view failed, and nothing of it is applied: Postgres reports 28000 (refused by the test): ${hint}`,
    );
    expect(server.releases).toEqual([false]);
  });

  it('gives up a connection that broke, and does not go on over it', async () => {
    const server = new RecordedServer();
    server.failures = [{ at: /^CREATE TABLE 002/, error: {}, times: 1 }];
    await expect(migratorOf(server).run()).rejects.toMatchObject({
      step: '002_two',
      message: expect.stringContaining('migrate again, which continues where it stopped'),
    });
    expect(server.log.at(-1)).toBe('CREATE TABLE 002_two ()');
    expect(server.releases).toEqual([true]);
  });

  it('does not do a step for ever that leaves no trace', async () => {
    const server = new RecordedServer();
    server.views.add = () => server.views;
    await expect(migratorOf(server).run()).rejects.toMatchObject({
      code: 'SLUICE_MIGRATION_FAILED',
      message: 'bars_5m view was applied but is still missing',
    });
  });

  it('tells of each step once it is committed', async () => {
    const server = new RecordedServer();
    const told: string[] = [];
    await migratorOf(server, ({ name }) => {
      expect(server.log.at(-1)).toBe('COMMIT');
      told.push(name);
    }).run();
    expect(told).toHaveLength(5);
  });
});

describe('migrate', () => {
  it.each([
    [{ schema: '' }, 'schema must be a name of 1 to 63 bytes, got ""'],
    [{ plan: 'yes' }, 'plan must be true or false'],
    [{ onStep: 5 }, 'onStep must be a function'],
    [{ timescale: { x: 1 } }, 'unknown option "x"'],
    [{ dryRun: true }, 'unknown option "dryRun"'],
  ])('refuses %j', async (config, message) => {
    await expect(migrate(new RecordedServer().pool, config as object)).rejects.toThrow(message);
  });

  it('refuses what is no pool', async () => {
    await expect(migrate({} as pg.Pool)).rejects.toThrow('the connect of its pool must be a function');
  });
});

describe('the migrations', () => {
  it('are numbered from one, with the texts that existing stores have recorded', () => {
    expect(MIGRATIONS.map(({ version, name, checksum }) => [version, name, checksum])).toEqual([
      [1, '001_bars', 'de9e6973ee1c7219c15173b2ce2b9a5a40aa4112d7b5a6a6e69eacf91a6572cd'],
      [2, '002_options_snap', '0e830d82550138cd41857493c8f99a109d22604d1ed0ab3e7caf07a46988a851'],
      [3, '003_news', '008b3716ee831cefb23a1350a58e49967bfb71fdf74fb8c30268d788426c22a7'],
      [4, '004_fundamentals', '7cf227c96b5bbc05cbdb3c1ed290b5d6fa30bd5e652cba1edcdf2b88aa98158b'],
      [5, '005_bar_details', '212b52f5f5c7bd94ec9dec65d96a9e8d0c513148bec2d9fb44c3af05938556b7'],
      [6, '006_trades', '4749f4ec90cc0e5d9227265aed4ec1f7f8848c390df06c53e06f6a1b175ab90a'],
      [7, '007_quotes', 'f1641f95148c9357e97009c0899a88e29c51e356606f5233f70bd6d70fe4ee19'],
      [8, '008_gaps', '3f19919c6d6ee162311ba318c59a26881adabae094e4aa54457e130b1aed4c30'],
    ]);
  });
});
