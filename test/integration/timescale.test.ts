import type pg from 'pg';
import { lastValueFrom, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bar } from '../../src/market/bar.js';
import { type MigrateConfig, migrate, migrationPlan } from '../../src/postgres/migrate/migrate.js';
import { bars } from '../../src/postgres/read/bars.js';
import { resumePoints } from '../../src/postgres/read/resumePoints.js';
import { trades } from '../../src/postgres/read/trades.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { tradesSink } from '../../src/sinks/tradesSink.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { DETAILS, formerBarsSink } from '../support/formerBars.js';
import { bar, barsOf, storedBars, write } from './bars.js';
import { trade } from './events.js';
import { foldNaively, minuteBars, startOfDay } from './rollups.js';
import { findTimescale, patiently, type TimescalePlace } from './timescalePlace.js';

const place = await findTimescale();
const SCHEMA = 'Market data';
const QUOTED = '"Market data"';
const DAY_MS = 86_400_000;
/** Beside background jobs a test may wait for one. */
const BESIDE_JOBS = 120_000;
const POLL = { timeout: 60_000, interval: 500 };
const config: MigrateConfig = { schema: SCHEMA };
const names = ({ steps }: { readonly steps: readonly { readonly name: string }[] }) => steps.map(({ name }) => name);

/** The jobs of the aggregates are before 2.20 under the names of the hypertables of what is materialised. */
const JOBS = `timescaledb_information.jobs j LEFT JOIN timescaledb_information.continuous_aggregates c
  ON (j.hypertable_schema, j.hypertable_name)
     IN ((c.view_schema, c.view_name), (c.materialization_hypertable_schema, c.materialization_hypertable_name))`;

/** The steps of a run that may be held up by a background job. */
async function migrated(pool: pg.Pool, config: MigrateConfig): Promise<string[]> {
  const steps: string[] = [];
  await patiently(() => migrate(pool, { ...config, onStep: ({ name }) => steps.push(name) }));
  return steps;
}

const NUMBERED = [
  ...['001_bars', '002_options_snap', '003_news', '004_fundamentals'],
  ...['005_bar_details', '006_trades', '007_quotes', '008_gaps'],
];
const HYPERTABLES = ['bars', 'options_snap', 'trades', 'quotes'];
const TABLES = HYPERTABLES.map((table) => `${table} hypertable`);
const COMPRESSION = HYPERTABLES.flatMap((table) => [`${table} compression`, `${table} compression policy`]);
const POLICIES = HYPERTABLES.map((table) => `${table} compression policy`);
const AGGREGATES = ['bars_5m', 'bars_1h', 'bars_1d'].flatMap((name) => [`${name} aggregate`, `${name} refresh`]);
const VIEWS = ['bars_5m view', 'bars_1h view', 'bars_1d view'];

function semantics({ open }: TimescalePlace): void {
  let pool: pg.Pool;
  let modestRole: string;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ pool, close, modest: modestRole } = await open());
  }, 120_000);
  afterAll(() => close(), 60_000);

  /** The function of the extension, wherever it lies. */
  const call = async (statement: string) => (await pool.query(statement)).rows;
  const refresh = async () => {
    for (const name of ['bars_5m', 'bars_1h', 'bars_1d']) {
      const call = `CALL public.refresh_continuous_aggregate('${QUOTED}.${name}'::regclass, NULL, NULL)`;
      await patiently(() => pool.query(call));
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
  /** Until the aggregates have what was written: a refresh may leave to a background job what that has begun. */
  const expectRefreshed = async (minutes: readonly Bar[]) => {
    const isComplete = async () => {
      await refresh();
      await expectRollups(minutes);
      return true;
    };
    await expect.poll(() => isComplete().catch((error: unknown) => error), POLL).toBe(true);
  };
  /** 2.11 to 2.13 have none. */
  const limit = async () =>
    (await call("SELECT current_setting('timescaledb.max_tuples_decompressed_per_dml_transaction', true) AS limit"))[0]
      .limit as string | null;
  const minutes = minuteBars();
  const put = (batch: readonly Bar[]) => patiently(() => write(barsSink(pool, { schema: SCHEMA }), batch));

  // One store, that goes through its life in the order of the tests.
  it('makes plain tables and views for a user who may not create the extension, and says who may', async () => {
    await pool.query(`CREATE SCHEMA ${QUOTED} AUTHORIZATION ${modestRole}`);
    await put(minutes);
    await pool.query(`ALTER TABLE ${QUOTED}.bars OWNER TO ${modestRole}`);
    const client = await pool.connect();
    const modest = { connect: async () => client, options: pool.options } as pg.Pool;
    const release = client.release.bind(client);
    client.release = () => {};
    try {
      await client.query(`SET ROLE ${modestRole}`);
      const report = await migrate(modest, config);
      expect(names(report)).toEqual([...NUMBERED, ...VIEWS]);
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
    expect(names(plan)).toEqual(['create timescaledb', ...TABLES, ...COMPRESSION, ...AGGREGATES]);
    const report = await migrate(pool, config);
    const lifts = (await limit()) === null ? [] : ['decompression limit'];
    expect(names(report)).toEqual(['create timescaledb', ...TABLES, ...COMPRESSION, ...lifts, ...AGGREGATES]);
    expect(report.timescale).toMatch(/^2\./);
    expect(report.notes).toEqual([]);
    expect(await storedBars(pool, `${QUOTED}.bars`)).toHaveLength(minutes.length);
    expect(
      await call(`SELECT hypertable_name::text AS name, compression_enabled AS compressed
                         FROM timescaledb_information.hypertables WHERE hypertable_schema = '${SCHEMA}' ORDER BY 1`),
    ).toEqual([
      { name: 'bars', compressed: true },
      { name: 'options_snap', compressed: true },
      { name: 'quotes', compressed: true },
      { name: 'trades', compressed: true },
    ]);
    expect(
      await call(`SELECT view_name::text AS name FROM timescaledb_information.continuous_aggregates ORDER BY 1`),
    ).toEqual([{ name: 'bars_1d' }, { name: 'bars_1h' }, { name: 'bars_5m' }]);
  });

  it('finds nothing to do at the next run', async () => {
    expect(names(await migrate(pool, config))).toEqual([]);
    expect(names(await migrationPlan(pool, config))).toEqual([]);
  });

  it(
    'has the aggregates that the views had, live and materialised, and after late bars',
    async () => {
      await expectRollups(minutes);
      await expectRefreshed(minutes);
      const late = minutes.filter((_, i) => i % 11 === 0).map((one) => ({ ...one, open: 1, high: 900, seq: 5_000 }));
      await put(late);
      const byKey = new Map([...minutes, ...late].map((one) => [`${one.vendor} ${one.symbol} ${one.ts}`, one]));
      await expectRefreshed([...byKey.values()]);
      const newer = minutes.map((one) => ({ ...one, seq: 6_000 }));
      await put(newer);
      await expectRefreshed(newer);
    },
    BESIDE_JOBS,
  );

  it(
    'upserts into compressed chunks: newer versions win, older do not',
    async () => {
      const chunks = `public.show_chunks('${QUOTED}.bars'::regclass)`;
      const compressed = async () =>
        (
          await call(
            `SELECT count(*)::int AS n FROM timescaledb_information.chunks WHERE hypertable_name = 'bars' AND is_compressed`,
          )
        )[0].n;
      await patiently(() => pool.query(`SELECT public.compress_chunk(chunk, true) FROM ${chunks} AS chunk`));
      expect(await compressed()).toBeGreaterThan(1);
      const before = await storedBars(pool, `${QUOTED}.bars`);
      expect(await put(minutes.map((one) => ({ ...one, close: -1, seq: 5_999 })))).toEqual({ rows: 0 });
      expect(await storedBars(pool, `${QUOTED}.bars`)).toEqual(before);
      expect(await put(minutes.map((one) => ({ ...one, close: 7, seq: 6_001 })))).toEqual({ rows: minutes.length });
      const after = await storedBars(pool, `${QUOTED}.bars`);
      expect(after).toHaveLength(before.length);
      expect(new Set(after.map(({ close, seq }) => `${close} ${seq}`))).toEqual(new Set(['7 6001']));
    },
    BESIDE_JOBS,
  );

  it('lifts the limit on decompression for the connections to come, where there is one', async () => {
    if ((await limit()) === null) return;
    const settings = await call('SELECT unnest(setconfig) AS setting FROM pg_db_role_setting WHERE setrole = 0');
    expect(settings).toContainEqual({ setting: 'timescaledb.max_tuples_decompressed_per_dml_transaction=0' });
  });

  it('reads bars back out of chunks, compressed or not', async () => {
    await put(barsOf(100, { symbol: 'A', vendor: 'v', ts: Date.UTC(2026, 0, 1) }).slice(0, 1));
    const read = await lastValueFrom(
      bars(pool, { schema: SCHEMA, symbols: ['A', 'B'], timeframe: '1m', pageSize: 64 }).pipe(toArray()),
    );
    expect(read).toHaveLength(minutes.length + 1);
    expect(read.map(({ ts }) => ts)).toEqual(read.map(({ ts }) => ts).toSorted((a, b) => a - b));
  });

  it(
    'sets up, changes and takes away what is asked for, and leaves alone what is not',
    async () => {
      const asked = { timeframe: '5m', compressAfterMs: 20 * DAY_MS, retainBarsMs: 90 * DAY_MS };
      const refreshes = ['bars_5m refresh', 'bars_1h refresh', 'bars_1d refresh'];
      expect(await migrated(pool, { ...config, timescale: asked })).toEqual([
        'bars chunks',
        ...POLICIES,
        ...refreshes,
        'bars retention',
      ]);
      const policies = () =>
        call(`SELECT proc_name::text AS proc, coalesce(view_name, j.hypertable_name)::text AS of, config ->> 'drop_after' AS drop,
                   config ->> 'compress_after' AS compress, config ->> 'start_offset' AS start
              FROM ${JOBS} WHERE coalesce(view_schema, j.hypertable_schema) = '${SCHEMA}' ORDER BY 1, 2`);
      const set = await policies();
      expect(set).toHaveLength(8);
      expect(await migrated(pool, { ...config, timescale: asked })).toEqual([]);
      expect(await migrated(pool, config)).toEqual([]);
      expect(await policies()).toEqual(set);

      expect(await migrated(pool, { ...config, timescale: { retainBarsMs: 30 * DAY_MS } })).toEqual([
        ...refreshes,
        'bars retention',
      ]);
      expect(await migrated(pool, { ...config, timescale: { retainBarsMs: false, compressAfterMs: false } })).toEqual([
        ...POLICIES,
        ...refreshes,
        'bars retention',
      ]);
      expect((await policies()).map(({ proc, start }) => `${proc} ${start}`)).toEqual(
        Array(3).fill('policy_refresh_continuous_aggregate null'),
      );
      // Compression comes back by itself at the next run: it is the default.
      expect(await migrated(pool, config)).toEqual(POLICIES);
    },
    BESIDE_JOBS,
  );

  it(
    'makes an aggregate again that is gone',
    async () => {
      await patiently(() => pool.query(`DROP MATERIALIZED VIEW ${QUOTED}.bars_1d`));
      expect(names(await migrate(pool, config))).toEqual(['bars_1d aggregate', 'bars_1d refresh']);
    },
    BESIDE_JOBS,
  );

  it('sets up an empty schema in one run', async () => {
    const report = await migrate(pool, { schema: 'another' });
    expect(names(report)).toEqual([...NUMBERED, ...TABLES, ...COMPRESSION, ...AGGREGATES]);
  });
}

/** Stores that had a history before they were migrated. */
function histories({ open }: TimescalePlace): void {
  let pool: pg.Pool;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ pool, close } = await open());
    await pool.query('CREATE EXTENSION timescaledb');
  }, 120_000);
  afterAll(() => close(), 60_000);

  const AGGREGATED = ['bars_5m', 'bars_1h', 'bars_1d'];
  /** A bar every half an hour for so many days, up to now. */
  const history = (days: number) => {
    const end = Math.floor(Date.now() / 1_800_000) * 1_800_000;
    return Array.from({ length: days * 48 }, (_, i) => bar({ ts: end - i * 1_800_000, volume: 1, seq: 1 }));
  };
  const volumes = async (schema: string) => {
    const sums = ['bars', ...AGGREGATED].map((name) => `(SELECT sum(volume) FROM ${schema}.${name}) AS ${name}`);
    return (await pool.query<Record<string, number>>(`SELECT ${sums.join(', ')}`)).rows[0]!;
  };
  const complete = (days: number) => Object.fromEntries(['bars', ...AGGREGATED].map((name) => [name, days * 48]));
  /** The refreshes by the names of their aggregates, which before 2.20 stand elsewhere. */
  const refreshesOf = async (schema: string) => {
    const { rows } = await pool.query<{ of: string; id: number }>(
      `SELECT c.view_name::text AS of, j.job_id AS id FROM ${JOBS}
        WHERE j.proc_name = 'policy_refresh_continuous_aggregate' AND c.view_schema = $1`,
      [schema],
    );
    return new Map(rows.map(({ of, id }) => [of, id]));
  };

  it.each([[AGGREGATED], [AGGREGATED.toReversed()], [['bars_1h', 'bars_1d', 'bars_5m']]])(
    'reads completely after each batch of the first refreshes, one batch at a time: %j',
    async (order) => {
      const schema = `history_${order.join('_')}`;
      await write(barsSink(pool, { schema }), history(30));
      await migrate(pool, { schema });
      const ids = await refreshesOf(schema);
      for (const id of ids.values()) {
        const config = `SELECT config || '{"max_batches_per_execution": 1}' FROM timescaledb_information.jobs WHERE job_id = ${id}`;
        await patiently(() => pool.query(`SELECT public.alter_job(${id}, scheduled => false, config => (${config}))`));
      }
      for (let round = 0; round < 12; round++) {
        for (const name of order) {
          await patiently(() => pool.query(`CALL public.run_job(${ids.get(name)})`));
          expect(await volumes(schema)).toEqual(complete(30));
        }
      }
    },
    120_000,
  );

  it(
    'is refreshed from the oldest bars on by a policy of an earlier run too',
    async () => {
      const schema = 'earlier';
      await migrate(pool, { schema });
      const jobs = `SELECT job_id AS id, config FROM ${JOBS} WHERE c.view_schema = '${schema}'`;
      const { rows } = await pool.query<{ id: number; config: object }>(jobs);
      expect(rows).toHaveLength(3);
      for (const { id } of rows) {
        const config = `SELECT config - 'refresh_newest_first' FROM timescaledb_information.jobs WHERE job_id = ${id}`;
        await patiently(() => pool.query(`SELECT public.alter_job(${id}, config => (${config}))`));
      }
      const hasOrder = rows.some(({ config }) => 'refresh_newest_first' in config);
      expect(await migrated(pool, { schema })).toEqual(
        hasOrder ? AGGREGATED.map((name) => `${name} refresh order`) : [],
      );
      expect(await migrated(pool, { schema })).toEqual([]);
      expect((await pool.query(jobs)).rows).toEqual(rows);
    },
    BESIDE_JOBS,
  );

  it(
    'stays in the aggregates when retention drops its bars',
    async () => {
      const schema = 'dropping';
      await write(barsSink(pool, { schema }), history(60));
      // Without the jobs of the server, so that the test drops the bars when it is ready to.
      const config = { schema, timescale: { retainBarsMs: 15 * DAY_MS } };
      await migrate(pool, config);
      for (const id of (await refreshesOf(schema)).values())
        await patiently(() => pool.query(`CALL public.run_job(${id})`));
      await patiently(() => pool.query(`SELECT public.drop_chunks('dropping.bars'::regclass, interval '15 days')`));
      for (const id of (await refreshesOf(schema)).values())
        await patiently(() => pool.query(`CALL public.run_job(${id})`));
      const { bars: kept, ...aggregated } = await volumes(schema);
      expect(kept).toBeLessThan(60 * 48);
      expect(aggregated).toEqual({ bars_5m: 60 * 48, bars_1h: 60 * 48, bars_1d: 60 * 48 });
      expect(names(await migrate(pool, config))).toEqual([]);
    },
    BESIDE_JOBS,
  );

  it(
    'takes the columns that a migration adds, compressed chunks included, and keeps their rows',
    async () => {
      const schema = 'former';
      await migrate(pool, { schema });
      // As it was before there were these.
      for (const table of ['trades', 'quotes', 'gaps']) await patiently(() => pool.query(`DROP TABLE former.${table}`));
      for (const column of DETAILS) await patiently(() => pool.query(`ALTER TABLE former.bars DROP COLUMN ${column}`));
      await pool.query(`DELETE FROM former.sluice_migrations WHERE version > 4`);
      const old = history(30).toReversed();
      await write(formerBarsSink(pool, { schema }), old);
      await patiently(() => pool.query(`SELECT public.compress_chunk(c) FROM public.show_chunks('former.bars') c`));

      const steps = await migrated(pool, { schema });
      expect(steps.slice(0, 4)).toEqual(NUMBERED.slice(4));
      expect(steps).toEqual(expect.arrayContaining(['trades hypertable', 'quotes compression policy']));
      expect(await migrated(pool, { schema })).toEqual([]);
      const read = () => lastValueFrom(bars(pool, { schema, symbol: 'ACME', timeframe: '1m' }).pipe(toArray()));
      expect(await read()).toEqual(old);
      const revised = { ...old[3]!, isFinal: true, trades: 5, vwap: 1.5, seq: 2 };
      await patiently(() => write(barsSink(pool, { schema }), [revised]));
      expect(await read()).toEqual(old.with(3, revised));
    },
    BESIDE_JOBS,
  );

  it(
    'keeps trades in chunks, corrects them in compressed ones, and reads them back in order',
    async () => {
      const schema = 'ticks';
      await migrate(pool, { schema });
      const start = Math.floor(Date.now() / DAY_MS) * DAY_MS - 4 * DAY_MS;
      // Three days, and many of each instant.
      const made = Array.from({ length: 1_200 }, (_, i) =>
        trade({ ts: start + Math.floor(i / 40) * (DAY_MS / 10), id: String(10_000 + i), price: i }),
      );
      const sink = tradesSink(pool, { schema });
      await write(sink, made.toReversed());
      await patiently(() => pool.query(`SELECT public.compress_chunk(c) FROM public.show_chunks('ticks.trades') c`));
      const corrected = made.map((one, i) => (i % 100 === 0 ? { ...one, price: -i, seq: 2 } : one));
      await patiently(() => write(sink, corrected));
      await patiently(() => write(sink, made));
      const read = () => lastValueFrom(trades(pool, { schema, symbol: 'ACME', pageSize: 30 }).pipe(toArray()));
      expect(await read()).toEqual(corrected);
    },
    BESIDE_JOBS,
  );

  it(
    'says up to when series are known, out of chunks that are compressed or not',
    async () => {
      const schema = 'resumed';
      const start = Date.UTC(2026, 0, 5);
      await patiently(() => migrate(pool, { schema }));
      // Forty days of three symbols, one of which fell silent early.
      const ticks = Array.from({ length: 960 }, (_, i) =>
        trade({
          symbol: i % 3 === 2 ? 'OLD' : `S${i % 3}`,
          ts: start + (i % 3 === 2 ? i * 1_000 : i * 3_600_000),
          id: `${i}`,
        }),
      );
      await write(tradesSink(pool, { schema }), ticks);
      const known = async (symbols?: readonly string[]) => {
        const of = await resumePoints(pool, { vendor: 'test', kinds: ['trade'], schema, ...(symbols && { symbols }) });
        return ['S0', 'S1', 'OLD', 'NONE', '*'].map((symbol) => of({ of: 'trade', symbol }));
      };
      const newest = [start + 957 * 3_600_000, start + 958 * 3_600_000, start + 959_000, undefined];
      const check = async () => {
        expect(await known()).toEqual([...newest, newest[1]! - 60_000]);
        expect(await known(['S0', 'S1', 'OLD', 'NONE'])).toEqual([...newest, undefined]);
      };
      await check();
      await patiently(() => pool.query(`SELECT public.compress_chunk(c) FROM public.show_chunks('resumed.trades') c`));
      await check();
      // Beside the compressed ones a chunk that is not.
      await write(tradesSink(pool, { schema }), [trade({ symbol: 'OLD', ts: start + 5e9, id: 'new' })]);
      expect((await known(['OLD']))[2]).toBe(start + 5e9);
    },
    BESIDE_JOBS,
  );

  it(
    'has the days of a zone, live and materialised, through changes of the clocks',
    async () => {
      const schema = 'zoned';
      const days = { timeZone: 'America/New_York', startsAt: '17:00' };
      const hours = Array.from({ length: 24 * 300 }, (_, i) =>
        bar({ ts: Date.UTC(2024, 1, 1, 3) + i * 3_600_000, close: i }),
      );
      await write(barsSink(pool, { schema }), hours);
      await migrate(pool, { schema, days });
      const read = () =>
        lastValueFrom(bars(pool, { schema, table: 'bars_1d', symbols: ['ACME'], timeframe: '1d' }).pipe(toArray()));
      const expected = foldNaively(hours, '1d', 'test', startOfDay(days));
      expect(new Set(expected.slice(1, -1).map(({ volume }) => volume))).toEqual(new Set([2_300, 2_400, 2_500]));
      expect(await read()).toEqual(expected);
      const id = (await refreshesOf(schema)).get('bars_1d');
      await patiently(() => pool.query(`CALL public.run_job(${id})`));
      expect(await read()).toEqual(expected);
      expect(names(await migrate(pool, { schema }))).toEqual([]);
      expect(names(await migrate(pool, { schema, days: { timeZone: 'UTC' } }))).toEqual([
        'bars_1d aggregate',
        'bars_1d refresh',
      ]);
      expect(await read()).toEqual(foldNaively(hours, '1d', 'test'));
    },
    BESIDE_JOBS,
  );
}

if (place) {
  describe(`TimescaleDB of ${place.what}`, () => {
    semantics(place);
    histories(place);
  });
} else if (process.env.TEST_TIMESCALE_REQUIRED) {
  throw new Error('The server of TEST_TIMESCALE_URL has not loaded TimescaleDB: add it to shared_preload_libraries.');
} else {
  describe('TimescaleDB: NOT EXERCISED here, as none is to be had (TEST_TIMESCALE_URL, TEST_TIMESCALE_PGLITE)', () => {
    const database = freshDatabase();
    it('so the test server gets plain tables', async () => {
      const { timescale, steps } = await migrationPlan(database.pool());
      expect(timescale).toBeUndefined();
      expect(steps.map(({ name }) => name)).toEqual([...NUMBERED, ...VIEWS]);
    });
  });
}
