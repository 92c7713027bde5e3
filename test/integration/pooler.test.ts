import pg from 'pg';
import { from, lastValueFrom, toArray } from 'rxjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { classifyFailure } from '../../src/failures/classifyFailure.js';
import { type Bar, barKey } from '../../src/market/bar.js';
import { writeCoordinator } from '../../src/operators/writeCoordinator.js';
import { run } from '../../src/pipelines/run.js';
import { classifyPostgresFailure } from '../../src/postgres/failures.js';
import { migrate } from '../../src/postgres/migrate/migrate.js';
import { openStore } from '../../src/postgres/openStore.js';
import { bars } from '../../src/postgres/read/bars.js';
import { latest } from '../../src/postgres/read/latest.js';
import { STRATEGIES } from '../../src/postgres/write/planner.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { fromIterable } from '../../src/sources/fromIterable.js';
import { syntheticBars } from '../../src/sources/syntheticBars.js';
import { startFaultProxy } from '../../src/testing/index.js';
import { type FreshDatabase, freshDatabase } from '../postgres/freshDatabase.js';
import {
  PGBOUNCER_REMEDY,
  type PgBouncer,
  type PgBouncerConfig,
  type PoolMode,
  pgBouncerProgram,
  startPgBouncer,
} from '../postgres/pgbouncer.js';
import { barsOf, storedBars, write } from './bars.js';

const isMissing = pgBouncerProgram() === undefined;

if (isMissing) {
  it.skipIf(process.env.CI !== 'true')(`PgBouncer: not tested, for there is none here (${PGBOUNCER_REMEDY})`, () => {
    throw new Error(`CI must test against a real PgBouncer: ${PGBOUNCER_REMEDY}`);
  });
}

const poolers: PgBouncer[] = [];
afterAll(() => Promise.all(poolers.map((pooler) => pooler.stop())));

/** The connection string of the database through a pooler of its own. */
async function through(database: FreshDatabase, config: Omit<PgBouncerConfig, 'databaseUrl'>): Promise<string> {
  const pooler = await startPgBouncer({ databaseUrl: database.url, ...config });
  poolers.push(pooler);
  return pooler.url(database.url);
}

/** More clients than the pooler has sessions, and the session that has rested longest comes next: they change all the time. */
const CLIENTS = 12;
const SESSIONS = 8;
const CHANGING = { server_round_robin: 1 };

describe.skipIf(isMissing).each<PoolMode>(['transaction', 'statement', 'session'])(
  'through PgBouncer in %s mode',
  (mode) => {
    const database = freshDatabase();
    let direct: pg.Pool;
    let url: string;
    let pool: pg.Pool;
    beforeAll(async () => {
      direct = database.pool({ max: 2 });
      const poolSize = mode === 'session' ? 2 * CLIENTS : SESSIONS;
      url = await through(database, { mode, poolSize, settings: CHANGING });
      pool = new pg.Pool({ connectionString: url, max: CLIENTS });
      pool.on('error', () => {});
      // All sessions are there.
      await Promise.all(Array.from({ length: CLIENTS }, () => pool.query('SELECT pg_sleep(0.1)')));
    }, 60_000);
    afterAll(() => pool.end());
    beforeEach(() => direct.query('DROP TABLE IF EXISTS bars'));

    it.each([...STRATEGIES, 'auto'] as const)(
      'writes what several sessions share, in batches of any size (%s)',
      async (strategy) => {
        const sink = barsSink(pool, { strategy });
        for (let seq = 1; seq <= 6; seq++) {
          const batches = Array.from({ length: CLIENTS }, (_, i) =>
            write(sink, barsOf(i % 2 === 0 ? 1_500 : 40, { symbol: `S${i}`, seq })),
          );
          const rows = (await Promise.all(batches)).map((receipt) => receipt.rows);
          expect(rows).toEqual(batches.map((_, i) => (i % 2 === 0 ? 1_500 : 40)));
        }
        expect((await storedBars(direct)).every(({ seq }) => seq === '6')).toBe(true);
      },
    );

    it('has the staging table in the session that a lone writer is given', async () => {
      await direct.query('DROP TABLE IF EXISTS lone');
      const sink = barsSink(pool, { strategy: 'copyUpsert', table: 'lone' });
      for (let seq = 1; seq <= 3 * SESSIONS; seq++) {
        expect(await write(sink, barsOf(1_000, { seq }))).toEqual({ rows: 1_000 });
      }
    });

    it('runs a pipeline with large batches to its end, and gives up nothing', async () => {
      await direct.query('DROP TABLE IF EXISTS piped');
      const store = await openStore({ databaseUrl: url, poolSize: 2 });
      const input = [...syntheticBars({ symbols: 20, count: 40_000, seed: 3, revisions: 0.3, lateness: 5_000 })];
      const sink = barsSink(store.pool, { table: 'piped' });
      const report = await run(
        fromIterable(input).pipe(
          writeCoordinator(sink, { workers: 2, batchSize: 2_000, policies: { retry: { maxAttempts: 1 } } }),
        ),
        { signals: [] },
      );
      await store.close();
      expect(report).toMatchObject({ outcome: 'completed', written: input.length, diverted: 0, conservation: 0 });
      const keys = new Set(input.map((bar: Bar) => barKey(bar)));
      expect((await direct.query('SELECT count(*)::int AS count FROM piped')).rows).toEqual([{ count: keys.size }]);
    });

    it('reads what it wrote', async () => {
      await write(barsSink(pool), barsOf(3_000));
      const read = await lastValueFrom(bars(pool, { symbols: ['ACME'], timeframe: '1m' }).pipe(toArray()));
      expect(read).toHaveLength(3_000);
      const newest = await lastValueFrom(latest(pool, { symbols: ['ACME'], timeframe: '1m' }).pipe(toArray()));
      expect(newest.map(({ ts }) => ts)).toEqual([read.at(-1)!.ts]);
    });

    it('cancels at the server what nobody waits for any more, and nothing else', async () => {
      const sink = barsSink(pool);
      await write(sink, barsOf(1_000));
      const blocker = await direct.connect();
      await blocker.query('BEGIN; LOCK TABLE bars IN ACCESS EXCLUSIVE MODE');
      const waiting = async () => {
        const { rows } = await blocker.query<{ count: number }>(
          `SELECT count(*)::int AS count FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return rows[0]!.count;
      };
      const other = pool.query('SELECT pg_sleep(1)');
      const abandoned = from(sink.write(barsOf(1_000, { seq: 2 }))).subscribe();
      await vi.waitFor(async () => expect(await waiting()).toBe(1), { timeout: 10_000 });
      abandoned.unsubscribe();
      await vi.waitFor(async () => expect(await waiting()).toBe(0), { timeout: 10_000 });
      await blocker.query('ROLLBACK');
      blocker.release();
      await other;
      expect((await storedBars(direct)).every(({ seq }) => seq === '1')).toBe(true);
    });

    it(mode === 'statement' ? 'does not migrate, and says what to choose' : 'migrates', async () => {
      const migrating = migrate(pool, { schema: `m_${mode}` });
      if (mode === 'statement') {
        await expect(migrating).rejects.toMatchObject({
          code: 'SLUICE_MIGRATION_FAILED',
          message: expect.stringMatching(/statement mode.*pool_mode to transaction or session/),
        });
        await expect(migrating).rejects.not.toMatchObject({ message: expect.stringContaining('migrate again') });
      } else {
        expect((await migrating).steps.length).toBeGreaterThan(3);
        expect((await migrate(pool, { schema: `m_${mode}` })).steps).toEqual([]);
      }
    });

    it('leaves no temporary table with rows in a session that others use next', async () => {
      const sink = barsSink(pool, { strategy: 'copyUpsert' });
      await write(sink, barsOf(1_500));
      const { rows } = await direct.query<{ name: string }>(
        `SELECT c.oid::regclass::text AS name FROM pg_class c
          WHERE c.relname LIKE 'sluice_stage_%' AND pg_relation_size(c.oid) > 0`,
      );
      expect(rows).toEqual([]);
    });
  },
);

describe.skipIf(isMissing)('a pooler with one session', () => {
  const database = freshDatabase();

  it.each([...STRATEGIES])('goes on with others after a batch that the server refused (%s)', async (strategy) => {
    const direct = database.pool({ max: 1 });
    await direct.query('DROP TABLE IF EXISTS bars');
    const url = await through(database, { mode: 'transaction', poolSize: 1 });
    const proxy = await startFaultProxy({ target: url });
    const pool = new pg.Pool({ connectionString: proxy.url(url), max: 2 });
    pool.on('error', () => {});
    try {
      const sink = barsSink(pool, { strategy });
      const rows = (symbol: string, close: number) =>
        barsOf(1_000, { symbol }).map((bar, i) => ({ ...bar, close: i + close }));
      await write(sink, rows('A', 0));
      const before = proxy.counts.bytes.toServer;
      await write(sink, rows('B', 0));
      const size = proxy.counts.bytes.toServer - before;
      await direct.query('ALTER TABLE bars ADD CONSTRAINT positive CHECK (close >= 0)');
      // The end of the data is still on its way when the server refuses them.
      const late = proxy.stall({ afterBytes: size - 5, forMs: 100 });
      await expect(write(sink, rows('C', -1))).rejects.toMatchObject({ sqlState: '23514' });
      expect(late.fired).toBe(1);
      await late.mend();
      await vi.waitFor(() => expect(proxy.counts.bytes.toServer).toBeGreaterThanOrEqual(before + 2 * size));
      // The client that was refused is idle; another one needs the session.
      const first = await pool.connect();
      const second = await pool.connect();
      expect((await second.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
      expect((await first.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
      first.release();
      second.release();
    } finally {
      await proxy.close();
      await pool.end();
    }
  });
});

describe.skipIf(isMissing)('what a pooler refuses', () => {
  const database = freshDatabase();
  let pooled: string;
  beforeAll(async () => {
    pooled = await through(database, { mode: 'transaction' });
  }, 60_000);

  async function refusal(databaseUrl: string): Promise<unknown> {
    const opening = openStore({ databaseUrl }).then((store) => store.close());
    return opening.then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  it.each<[what: string, change: (url: URL) => void, code: string, remedy: string]>([
    ['a wrong password', (url) => Object.assign(url, { password: 'wrong' }), 'SLUICE_STORE_PASSWORD', 'correct user'],
    ['an unknown user', (url) => Object.assign(url, { username: 'nobody' }), 'SLUICE_STORE_PASSWORD', 'correct user'],
    ['an unknown database', (url) => Object.assign(url, { pathname: '/none' }), 'SLUICE_STORE_DATABASE', 'its name'],
    [
      'a parameter at the start',
      (url) => url.searchParams.set('options', '-c work_mem=8MB'),
      'SLUICE_STORE_FAILED',
      'ignore_startup_parameters',
    ],
  ])('is told with a remedy, and not tried again: %s', async (_what, change, code, remedy) => {
    const url = new URL(pooled);
    change(url);
    const error = await refusal(url.toString());
    expect(error).toMatchObject({ code, sqlState: '08P01', message: expect.stringContaining(remedy) });
    expect(classifyPostgresFailure(error)).toBe('fatal');
    expect(classifyFailure(error)).toBe('fatal');
  });

  it('is an outage if its server is away', async () => {
    const away = await through(database, {
      mode: 'transaction',
      databases: '* = host=127.0.0.1 port=1',
      settings: { client_login_timeout: 1 },
    });
    const error = await refusal(away);
    expect(error).toMatchObject({
      code: 'SLUICE_STORE_UNREACHABLE',
      message: expect.stringContaining('the pooler cannot reach its server'),
    });
    expect(classifyPostgresFailure(error)).toBe('transient');
  });

  it('is an outage if it has no session free in time', async () => {
    const url = await through(database, {
      mode: 'transaction',
      poolSize: 1,
      settings: { query_wait_timeout: 1 },
    });
    const holder = new pg.Client({ connectionString: url });
    holder.on('error', () => {});
    await holder.connect();
    await holder.query('BEGIN');
    const pool = new pg.Pool({ connectionString: url, max: 1 });
    const error = await write(barsSink(pool), barsOf(1)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ sqlState: '08P01', message: expect.stringContaining('default_pool_size') });
    expect(classifyPostgresFailure(error)).toBe('transient');
    await pool.end();
    await holder.end();
  });
});
