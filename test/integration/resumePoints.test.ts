import type pg from 'pg';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Gap, gapSeq } from '../../src/market/gap.js';
import { migrate } from '../../src/postgres/migrate/migrate.js';
import { type ResumePointsConfig, resumePoints } from '../../src/postgres/read/resumePoints.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { gapsSink } from '../../src/sinks/gapsSink.js';
import { quotesSink } from '../../src/sinks/quotesSink.js';
import { tradesSink } from '../../src/sinks/tradesSink.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { bar, write } from './bars.js';
import { gap, quote, trade } from './events.js';
import { inEachPlace } from './places.js';

const T = Date.UTC(2026, 0, 5, 15);
const vendor = 'test';

const missing = (from: number, to: number, fields: Partial<Gap> = {}) =>
  gap({
    vendor,
    symbol: 'A',
    of: 'trade',
    timeframe: undefined,
    from: T + from,
    to: T + to,
    seq: gapSeq('open', T + to),
    ...fields,
  });

inEachPlace(({ pool: poolOf }) => {
  let pool: pg.Pool;
  beforeEach(async () => {
    pool = poolOf();
    await pool.query('DROP TABLE IF EXISTS bars, trades, quotes, gaps');
  });

  /** The points of some series, as milliseconds after T. */
  async function points(config: Partial<ResumePointsConfig>, ...series: readonly string[]) {
    const of = await resumePoints(pool, { vendor, kinds: ['trade'], ...config });
    return series.map((name) => {
      const [kind, symbol, timeframe] = name.split(' ') as [string, string, string | undefined];
      const known = of({ of: kind, symbol, ...(timeframe !== undefined && { timeframe }) });
      return known === undefined ? undefined : known - T;
    });
  }

  describe('resumePoints', () => {
    it('knows nothing of a store without tables, and of tables without rows', async () => {
      const all = { kinds: ['bar', 'trade', 'quote'] as const };
      expect(await points(all, 'trade A', 'bar A', 'quote *')).toEqual([undefined, undefined, undefined]);
      await write(tradesSink(pool), [trade({ symbol: 'B' })]);
      await pool.query('DELETE FROM trades');
      expect(await points({ ...all, symbols: ['A', '*'] }, 'trade A', 'trade *')).toEqual([undefined, undefined]);
    });

    it('gives the time of the newest record of each series, by vendor, kind and timeframe', async () => {
      await write(tradesSink(pool), [
        trade({ vendor, symbol: 'A', ts: T + 1.125, id: '1' }),
        trade({ vendor, symbol: 'A', ts: T + 3.5, id: '2' }),
        trade({ vendor, symbol: 'a', ts: T + 2, id: '3' }),
        trade({ vendor: 'other', symbol: 'A', ts: T + 9, id: '4' }),
      ]);
      await write(quotesSink(pool), [quote({ vendor, symbol: 'A', ts: T + 7, id: '1' })]);
      await write(barsSink(pool), [
        bar({ vendor, symbol: 'A', timeframe: '1m', ts: T }),
        bar({ vendor, symbol: 'A', timeframe: '5m', ts: T + 60_000 }),
      ]);
      const kinds = ['trade', 'quote', 'bar'] as const;
      const series = ['trade A', 'trade a', 'trade C', 'quote A', 'bar A', 'bar A 1m', 'bar A 5m', 'news A'];
      for (const symbols of [['A', 'a', 'C'], undefined]) {
        const config = symbols ? { kinds, symbols } : { kinds };
        expect(await points(config, ...series)).toEqual([3.5, 2, undefined, 7, 0, 0, undefined, undefined]);
      }
      expect(await points({ kinds, timeframe: '5m' }, 'bar A', 'bar A 1m', 'bar A 5m')).toEqual([
        60_000,
        undefined,
        60_000,
      ]);
      expect(await points({ kinds, symbols: ['a'] }, 'trade A', 'trade a')).toEqual([undefined, 2]);
    });

    it('goes by the newest final bar, because the one before a forming one may be corrected', async () => {
      await write(barsSink(pool), [
        bar({ vendor, symbol: 'A', ts: T, isFinal: true }),
        bar({ vendor, symbol: 'A', ts: T + 60_000, isFinal: false }),
        bar({ vendor, symbol: 'B', ts: T + 60_000, isFinal: false }),
        bar({ vendor, symbol: 'C', ts: T + 60_000, isFinal: false }),
        bar({ vendor, symbol: 'C', ts: T + 120_000, isFinal: false }),
      ]);
      expect(await points({ kinds: ['bar'] }, 'bar A', 'bar B', 'bar C')).toEqual([0, 60_000, 60_000]);
    });

    it('does not go by records of a time to come', async () => {
      const ahead = trade({ vendor, symbol: 'A', ts: T + 50, id: '2' });
      await write(tradesSink(pool), [trade({ vendor, symbol: 'A', ts: T, id: '1' }), ahead]);
      expect(await points({ now: T + 49 }, 'trade A')).toEqual([0]);
      expect(await points({ now: T + 50 }, 'trade A')).toEqual([50]);
      await write(tradesSink(pool), [trade({ vendor, symbol: 'A', ts: Date.now() + 1e9, id: '3' })]);
      expect(await points({}, 'trade A')).toEqual([50]);
    });

    it('gives the end of the gaps that follow the newest record without a hole', async () => {
      await write(tradesSink(pool), [
        trade({ vendor, symbol: 'A', ts: T + 100, id: '1' }),
        trade({ vendor, symbol: 'B', ts: T + 100, id: '1' }),
      ]);
      await write(gapsSink(pool), [
        missing(100, 200),
        missing(200, 300, { state: 'filled', rows: 0 }),
        // What came between 300 and 400 may not be committed.
        missing(400, 500),
        missing(0, 50),
        missing(100, 900, { of: 'quote' }),
        missing(100, 900, { vendor: 'other' }),
        missing(100, 900, { of: 'bar', timeframe: '1m' }),
        missing(101, 900, { symbol: 'B' }),
      ]);
      expect(await points({}, 'trade A', 'trade B')).toEqual([300, 100]);
    });

    it('does not believe what a gap says of a time after it was written', async () => {
      const symbols = ['open', 'closed', 'late'];
      await write(
        tradesSink(pool),
        symbols.map((symbol) => trade({ vendor, symbol, ts: T + 100, id: '1' })),
      );
      await write(gapsSink(pool), [
        missing(50, 900_000, { symbol: 'open', cause: 'requested', seq: gapSeq('open', T + 250) }),
        missing(50, 900_000, { symbol: 'closed', cause: 'requested', state: 'filled', seq: gapSeq('filled', T + 350) }),
        missing(50, 200, { symbol: 'late', state: 'filled', seq: gapSeq('filled', T + 5_000) }),
      ]);
      expect(await points({}, ...symbols.map((symbol) => `trade ${symbol}`))).toEqual([250, 350, 200]);
    });

    it('goes by the newest final bar of the newest two, and needs no column that says so', async () => {
      const forming = Array.from({ length: 9 }, (_, i) =>
        bar({ vendor, symbol: 'F', ts: T + i * 60_000, isFinal: false }),
      );
      const mixed = [true, true, false].map((isFinal, i) => bar({ vendor, symbol: 'M', ts: T + i * 60_000, isFinal }));
      await write(barsSink(pool), [...forming, ...mixed, bar({ vendor, symbol: 'one', ts: T, isFinal: false })]);
      const of = ['bar F', 'bar M', 'bar one'];
      expect(await points({ kinds: ['bar'] }, ...of)).toEqual([7 * 60_000, 60_000, 0]);
      await pool.query('ALTER TABLE bars DROP COLUMN is_final');
      expect(await points({ kinds: ['bar'] }, ...of)).toEqual([8 * 60_000, 2 * 60_000, 0]);
    });

    it('knows a series of all symbols until shortly before its newest record, or to the end of a gap of all', async () => {
      await write(
        tradesSink(pool),
        ['A', 'B', 'C'].map((symbol, i) => trade({ vendor, symbol, ts: T + i * 1_000, id: '1' })),
      );
      expect(await points({ wildcardMarginMs: 500 }, 'trade *', 'trade A')).toEqual([1_500, 0]);
      expect(await points({ symbols: ['*'] }, 'trade *')).toEqual([2_000 - 60_000]);
      await write(gapsSink(pool), [missing(1_400, 9_000, { symbol: '*' })]);
      expect(await points({ symbols: ['*'], wildcardMarginMs: 500 }, 'trade *')).toEqual([9_000]);
    });

    it('looks up many symbols, whatever they are called', async () => {
      const symbols = Array.from({ length: 1_203 }, (_, i) => (i === 7 ? `"'; DROP TABLE trades; --` : `S${i}`));
      await write(
        tradesSink(pool),
        symbols.map((symbol, i) => trade({ vendor, symbol, ts: T + i, id: '1' })),
      );
      const of = await resumePoints(pool, { vendor, kinds: ['trade'], symbols });
      expect(symbols.map((symbol) => of({ of: 'trade', symbol })! - T)).toEqual(symbols.map((_, i) => i));
    });
  });
});

describe('resumePoints', () => {
  const database = freshDatabase();

  it('reads by index only', async () => {
    const pool = database.pool({ max: 2 });
    await migrate(pool, {});
    await pool.query(
      `INSERT INTO trades SELECT 'v' || i % 3, 'S' || i % 20, timestamptz '2026-01-05' + i * interval '1 s', i::text, 1, 1, NULL, NULL, NULL, 1
         FROM generate_series(1, 60000) AS i`,
    );
    await pool.query(
      `INSERT INTO gaps SELECT 'v' || i % 3, 'S' || i % 20, 'trade', '', timestamptz '2026-01-01' + i * interval '1 s',
         timestamptz '2026-01-01' + i * interval '2 s', 'reconnect', 'open', NULL, NULL, 1 FROM generate_series(1, 6000) AS i`,
    );
    await pool.query('ANALYZE trades; ANALYZE gaps');
    const client = await pool.connect();
    const lent = { query: client.query.bind(client), on() {}, removeListener() {}, release() {} };
    const one = { connect: async () => lent } as unknown as pg.Pool;
    const counts = async () => {
      const { rows } = await client.query<{ scanned: number; fetched: number }>(
        `SELECT seq_scan::int AS scanned, idx_tup_fetch::int AS fetched FROM pg_stat_xact_user_tables
          WHERE relname IN ('trades', 'gaps') ORDER BY relname`,
      );
      return rows as [(typeof rows)[0], (typeof rows)[0]];
    };
    try {
      await client.query('BEGIN');
      const [gapsBefore, tradesBefore] = await counts();
      const of = await resumePoints(one, { vendor: 'v1', kinds: ['trade'] });
      expect(of({ of: 'trade', symbol: 'S1' })).toBe(Date.UTC(2026, 0, 5) + 59_941_000);
      const [gaps, trades] = await counts();
      expect([gaps.scanned - gapsBefore.scanned, trades.scanned - tradesBefore.scanned]).toEqual([0, 0]);
      // Of each of 20 symbols and of `*` the first record, the newest one, and the newest gaps.
      expect(trades.fetched - tradesBefore.fetched).toBeLessThanOrEqual(3 * 21);
      expect(gaps.fetched - gapsBefore.fetched).toBeLessThanOrEqual(10 * 21);
      expect(gaps.fetched - gapsBefore.fetched).toBeGreaterThan(0);
      await client.query('COMMIT');
    } finally {
      client.release();
    }
  });

  it('says why it could not read, and returns its connection', async () => {
    const pool = database.pool({ max: 1 });
    await pool.query('CREATE SCHEMA broken; CREATE TABLE broken.trades (vendor text)');
    const config = { vendor, kinds: ['trade'] as const, symbols: ['A'], schema: 'broken' };
    await expect(resumePoints(pool, config)).rejects.toMatchObject({ code: 'SLUICE_STORE_READ' });
    expect(await pool.query('SELECT 1')).toMatchObject({ rowCount: 1 });
  });

  it.each([
    [{}, 'vendor must be'],
    [{ vendor: 'v', kinds: [] }, 'kinds must'],
    [{ vendor: 'v', kinds: ['option'] }, 'kinds[0] must be one of'],
    [{ vendor: 'v', kinds: ['bar'], wildcardMarginMs: -1 }, 'wildcardMarginMs must be'],
    [{ vendor: 'v', kinds: ['bar'], symbol: 'A' }, 'unknown option "symbol"'],
  ])('refuses %j', async (config, message) => {
    await expect(resumePoints({ connect() {} } as never, config as never)).rejects.toThrow(message);
  });
});
