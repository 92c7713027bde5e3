import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Bar } from '../../src/market/bar.js';
import { type MigrateConfig, migrate, migrationPlan } from '../../src/postgres/migrate/migrate.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { type FakeVersion, fakeTimescale, loaded, VERSIONS } from '../support/fakeTimescale.js';
import { bar, write } from './bars.js';

const DAY_MS = 86_400_000;
const NUMBERED = [
  ...['001_bars', '002_options_snap', '003_news', '004_fundamentals'],
  ...['005_bar_details', '006_trades', '007_quotes', '008_gaps'],
];
const TABLES = ['bars', 'options_snap', 'trades', 'quotes'];
const AGGREGATES = ['bars_5m', 'bars_1h', 'bars_1d'];
const REFRESHES = AGGREGATES.map((name) => `${name} refresh`);
const names = ({ steps }: { readonly steps: readonly { readonly name: string }[] }) => steps.map(({ name }) => name);

/** All steps of a new store. */
function newest(version: FakeVersion): string[] {
  return [
    ...NUMBERED,
    ...TABLES.map((table) => `${table} hypertable`),
    ...TABLES.flatMap((table) => [`${table} compression`, `${table} compression policy`]),
    ...(VERSIONS[version].limitsDecompression ? ['decompression limit'] : []),
    ...AGGREGATES.flatMap((name) => [`${name} aggregate`, `${name} refresh`]),
  ];
}

/** A bar every hour for so many days, up to now. */
function history(days: number): Bar[] {
  const end = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  return Array.from({ length: days * 24 }, (_, i) => bar({ ts: end - i * 3_600_000, volume: 1, seq: 1 }));
}

describe.each(Object.keys(VERSIONS) as FakeVersion[])('a store on the catalogue of TimescaleDB %s', (version) => {
  const database = freshDatabase();
  let pool: pg.Pool;
  beforeAll(async () => {
    pool = database.pool({ max: 2, options: loaded(version) });
    await fakeTimescale(pool, version);
  });

  let schemas = 0;
  const newSchema = (): MigrateConfig & { schema: string } => ({ schema: `Store "${++schemas}"` });
  const quoted = ({ schema }: { schema: string }) => `"${schema.replaceAll('"', '""')}"`;
  const jobs = async ({ schema }: { schema: string }) =>
    (
      await pool.query<{ id: number; of: string; proc: string; config: object }>(
        `SELECT j.id, coalesce(v.name, h.name)::text AS of, j.proc::text, j.config
           FROM fake.job j JOIN fake.named h ON h.id = j.hypertable LEFT JOIN fake.named_view v ON v.id = h.id
          WHERE coalesce(v.schema, h.schema) = $1 ORDER BY j.id`,
        [schema],
      )
    ).rows;
  const volumes = async (config: { schema: string }) => {
    const sums = ['bars', ...AGGREGATES].map(
      (name) => `(SELECT sum(volume) FROM ${quoted(config)}.${name}) AS ${name}`,
    );
    return (await pool.query(`SELECT ${sums.join(', ')}`)).rows[0];
  };
  const complete = (days: number) => Object.fromEntries(['bars', ...AGGREGATES].map((name) => [name, days * 24]));

  it('is brought to the newest state in one run, and the next finds nothing to do', async () => {
    const config = newSchema();
    const report = await migrate(pool, config);
    expect(names(report)).toEqual(newest(version));
    expect(report).toMatchObject({ timescale: version, notes: [] });
    expect(names(await migrate(pool, config))).toEqual([]);
    expect(names(await migrationPlan(pool, config))).toEqual([]);
    expect((await jobs(config)).map(({ of, proc }) => `${of} ${proc}`)).toEqual([
      ...TABLES.map((table) => `${table} policy_compression`),
      ...AGGREGATES.map((name) => `${name} policy_refresh_continuous_aggregate`),
    ]);
  });

  it('that a run left with some of its policies is continued by the next, however often', async () => {
    const config = newSchema();
    await migrate(pool, config);
    for (const name of ['bars_1d', 'bars_1h']) await pool.query(`DROP MATERIALIZED VIEW ${quoted(config)}."${name}"`);
    const first = (await jobs(config)).find(({ of }) => of === 'bars_5m');
    const expected = ['bars_1h', 'bars_1d'].flatMap((name) => [`${name} aggregate`, `${name} refresh`]);
    expect(names(await migrationPlan(pool, config))).toEqual(expected);
    expect(names(await migrate(pool, config))).toEqual(expected);
    expect(names(await migrate(pool, config))).toEqual([]);
    expect(await jobs(config)).toContainEqual(first);
  });

  it('changes the policies that are asked for, and those of no other store', async () => {
    const [config, other] = [newSchema(), newSchema()];
    await migrate(pool, other);
    await migrate(pool, config);
    const untouched = await jobs(other);
    const asked = { retainBarsMs: 90 * DAY_MS, compressAfterMs: 20 * DAY_MS };
    const policies = TABLES.map((table) => `${table} compression policy`);
    const changes = [...policies, ...REFRESHES, 'bars retention'];
    expect(names(await migrate(pool, { ...config, timescale: asked }))).toEqual(changes);
    expect(names(await migrate(pool, { ...config, timescale: asked }))).toEqual([]);
    const ended = { retainBarsMs: false, compressAfterMs: false } as const;
    expect(names(await migrate(pool, { ...config, timescale: ended }))).toEqual(changes);
    expect(await jobs(other)).toEqual(untouched);
  });

  it('has a history complete after each batch of the first refresh, whichever aggregate is refreshed first', async () => {
    for (const order of [AGGREGATES, AGGREGATES.toReversed(), ['bars_1h', 'bars_1d', 'bars_5m']]) {
      const config = newSchema();
      await write(barsSink(pool, config), history(8));
      await migrate(pool, config);
      const due = await jobs(config);
      const ids = order.map((name) => due.find(({ of, proc }) => of === name && proc.includes('refresh'))!.id);
      for (let more = true; more; ) {
        more = false;
        for (const id of ids) {
          const { rows } = await pool.query<{ more: boolean }>('SELECT fake.run_batch($1) AS more', [id]);
          more ||= rows[0]!.more;
          expect(await volumes(config)).toEqual(complete(8));
        }
      }
    }
  });

  it('keeps in its aggregates what retention then drops', async () => {
    const config = newSchema();
    await write(barsSink(pool, config), history(20));
    const asked = { ...config, timescale: { retainBarsMs: 10 * DAY_MS } };
    expect(names(await migrate(pool, asked))).toEqual([
      ...newest(version).filter((name) => name !== 'decompression limit'),
      'bars retention',
    ]);
    for (const { id } of (await jobs(config)).filter(({ proc }) => proc.includes('refresh'))) {
      while ((await pool.query('SELECT fake.run_batch($1) AS more', [id])).rows[0].more);
    }
    expect(await volumes(config)).toEqual(complete(20));
    await pool.query(`DELETE FROM ${quoted(config)}.bars WHERE ts < now() - interval '10 days'`);
    expect(await volumes(config)).toMatchObject({ bars_5m: 480, bars_1h: 480, bars_1d: 480 });
    expect(names(await migrate(pool, asked))).toEqual([]);
  });

  it('has the days of a zone that were asked for, through changes of the clocks, and keeps them', async () => {
    const config = newSchema();
    const days = { timeZone: 'America/New_York', startsAt: '17:00' };
    const hours = Array.from({ length: 24 * 400 }, (_, i) =>
      bar({ ts: Date.UTC(2024, 0, 1) + i * 3_600_000, volume: 1 }),
    );
    await write(barsSink(pool, config), hours);
    await migrate(pool, { ...config, days });
    const starts = async () =>
      (
        await pool.query<{ at: string; volume: number }>(
          `SELECT to_char(ts AT TIME ZONE 'America/New_York', 'HH24:MI') AS at, volume FROM ${quoted(config)}.bars_1d ORDER BY ts`,
        )
      ).rows;
    const inner = (await starts()).slice(1, -1);
    expect(new Set(inner.map(({ at }) => at))).toEqual(new Set(['17:00']));
    expect(new Set(inner.map(({ volume }) => volume))).toEqual(new Set([23, 24, 25]));
    expect(names(await migrate(pool, { ...config, days }))).toEqual([]);
    expect(names(await migrate(pool, config))).toEqual([]);
    expect(names(await migrate(pool, { ...config, days: { timeZone: 'UTC' } }))).toEqual([
      'bars_1d aggregate',
      'bars_1d refresh',
    ]);
    expect(new Set((await starts()).slice(1, -1).map(({ volume }) => volume))).toEqual(new Set([24]));
    expect(names(await migrate(pool, config))).toEqual([]);
  });
});

describe('the catalogue of TimescaleDB 2.28.3', () => {
  const database = freshDatabase();
  let pool: pg.Pool;
  beforeAll(async () => {
    pool = database.pool({ max: 2, options: loaded('2.28.3') });
    await fakeTimescale(pool, '2.28.3');
  });

  it('loses most of a history to a first refresh in its own order, which a run puts right', async () => {
    await write(barsSink(pool), history(20));
    await migrate(pool);
    await pool.query(`UPDATE fake.job SET config = config - 'refresh_newest_first'`);
    const first = (await pool.query(`SELECT min(id) AS id FROM fake.job WHERE proc LIKE '%refresh%'`)).rows[0].id;
    await pool.query('SELECT fake.run_batch($1)', [first]);
    expect((await pool.query('SELECT sum(volume) FROM bars_5m')).rows[0].sum).toBeLessThan(50);
    expect(names(await migrate(pool))).toEqual(AGGREGATES.map((name) => `${name} refresh order`));
    expect(names(await migrate(pool))).toEqual([]);
  });

  it('lets a user who may not alter the jobs migrate a store that lacks nothing, and says what may be missing', async () => {
    await pool.query(`UPDATE fake.job SET config = config - 'refresh_newest_first' WHERE proc LIKE '%refresh%'`);
    await pool.query(`CREATE OR REPLACE FUNCTION public.alter_job(job_id int, schedule_interval interval = NULL, config jsonb = NULL)
      RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE insufficient_privilege USING MESSAGE = 'must be owner'; END $$`);
    const { steps, notes } = await migrate(pool);
    expect(steps).toEqual([]);
    expect(notes).toHaveLength(3);
    expect(notes[2]).toMatch(/^bars_1d may lack bars while it is refreshed, .* let the owner of the job migrate$/);
  });

  it('refuses a refresh by hand in a transaction, so that the fake is as strict as what it stands for', async () => {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      await expect(
        client.query(`CALL refresh_continuous_aggregate('bars_1d'::regclass, NULL, now())`),
      ).rejects.toMatchObject({ code: '2D000' });
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  });

  describe('a run that meets a refresh under way', () => {
    const asked = { timescale: { retainBarsMs: 10 * DAY_MS } };
    /** Refuses so many calls as from 2.27 on, each of which is counted in a sequence, whatever becomes of its transaction. */
    const refuse = (calls: number) =>
      pool.query(`DROP SEQUENCE IF EXISTS fake.calls; CREATE SEQUENCE fake.calls;
        CREATE OR REPLACE PROCEDURE public.refresh_continuous_aggregate(
          continuous_aggregate regclass, window_start timestamptz, window_end timestamptz, force bool = false, options jsonb = NULL)
        LANGUAGE plpgsql AS $$ BEGIN
          IF nextval('fake.calls') <= ${calls} THEN RAISE EXCEPTION 'concurrent refresh' USING ERRCODE = 'lock_not_available'; END IF;
        END $$`);

    it('gives up after its limit, and has set up no retention before', async () => {
      await refuse(1_000);
      await expect(migrate(pool, { ...asked, lockTimeoutMs: 20 })).rejects.toMatchObject({
        code: 'SLUICE_MIGRATION_LOCKED',
        step: 'bars_5m refresh',
        message: 'bars_5m refresh waited 20 ms for another refresh: migrate again once that has ended',
      });
      expect((await pool.query(`SELECT FROM fake.job WHERE proc = 'policy_retention'`)).rows).toEqual([]);
    });

    it('goes on once that has ended, and says what it does before it does', async () => {
      await refuse(1);
      const said: string[] = [];
      const { steps } = await migrate(pool, { ...asked, onWait: (message) => said.push(message) });
      expect(steps.map(({ name }) => name)).toEqual([...REFRESHES, 'bars retention']);
      expect(said[0]).toBe(
        'refresh bars_5m every 5 minutes, as far back as 10 days: all that is there first, which may take a while',
      );
      expect((await pool.query('SELECT last_value::int AS calls FROM fake.calls')).rows).toEqual([{ calls: 4 }]);
    });
  });
});
