import type pg from 'pg';
import { lastValueFrom, type Observable, toArray } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Bar } from '../../src/market/bar.js';
import { migrate, migrationPlan } from '../../src/postgres/migrate/migrate.js';
import { MIGRATIONS } from '../../src/postgres/migrate/migrations.js';
import { withMigrator } from '../../src/postgres/migrate/migrator.js';
import { bars } from '../../src/postgres/read/bars.js';
import { latest } from '../../src/postgres/read/latest.js';
import { RECORD_TABLES } from '../../src/postgres/recordTables.js';
import type { Table } from '../../src/postgres/table.js';
import { tableSink } from '../../src/postgres/tableSink.js';
import { TIMESCALE_OPTIONS, type TimescaleConfig, timescaleSettings } from '../../src/postgres/timescale/settings.js';
import { readOptions } from '../../src/primitives/options.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { newsSink } from '../../src/sinks/newsSink.js';
import { DETAILS, formerBarsSink } from '../support/formerBars.js';
import { bar, barsOf, write } from './bars.js';
import { newsItem, storedNews } from './events.js';
import { inEachPlace } from './places.js';

/** What programs of the former version read of the table. */
async function formerRows(pool: pg.Pool, table = 'bars'): Promise<unknown[]> {
  const { rows } = await pool.query(
    `SELECT bar.vendor, bar.symbol, bar.timeframe, (extract(epoch FROM bar.ts) * 1000000)::int8 AS micros,
            bar.open, bar.high, bar.low, bar.close, bar.volume, bar.seq
       FROM ${table} AS bar ORDER BY 1, 2, 3, 4`,
  );
  return rows.map(({ micros, seq, ...row }) => ({ kind: 'bar', ...row, ts: Number(micros) / 1000, seq: Number(seq) }));
}

const NOTHING_ASKED: TimescaleConfig = {};

/** The store as a program of the former version leaves it. */
async function migrateAsFormer(pool: pg.Pool): Promise<void> {
  const config = {
    migrations: MIGRATIONS.slice(0, 4),
    schema: undefined,
    timescale: timescaleSettings(readOptions('migrate', NOTHING_ASKED, TIMESCALE_OPTIONS)),
    onStep: () => {},
    onWait: () => {},
    lockTimeoutMs: 60_000,
    answerTimeoutMs: 20_000,
  };
  await withMigrator(pool, config, (migrator) => migrator.run());
}

const all = <T>(source: Observable<T>) => lastValueFrom(source.pipe(toArray()));
const byTime = (a: Bar, b: Bar) => a.ts - b.ts;

inEachPlace(({ pool: poolOf }) => {
  let pool: pg.Pool;
  beforeEach(async () => {
    pool = poolOf();
    await pool.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  });

  const old = barsOf(200).map((one, i) => ({ ...one, open: 0.5 + i / 1_000, ts: one.ts + 0.001, seq: i }));
  const read = (table = 'bars', timeframe = '1m') =>
    all(bars(pool, { symbol: 'ACME', vendor: 'test', timeframe, table, pageSize: 50 }));

  describe('a store of the former version, with rows', () => {
    beforeEach(async () => {
      await migrateAsFormer(pool);
      await write(formerBarsSink(pool), old);
      await write(newsSink(pool), [newsItem()]);
    });

    it('is migrated: the rows are as they were, what is new of them is null, and old and new readers agree', async () => {
      const before = await formerRows(pool);
      expect(before).toHaveLength(200);
      const rollup = await formerRows(pool, 'bars_5m');
      const plan = await migrationPlan(pool);
      const names = ['005_bar_details', '006_trades', '007_quotes', '008_gaps'];
      expect(plan.steps.map(({ name }) => name)).toEqual(names);
      expect((await migrate(pool)).steps).toEqual(plan.steps);
      expect((await migrate(pool)).steps).toEqual([]);

      expect(await formerRows(pool)).toEqual(before);
      expect(await read()).toEqual(before);
      expect(await all(latest(pool, { symbols: ['ACME'] }))).toEqual([before.at(-1)]);
      const known = DETAILS.map((name) => `${name} IS NOT NULL`).join(' OR ');
      expect((await pool.query(`SELECT count(*)::int AS n FROM bars WHERE ${known}`)).rows).toEqual([{ n: 0 }]);
      expect(await formerRows(pool, 'bars_5m')).toEqual(rollup);
      expect(await read('bars_5m', '5m')).toEqual(rollup);
      expect(await storedNews(pool)).toEqual([newsItem()]);
    });

    it('takes what is new of a bar afterwards, also as a revision of an old row, and from former programs what they have', async () => {
      await migrate(pool);
      const details = { isFinal: true, isComplete: false, trades: 17, vwap: 1.25 };
      const revised = { ...old[3]!, ...details, seq: 1_000 };
      const fresh = bar({ ts: Date.UTC(2025, 0, 1), ...details });
      const bare = bar({ ts: Date.UTC(2025, 0, 2) });
      await write(barsSink(pool), [revised, fresh]);
      await write(formerBarsSink(pool), [bare]);
      const expected = [...old.with(3, revised), fresh, bare].toSorted(byTime);
      expect(await read()).toEqual(expected);
      expect(await all(latest(pool, { symbols: ['ACME'] }))).toEqual([bare]);
      // A former program reads the same without it.
      const former = expected.map(({ isFinal: _, isComplete: __, trades: ___, vwap: ____, ...one }) => one);
      expect(await formerRows(pool)).toEqual(former);
    });

    it('is read before it is migrated, and a sink says what to do', async () => {
      expect(await read()).toEqual(old);
      expect(await all(latest(pool, { symbols: ['ACME'], timeframe: '1m' }))).toEqual([old.at(-1)]);
      await expect(write(barsSink(pool), old)).rejects.toMatchObject({
        code: 'SLUICE_STORE_TABLE',
        message: expect.stringMatching(
          /the table "bars" lacks columns: migrate the store with sluice migrate, or add "is_final" bool, "is_complete" bool, "trades" int8, "vwap" float8/,
        ),
      });
    });

    it('has its columns again when a former program has made the table anew', async () => {
      await migrate(pool);
      await pool.query('DROP TABLE bars CASCADE');
      await write(formerBarsSink(pool), old);
      const { steps } = await migrate(pool);
      expect(steps.map(({ what }) => what)).toEqual([
        'apply 005_bar_details again, whose columns are gone',
        ...['5m', '1h', '1d'].map((timeframe) => `make bars_${timeframe} a view of the bars of 1m`),
      ]);
      expect(await read()).toEqual(old);
      await write(barsSink(pool), [{ ...old[0]!, trades: 1, seq: 5_000 }]);
    });
  });

  it('a table that the sink of a former program made is taken over, with its rows', async () => {
    await write(formerBarsSink(pool), old);
    await migrate(pool);
    expect(await read()).toEqual(old);
  });

  /** Everything that makes up a table, but for what is there only to make it faster. */
  const shapeOf = async (table: string) => {
    const columns = await pool.query(
      `SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required
         FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
      [table],
    );
    const keys = await pool.query(
      `SELECT pg_get_constraintdef(oid) AS key FROM pg_constraint WHERE conrelid = to_regclass($1) AND contype = 'p'`,
      [table],
    );
    expect(columns.rows.length).toBeGreaterThan(5);
    return { columns: columns.rows, keys: keys.rows };
  };

  it.each(Object.values(RECORD_TABLES).map(({ table }) => [table.name, table as unknown as Table<never>]))(
    'the sink makes the very table %s that migrations make, column by column',
    async (name, table) => {
      await migrate(pool);
      const migrated = await shapeOf(name);
      await pool.query(`DROP TABLE ${name} CASCADE`);
      await write(tableSink(pool, table), []);
      expect(await shapeOf(name)).toEqual(migrated);
    },
  );
});
