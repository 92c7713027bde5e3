import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { lastValueFrom, toArray } from 'rxjs';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type MigrateConfig, migrate, migrationPlan } from '../../src/postgres/migrate/migrate.js';
import { MIGRATIONS } from '../../src/postgres/migrate/migrations.js';
import { bars } from '../../src/postgres/read/bars.js';
import {
  barsTable,
  fundamentalsTable,
  gapsTable,
  newsTable,
  optionsTable,
  quotesTable,
  tradesTable,
} from '../../src/postgres/recordTables.js';
import type { Table } from '../../src/postgres/table.js';
import { checkTable } from '../../src/postgres/write/checkTable.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { embeddedStore } from '../postgres/embeddedStore.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { bar, barsOf, storedBars, write } from './bars.js';
import { foldNaively, minuteBars, startOfDay } from './rollups.js';

const SCHEMA = 'Market "data"';
const QUOTED = '"Market ""data"""';
const NUMBERED = [
  ...['001_bars', '002_options_snap', '003_news', '004_fundamentals'],
  ...['005_bar_details', '006_trades', '007_quotes', '008_gaps'],
];
const VIEWS = ['bars_5m view', 'bars_1h view', 'bars_1d view'];

const names = ({ steps }: { readonly steps: readonly { readonly name: string }[] }) => steps.map(({ name }) => name);

/** Everything that makes up the tables and views of a schema. */
async function shapeOf(pool: pg.Pool, schema: string): Promise<unknown> {
  const columns = await pool.query(
    `SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default FROM information_schema.columns
      WHERE table_schema = $1 ORDER BY table_name, ordinal_position`,
    [schema],
  );
  const indexes = await pool.query('SELECT tablename, indexname FROM pg_indexes WHERE schemaname = $1 ORDER BY 1, 2', [
    schema,
  ]);
  return [columns.rows, indexes.rows];
}

/** Migrates in a process of its own, from the sources as they are. */
const PROGRAM = `
  import pg from 'pg';
  import { runnerImport } from 'vite';
  const [url, schema] = process.argv.slice(1);
  const { module } = await runnerImport(${JSON.stringify(fileURLToPath(new URL('../../src/postgres/migrate/migrate.ts', import.meta.url)))});
  const pool = new pg.Pool({ connectionString: url });
  const { steps } = await module.migrate(pool, { schema });
  console.log(JSON.stringify(steps.map(({ name }) => name)));
  await pool.end();
`;

function semantics(poolOf: () => pg.Pool): void {
  let pool: pg.Pool;
  const config: MigrateConfig = { schema: SCHEMA };
  beforeEach(async () => {
    pool = poolOf();
    await pool.query(`DROP SCHEMA IF EXISTS ${QUOTED} CASCADE`);
  });

  it('brings an empty database to the newest state, step by step', async () => {
    const told: string[] = [];
    const report = await migrate(pool, { ...config, onStep: ({ name }) => told.push(name) });
    expect(names(report)).toEqual([...NUMBERED, ...VIEWS]);
    expect(told).toEqual(names(report));
    expect(report).toMatchObject({ schema: SCHEMA, version: 8, timescale: undefined, notes: [] });
    const { rows } = await pool.query(
      `SELECT version, name, checksum FROM ${QUOTED}.sluice_migrations ORDER BY version`,
    );
    expect(rows).toEqual(MIGRATIONS.map(({ version, name, checksum }) => ({ version, name, checksum })));
  });

  it('finds nothing to do at the second run', async () => {
    await migrate(pool, config);
    const shape = await shapeOf(pool, SCHEMA);
    expect(names(await migrate(pool, config))).toEqual([]);
    expect(names(await migrationPlan(pool, config))).toEqual([]);
    expect(await shapeOf(pool, SCHEMA)).toEqual(shape);
  });

  it('plans without a trace what it then does', async () => {
    const plan = await migrationPlan(pool, config);
    expect(await shapeOf(pool, SCHEMA)).toEqual([[], []]);
    expect((await pool.query('SELECT to_regnamespace($1) AS found', [QUOTED])).rows[0].found).toBeNull();
    expect(plan.steps).toEqual((await migrate(pool, config)).steps);
    expect(plan.steps[0]?.sql).toContain('CREATE TABLE IF NOT EXISTS bars');
  });

  const made = async <T>({ name, columns, ...table }: Table<T>) => {
    await migrate(pool, config);
    const client = await pool.connect();
    try {
      await checkTable(client, { ...table, name, columns }, `${QUOTED}."${name}"`);
    } finally {
      client.release();
    }
    const { rows } = await pool.query<{ name: string; nullable: string }>(
      `SELECT column_name AS name, is_nullable AS nullable FROM information_schema.columns
        WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position`,
      [SCHEMA, name],
    );
    expect(rows).toEqual(columns.map((column) => ({ name: column.name, nullable: column.nullable ? 'YES' : 'NO' })));
  };
  it.each([
    ['bars', () => made(barsTable)],
    ['options_snap', () => made(optionsTable)],
    ['news', () => made(newsTable)],
    ['fundamentals', () => made(fundamentalsTable)],
    ['trades', () => made(tradesTable)],
    ['quotes', () => made(quotesTable)],
    ['gaps', () => made(gapsTable)],
  ])('makes %s as its sink needs it, null where the sink writes null', (_name, check) => check());

  it('takes over a table that barsSink made, with its rows, and barsSink goes on writing', async () => {
    const sink = barsSink(pool, { schema: SCHEMA });
    await write(sink, barsOf(10));
    await migrate(pool, config);
    expect(await storedBars(pool, `${QUOTED}.bars`)).toHaveLength(10);
    const late = barsSink(pool, { schema: SCHEMA, createTable: false });
    expect(await write(late, barsOf(12))).toEqual({ rows: 2 });
  });

  it('refuses a table of another shape, and leaves it and the record as they were', async () => {
    await migrate(pool, config);
    await pool.query(`DELETE FROM ${QUOTED}.sluice_migrations WHERE version = 3`);
    await pool.query(
      `DROP TABLE ${QUOTED}.news; CREATE TABLE ${QUOTED}.news (id int, published_at date, symbols int[])`,
    );
    await expect(migrate(pool, config)).rejects.toMatchObject({
      name: 'MigrationError',
      code: 'SLUICE_MIGRATION_TABLE',
      step: '003_news',
      message: expect.stringMatching(
        /^003_news cannot take over the existing table \(the table .*lacks columns: add "vendor" text/,
      ),
    });
    expect((await pool.query(`SELECT count(*)::int AS n FROM ${QUOTED}.sluice_migrations`)).rows[0].n).toBe(7);
    expect(
      (await pool.query('SELECT indexname FROM pg_indexes WHERE schemaname = $1 AND tablename = $2', [SCHEMA, 'news']))
        .rows,
    ).toEqual([]);
  });

  it('refuses a view or table of the same name that it did not make', async () => {
    await pool.query(`CREATE SCHEMA ${QUOTED}; CREATE VIEW ${QUOTED}.bars_1h AS SELECT 1 AS mine`);
    await expect(migrate(pool, config)).rejects.toMatchObject({
      code: 'SLUICE_MIGRATION_TABLE',
      message: expect.stringContaining(`${QUOTED}."bars_1h" exists already and was not made by Sluice`),
    });
    expect((await pool.query(`SELECT mine FROM ${QUOTED}.bars_1h`)).rows).toEqual([{ mine: 1 }]);
  });

  it('refuses a database that is newer than the program', async () => {
    await migrate(pool, config);
    await pool.query(`INSERT INTO ${QUOTED}.sluice_migrations VALUES (9, '009_signals', 'x')`);
    for (const run of [migrate, migrationPlan]) {
      await expect(run(pool, config)).rejects.toMatchObject({
        code: 'SLUICE_MIGRATION_NEWER',
        message: expect.stringMatching(/is at migration 009_signals, and this program knows 8 of them.*newer program/),
      });
    }
  });

  it.each([
    ['another text', "checksum = 'other'", /migration 002_options_snap was applied .* with another text/],
    ['another name', "name = '002_quotes'", /migration 002_quotes was applied .* as 002_options_snap/],
  ])('refuses %s of a migration that was applied', async (_what, change, message) => {
    await migrate(pool, config);
    await pool.query(`UPDATE ${QUOTED}.sluice_migrations SET ${change} WHERE version = 2`);
    await expect(migrate(pool, config)).rejects.toMatchObject({
      code: 'SLUICE_MIGRATION_CHANGED',
      message: expect.stringMatching(message),
    });
  });

  it('makes again a view that is gone', async () => {
    await migrate(pool, config);
    await pool.query(`DROP VIEW ${QUOTED}.bars_1h`);
    expect(names(await migrate(pool, config))).toEqual(['bars_1h view']);
  });

  it('makes again a table that is gone, and what is built on it, and plans so', async () => {
    await migrate(pool, config);
    await write(barsSink(pool, { schema: SCHEMA }), barsOf(3));
    await pool.query(`DROP TABLE ${QUOTED}.bars, ${QUOTED}.news CASCADE`);
    const plan = await migrationPlan(pool, config);
    expect(plan.steps.map(({ what }) => what)).toEqual([
      'recreate the table of 001_bars, which is gone',
      'recreate the table of 003_news, which is gone',
      'apply 005_bar_details again, whose columns are gone',
      ...['5m', '1h', '1d'].map((timeframe) => `make bars_${timeframe} a view of the bars of 1m`),
    ]);
    expect((await migrate(pool, config)).steps).toEqual(plan.steps);
    expect(names(await migrate(pool, config))).toEqual([]);
    expect(await storedBars(pool, `${QUOTED}.bars`)).toEqual([]);
    const { rows } = await pool.query(`SELECT version FROM ${QUOTED}.sluice_migrations ORDER BY version`);
    expect(rows.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  /** A session in another zone than that of the server, which stays so in the pool. */
  const moveSession = async () => {
    const client = await pool.connect();
    try {
      await client.query("SET TIME ZONE 'Asia/Kolkata'");
    } finally {
      client.release();
    }
  };

  it.each([
    { timeZone: 'America/New_York', startsAt: '17:00' },
    { timeZone: 'Asia/Kolkata', startsAt: '09:15' },
    { timeZone: 'Australia/Lord_Howe', startsAt: '00:00' },
  ])('makes days of a zone as its clocks do, wherever the session is, and keeps them: %j', async (days) => {
    const hours = Array.from({ length: 24 * 366 }, (_, i) =>
      bar({ ts: Date.UTC(2024, 0, 1, 0, 5) + i * 3_600_000, close: i }),
    );
    await write(barsSink(pool, { schema: SCHEMA }), hours);
    await migrate(pool, config);
    await moveSession();
    expect(names(await migrate(pool, { ...config, days }))).toEqual(['bars_1d view']);
    const read = () =>
      lastValueFrom(
        bars(pool, { schema: SCHEMA, table: 'bars_1d', symbols: ['ACME'], timeframe: '1d' }).pipe(toArray()),
      );
    expect(await read()).toEqual(foldNaively(hours, '1d', 'test', startOfDay(days)));
    for (const same of [config, { ...config, days }]) expect(names(await migrate(pool, same))).toEqual([]);
    expect(names(await migrate(pool, { ...config, days: { timeZone: 'UTC' } }))).toEqual(['bars_1d view']);
    expect(await read()).toEqual(foldNaively(hours, '1d', 'test'));
  });

  it.each(['5m', '1h', '1d'])('makes of the bars of one minute what a naive fold does: %s', async (timeframe) => {
    await migrate(pool, config);
    const minutes = minuteBars();
    await write(barsSink(pool, { schema: SCHEMA }), [...minutes, ...barsOf(3, { timeframe: '5m' })]);
    const table = `bars_${timeframe}`;
    // Buckets are in UTC.
    await moveSession();
    for (const vendor of ['v', 'w']) {
      const symbols = ['A', 'B'];
      const read = await lastValueFrom(
        bars(pool, { schema: SCHEMA, table, symbols, vendor, timeframe, pageSize: 50 }).pipe(toArray()),
      );
      expect(read).toEqual(foldNaively(minutes, timeframe, vendor));
    }
    const columns = await pool.query(
      `SELECT column_name, udt_name FROM information_schema.columns
        WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position`,
      [SCHEMA, table],
    );
    expect(columns.rows.map(({ column_name, udt_name }) => `${column_name} ${udt_name}`)).toEqual(
      barsTable.columns.filter(({ nullable }) => !nullable).map(({ name, type }) => `${name} ${type}`),
    );
  });
}

describe('a Postgres server', () => {
  const database = freshDatabase();
  let pool: pg.Pool;
  beforeAll(() => {
    pool = database.pool({ max: 4 });
  });
  semantics(() => pool);

  it('goes into the first schema of the search_path, and names the lack of one', async () => {
    const own = database.pool({ max: 1, options: '-c search_path=there' });
    await expect(migrate(own)).rejects.toMatchObject({
      code: 'SLUICE_MIGRATION_SCHEMA',
      message: expect.stringContaining('search_path'),
    });
    await pool.query('CREATE SCHEMA there');
    expect((await migrate(own)).schema).toBe('there');
    expect((await pool.query("SELECT to_regclass('there.bars_1d')::text AS found")).rows[0].found).toBe(
      'there.bars_1d',
    );
  });

  it('is done once by many at once, over pools and over processes', async () => {
    await pool.query(`DROP SCHEMA IF EXISTS ${QUOTED} CASCADE`);
    const config = { schema: SCHEMA };
    const sink = barsSink(pool, { schema: SCHEMA });
    const processes = [1, 2].map(async () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, database.url, SCHEMA]);
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      child.stderr.pipe(process.stderr);
      const [code] = await once(child, 'close');
      expect(code).toBe(0);
      return JSON.parse(said) as string[];
    });
    const pools = [1, 2, 3].map(async () => names(await migrate(database.pool({ max: 1 }), config)));
    const [, ...done] = await Promise.all([write(sink, barsOf(5)), ...processes, ...pools]);
    // Each step was done by one of them.
    expect(done.flat().sort()).toEqual([...NUMBERED, ...VIEWS].sort());
    expect(names(await migrate(pool, config))).toEqual([]);
    expect(await storedBars(pool, `${QUOTED}.bars`)).toHaveLength(5);
  }, 60_000);

  it('leaves nothing of a step behind whose connection was killed in the middle, and goes on at the next run', async () => {
    await pool.query(`DROP SCHEMA IF EXISTS ${QUOTED} CASCADE`);
    await pool.query('CREATE SCHEMA trap');
    await pool.query(`CREATE FUNCTION trap.spring() RETURNS event_trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity LIKE '%.news_symbols') THEN
          PERFORM pg_terminate_backend(pg_backend_pid());
        END IF;
      END $$`);
    await pool.query('CREATE EVENT TRIGGER trap ON ddl_command_end EXECUTE FUNCTION trap.spring()');
    const own = database.pool({ max: 1 });
    try {
      await expect(migrate(own, { schema: SCHEMA })).rejects.toMatchObject({
        code: 'SLUICE_MIGRATION_FAILED',
        step: '003_news',
        message: expect.stringMatching(/^003_news failed: .*: migrate again/),
      });
    } finally {
      await pool.query('DROP EVENT TRIGGER trap; DROP SCHEMA trap CASCADE');
    }
    // Neither the table that had been made before the last index, nor the lock.
    expect((await pool.query('SELECT to_regclass($1) AS found', [`${QUOTED}.news`])).rows[0].found).toBeNull();
    // The server says that it ends a connection before it lets go of what that holds.
    const locks = "SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory'";
    await expect.poll(async () => (await pool.query(locks)).rows[0].n, { timeout: 10_000 }).toBe(0);
    expect((await pool.query(`SELECT version FROM ${QUOTED}.sluice_migrations`)).rows).toHaveLength(2);
    expect(names(await migrate(own, { schema: SCHEMA }))).toEqual([...NUMBERED.slice(2), ...VIEWS]);
  });

  it('says what to do where the rights are missing, and needs none where nothing is', async () => {
    await pool.query(
      `DROP SCHEMA IF EXISTS ${QUOTED} CASCADE; DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD 'x'`,
    );
    const url = new URL(database.url);
    url.username = 'reader';
    url.password = 'x';
    const reader = database.pool({ connectionString: url.href, max: 1 });
    try {
      await expect(migrate(reader, { schema: SCHEMA })).rejects.toMatchObject({
        code: 'SLUICE_MIGRATION_PERMISSION',
        message: expect.stringMatching(
          /^the record of migrations failed: permission denied \(permission denied for database .*\): migrate as the owner/,
        ),
      });
      await pool.query(`CREATE SCHEMA ${QUOTED}; GRANT USAGE ON SCHEMA ${QUOTED} TO reader`);
      await expect(migrate(reader, { schema: SCHEMA })).rejects.toMatchObject({
        code: 'SLUICE_MIGRATION_PERMISSION',
        message: expect.stringMatching(/permission denied for schema .*GRANT CREATE ON SCHEMA/),
      });
      await migrate(pool, { schema: SCHEMA });
      await pool.query(`GRANT SELECT ON ${QUOTED}.sluice_migrations TO reader`);
      expect(names(await migrate(reader, { schema: SCHEMA }))).toEqual([]);
    } finally {
      await reader.end();
      await pool.query('DROP OWNED BY reader; DROP ROLE reader');
    }
  });

  it('says so where no server is to be reached', async () => {
    const nowhere = database.pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none' });
    await expect(migrate(nowhere)).rejects.toMatchObject({
      code: 'SLUICE_MIGRATION_FAILED',
      message: expect.stringContaining('cannot reach Postgres at 127.0.0.1:1'),
    });
  });

  it('tells of retention and compression that plain Postgres does not have', async () => {
    const { notes } = await migrationPlan(pool, {
      timescale: { retainBarsMs: 30 * 86_400_000, compressAfterMs: 86_400_000 },
    });
    expect(notes).toEqual(['compression and retention was asked for and is not set up: TimescaleDB is not in use']);
  });
});

describe('PGlite', () => {
  const store = embeddedStore();
  semantics(() => store().pool as pg.Pool);

  it('takes turns on the one connection', async () => {
    await store().pool.query(`DROP SCHEMA IF EXISTS ${QUOTED} CASCADE`);
    const done = await Promise.all([1, 2, 3].map(() => migrate(store().pool, { schema: SCHEMA })));
    expect(done.flatMap(names)).toEqual([...NUMBERED, ...VIEWS]);
  });
});
