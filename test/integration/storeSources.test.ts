import type pg from 'pg';
import { delay, lastValueFrom, of, reduce, tap, toArray } from 'rxjs';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Gate } from '../../src/flow/gate.js';
import type { Bar } from '../../src/market/bar.js';
import { boundedBuffer } from '../../src/operators/boundedBuffer.js';
import { boundedMergeMap } from '../../src/operators/boundedMergeMap.js';
import { bars } from '../../src/postgres/read/bars.js';
import { latest } from '../../src/postgres/read/latest.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { embeddedStore } from '../postgres/embeddedStore.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { observe } from '../support/collect.js';
import { bar, barsOf, write } from './bars.js';

const START = Date.UTC(2024, 0, 2);
const all = (source: ReturnType<typeof bars>) => lastValueFrom(source.pipe(toArray()));
const byTime = (a: Bar, b: Bar) => a.ts - b.ts || (a.vendor < b.vendor ? -1 : a.vendor > b.vendor ? 1 : 0);

function semantics(poolOf: () => pg.Pool): void {
  let pool: pg.Pool;
  beforeEach(async () => {
    pool = poolOf();
    await pool.query('DROP TABLE IF EXISTS bars');
    await pool.query('DROP TABLE IF EXISTS other');
  });

  describe('bars', () => {
    it('gives back what was written, whole and in order', async () => {
      const written = barsOf(50).map((one, i) => ({ ...one, open: i + 0.1, volume: -0, seq: i + 1 }));
      await write(barsSink(pool), written.toReversed());
      expect(await all(bars(pool, { symbol: 'ACME', timeframe: '1m', pageSize: 7 }))).toEqual(written);
    });

    it('keeps microseconds, at the bounds too', async () => {
      const micros = [
        -7_999_999_999_999_999, -1, 0, 1_704_205_800_123_456, 1_704_205_800_123_457, 1_704_205_800_123_458,
        7_999_999_999_999_999,
      ];
      await write(
        barsSink(pool),
        micros.map((us) => bar({ ts: us / 1000 })),
      );
      const read = async (range: { from?: number; to?: number }) =>
        (await all(bars(pool, { symbol: 'ACME', timeframe: '1m', pageSize: 2, ...range }))).map(({ ts }) =>
          Math.round(ts * 1000),
        );
      expect(await read({})).toEqual(micros);
      for (let i = 0; i < micros.length; i++) {
        const at = micros[i]! / 1000;
        expect(await read({ from: at })).toEqual(micros.slice(i));
        expect(await read({ to: at })).toEqual(micros.slice(0, i));
        expect(await read({ from: at, to: at })).toEqual([]);
      }
    });

    it.each([1, 3, 4, 5, 16, 1000])('merges symbols and vendors by time at a page size of %d', async (pageSize) => {
      const written: Bar[] = [];
      for (const vendor of ['v', 'w']) {
        written.push(...barsOf(40, { vendor, symbol: 'ALL' }));
        written.push(...barsOf(40, { vendor, symbol: 'ODD' }).filter((_, i) => i % 2 === 1));
        written.push(...barsOf(3, { vendor, symbol: 'FEW' }));
      }
      written.push(bar({ vendor: 'v', symbol: 'LATE', ts: START + 39 * 60_000 }));
      const others = [bar({ symbol: 'ALL', timeframe: '5m' }), bar({ symbol: 'NOT' })];
      await write(barsSink(pool), [...written, ...others]);
      const symbols = ['ODD', 'ALL', 'NONE', 'LATE', 'FEW', 'ALL'];
      const read = await all(bars(pool, { symbols, timeframe: '1m', pageSize }));
      const place = (one: Bar) => symbols.indexOf(one.symbol);
      expect(read).toEqual(written.toSorted((a, b) => byTime(a, b) || place(a) - place(b)));
    });

    it('reads one vendor, one range, another table and schema, hostile names included', async () => {
      const symbol = `"a", {b}\\'; DROP TABLE bars; --`;
      await pool.query('CREATE SCHEMA IF NOT EXISTS "Other ""one"""');
      const place = { schema: 'Other "one"', table: 'x; y' };
      const written = ['v', 'w'].flatMap((vendor) => barsOf(10, { vendor, symbol }));
      await write(barsSink(pool, place), written);
      const range = { from: START + 2 * 60_000, to: START + 5 * 60_000 };
      const read = await all(bars(pool, { symbol, vendor: 'w', timeframe: '1m', ...place, ...range }));
      expect(read).toEqual(written.slice(12, 15));
      await pool.query('DROP SCHEMA "Other ""one""" CASCADE');
    });

    it('begins anew at each subscription, and sees what has been written since', async () => {
      const sink = barsSink(pool);
      await write(sink, barsOf(5));
      const source = bars(pool, { symbol: 'ACME', timeframe: '1m', pageSize: 2 });
      expect(await all(source)).toHaveLength(5);
      await write(sink, barsOf(8));
      expect(await all(source)).toHaveLength(8);
    });

    it('is empty where there is no such bar, and passes over infinite instants', async () => {
      await write(barsSink(pool), barsOf(3));
      await pool.query(
        `INSERT INTO bars SELECT vendor, symbol, timeframe, i, open, high, low, close, volume, seq
           FROM bars, unnest(ARRAY['infinity', '-infinity']::timestamptz[]) AS i WHERE close = 0`,
      );
      expect(await all(bars(pool, { symbol: 'NONE', timeframe: '1m' }))).toEqual([]);
      expect(await all(bars(pool, { symbol: 'ACME', vendor: 'none', timeframe: '1m' }))).toEqual([]);
      expect(await all(bars(pool, { symbol: 'ACME', timeframe: '1m' }))).toHaveLength(3);
      expect((await all(latest(pool, { symbols: ['ACME'] }))).map(({ close }) => close)).toEqual([2]);
    });

    it('says what to do where the table is missing, and works once it is there', async () => {
      const source = bars(pool, { symbol: 'ACME', timeframe: '1m' });
      await expect(all(source)).rejects.toMatchObject({
        name: 'StoreReadError',
        sqlState: '42P01',
        message: expect.stringMatching(/^cannot read "bars": it is missing \(.*\): migrate the store first/),
      });
      await write(barsSink(pool), barsOf(2));
      expect(await all(source)).toHaveLength(2);
    });

    it('says so where the table holds something else', async () => {
      await pool.query('CREATE TABLE other (vendor text, symbol text)');
      await expect(all(bars(pool, { symbol: 'A', vendor: 'v', timeframe: '1m', table: 'other' }))).rejects.toThrow(
        /cannot read "other": it is not a table of such records/,
      );
    });

    it('reads 100,000 bars of 50 symbols through a buffer that is slower', async () => {
      const sink = barsSink(pool);
      const symbols = Array.from({ length: 50 }, (_, i) => `S${i}`);
      for (const symbol of symbols) await write(sink, barsOf(2_000, { symbol }));
      const source = bars(pool, { symbols, timeframe: '1m' }).pipe(
        boundedBuffer({ capacity: 500 }),
        boundedMergeMap((one) => (one.close % 500 === 0 ? of(one).pipe(delay(1)) : of(one)), { concurrency: 1 }),
        reduce(
          (seen, { ts, symbol }) => {
            const place = symbols.indexOf(symbol);
            const isNext = ts > seen.ts ? place === 0 : ts === seen.ts && place === seen.place + 1;
            return { count: seen.count + 1, ts, place, inOrder: seen.inOrder && isNext };
          },
          { count: 0, ts: 0, place: -1, inOrder: true },
        ),
      );
      expect(await lastValueFrom(source)).toMatchObject({ count: 100_000, inOrder: true });
    }, 60_000);
  });

  describe('latest', () => {
    it('gives the newest bar of each symbol, vendor and timeframe', async () => {
      const written = ['v', 'w'].flatMap((vendor) =>
        ['1d', '1m', '5m'].flatMap((timeframe) =>
          ['A', 'B'].flatMap((symbol) => barsOf(4, { vendor, timeframe, symbol })),
        ),
      );
      await write(barsSink(pool), [...written, bar({ vendor: 'x', symbol: 'C', timeframe: '2m' })]);
      const newest = (await all(latest(pool, { symbols: ['B', 'NONE', 'A', 'B', 'C'], pageSize: 1 }))).map(
        ({ symbol, vendor, timeframe, close }) => `${symbol} ${vendor} ${timeframe} ${close}`,
      );
      expect(newest).toEqual([
        ...['B v 1d 3', 'B v 1m 3', 'B v 5m 3', 'B w 1d 3', 'B w 1m 3', 'B w 5m 3'],
        ...['A v 1d 3', 'A v 1m 3', 'A v 5m 3', 'A w 1d 3', 'A w 1m 3', 'A w 5m 3'],
        'C x 2m 1.5',
      ]);
      const one = await all(latest(pool, { symbols: ['A', 'B'], vendor: 'w', timeframe: '5m' }));
      expect(one).toEqual(
        ['A', 'B'].map((symbol) => bar({ vendor: 'w', timeframe: '5m', symbol, close: 3, ts: START + 180_000 })),
      );
      expect(await all(latest(pool, { symbols: ['A'], timeframe: '1d' }))).toHaveLength(2);
      expect(await all(latest(pool, { symbols: ['A'], vendor: 'v' }))).toHaveLength(3);
    });

    it('is empty for an empty table', async () => {
      await write(barsSink(pool), []);
      await write(barsSink(pool), [bar()]);
      await pool.query('DELETE FROM bars');
      expect(await all(latest(pool, { symbols: ['A'] }))).toEqual([]);
    });
  });
}

describe('a Postgres server', () => {
  const database = freshDatabase();
  let pool: pg.Pool;
  beforeAll(() => {
    pool = database.pool({ max: 3 });
  });
  semantics(() => pool);

  it('cuts the connection that waits for an answer, and leaves none in use', async () => {
    await pool.query('DROP TABLE IF EXISTS bars');
    await write(barsSink(pool), barsOf(10));
    const own = database.pool({ max: 1 });
    const holder = await pool.connect();
    await holder.query('BEGIN; LOCK TABLE bars');
    const subscription = bars(own, { symbol: 'ACME', timeframe: '1m' }).subscribe();
    const waiting =
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    await expect.poll(async () => (await pool.query(waiting)).rows[0].n, { timeout: 10_000 }).toBe(1);
    subscription.unsubscribe();
    // Ends although the table is still locked.
    await own.end();
    await holder.query('ROLLBACK');
    holder.release();
  });

  it('fails when the connection breaks half-way, after what was read, and reads on from there', async () => {
    await pool.query('DROP TABLE IF EXISTS bars');
    await write(barsSink(pool), barsOf(40));
    const own = database.pool({ max: 1 });
    const source = (from: number) => bars(own, { symbol: 'ACME', timeframe: '1m', pageSize: 10, from });
    const gate = new Gate();
    // The first page is half used up when the table is locked: the second waits, and loses its connection.
    const halted = source(START).pipe(tap(({ close }) => close === 5 && gate.close()));
    const seen = observe(halted, gate);
    await seen.count(6);
    const holder = await pool.connect();
    await holder.query('BEGIN; LOCK TABLE bars');
    gate.open();
    const cut =
      'SELECT count(pg_terminate_backend(pid))::int AS n FROM pg_stat_activity ' +
      "WHERE wait_event_type = 'Lock' AND datname = current_database()";
    await expect.poll(async () => (await pool.query(cut)).rows[0].n, { timeout: 10_000 }).toBe(1);
    await seen.ended;
    await holder.query('ROLLBACK');
    holder.release();
    expect(seen.end).toMatchObject({
      kind: 'error',
      error: { name: 'StoreReadError', message: expect.stringContaining('subscribe again') },
    });
    expect(seen.items).toHaveLength(10);
    const rest = await all(source(seen.items.at(-1)!.ts + 0.001));
    expect(rest.map(({ close }) => close)).toEqual(Array.from({ length: 30 }, (_, i) => i + 10));
  });

  it('reads each row once, along the primary key', async () => {
    await pool.query('DROP TABLE IF EXISTS bars');
    await write(barsSink(pool), [...barsOf(3_000), ...barsOf(2_000, { symbol: 'OTHER' })]);
    await pool.query('VACUUM ANALYZE bars');
    // One connection, whose numbers are flushed when it is told to.
    const own = database.pool({ max: 1 });
    const read = async () => {
      await own.query('SELECT pg_stat_force_next_flush()');
      const { rows } = await own.query<{ scans: number; fetched: number }>(
        "SELECT seq_scan::int AS scans, idx_tup_fetch::int AS fetched FROM pg_stat_user_tables WHERE relname = 'bars'",
      );
      return rows[0]!;
    };
    const before = await read();
    expect(await all(bars(own, { symbols: ['ACME', 'OTHER'], timeframe: '1m', pageSize: 100 }))).toHaveLength(5_000);
    const between = await read();
    expect(between.scans).toBe(before.scans);
    expect(between.fetched - before.fetched).toBeLessThan(5_100);
    expect(between.fetched - before.fetched).toBeGreaterThanOrEqual(5_000);
    await all(latest(own, { symbols: ['ACME', 'OTHER'] }));
    const after = await read();
    expect(after.scans).toBe(before.scans);
    expect(after.fetched - between.fetched).toBeLessThan(20);
  });
});

describe('PGlite', () => {
  const store = embeddedStore();
  semantics(() => store().pool as pg.Pool);

  it('gives its only connection back when unsubscribed, and answers right after', async () => {
    await store().pool.query('DROP TABLE IF EXISTS bars');
    await write(barsSink(store().pool), barsOf(10));
    for (let i = 0; i < 3; i++) bars(store().pool, { symbol: 'ACME', timeframe: '1m' }).subscribe().unsubscribe();
    expect(await all(bars(store().pool, { symbol: 'ACME', timeframe: '1m' }))).toHaveLength(10);
    expect(store().pool.idleCount).toBe(1);
  });
});
