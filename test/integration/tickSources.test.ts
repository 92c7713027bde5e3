import type pg from 'pg';
import { delay, lastValueFrom, type Observable, of, tap, toArray } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { Gate } from '../../src/flow/gate.js';
import type { Gap } from '../../src/market/gap.js';
import type { Quote } from '../../src/market/quote.js';
import type { Trade } from '../../src/market/trade.js';
import { boundedBuffer } from '../../src/operators/boundedBuffer.js';
import { boundedMergeMap } from '../../src/operators/boundedMergeMap.js';
import { migrate } from '../../src/postgres/migrate/migrate.js';
import { gaps } from '../../src/postgres/read/gaps.js';
import { quotes } from '../../src/postgres/read/quotes.js';
import { trades } from '../../src/postgres/read/trades.js';
import { gapsSink } from '../../src/sinks/gapsSink.js';
import { quotesSink } from '../../src/sinks/quotesSink.js';
import { tradesSink } from '../../src/sinks/tradesSink.js';
import { syntheticEvents } from '../../src/sources/syntheticEvents.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { observe } from '../support/collect.js';
import { write } from './bars.js';
import { CORPUS } from './corpus.js';
import { gap, quote, trade } from './events.js';
import { inEachPlace } from './places.js';

const all = <T>(source: Observable<T>) => lastValueFrom(source.pipe(toArray()));

/** What is known of it: a source leaves out what the table has no value for, but for the sides of a quote. */
function known<T extends object>(item: T): T {
  const sides = ['bid', 'bidSize', 'ask', 'askSize'];
  const entries = Object.entries(item).filter(([name, value]) => sides.includes(name) || (value ?? null) !== null);
  return Object.fromEntries(entries) as T;
}

inEachPlace(({ pool: poolOf }) => {
  let pool: pg.Pool;
  beforeEach(async () => {
    pool = poolOf();
    await pool.query('DROP TABLE IF EXISTS trades, quotes, gaps');
  });

  describe('trades', () => {
    it.each([1, 3, 7, 1_000])(
      'gives back what was written, by time, symbol and id, at a page size of %d',
      async (pageSize) => {
        // Several of one instant, so that pages end among them.
        const written: Trade[] = ['TpC', 'TPC'].flatMap((symbol) =>
          Array.from({ length: 60 }, (_, i) =>
            trade({ symbol, ts: 1_000 + Math.floor(i / 12) / 1_000, id: String(100 + i), price: i, seq: i }),
          ),
        );
        await write(tradesSink(pool), written.toReversed());
        const read = await all(trades(pool, { symbols: ['TpC', 'TPC', 'tpc'], pageSize }));
        const place = ({ ts, symbol, id }: Trade) => `${ts.toFixed(3)} ${symbol === 'TpC' ? 0 : 1} ${id}`;
        expect(read).toEqual(written.toSorted((a, b) => (place(a) < place(b) ? -1 : 1)));
      },
    );

    it('gives back what the makers make, field by field', async () => {
      const made = [...syntheticEvents({ kinds: ['trade'], symbols: ['A', 'BRK B'], count: 500, seed: 3 })];
      await write(tradesSink(pool), made);
      expect(await all(trades(pool, { symbols: ['A', 'BRK B'], pageSize: 100 }))).toEqual(made.map(known));
    });

    it('takes hostile texts as symbol, vendor, id, venue and conditions, and finds them again', async () => {
      const texts = CORPUS.filter((text) => text !== '');
      const written = texts.map((text, i) =>
        trade({ symbol: text, vendor: text, id: text, venue: text, conditions: [text, text], ts: i }),
      );
      await write(tradesSink(pool), written);
      expect(await all(trades(pool, { symbols: texts, pageSize: 10 }))).toEqual(written);
      for (const [i, text] of texts.entries()) {
        expect(await all(trades(pool, { symbol: text, vendor: text }))).toEqual([written[i]]);
      }
    });

    it('begins and ends at an instant to the microsecond, and passes over infinite ones', async () => {
      const written = [0, 0, 1, 2, 2, 3].map((micros, i) => trade({ ts: 5_000 + micros / 1_000, id: `t${i}` }));
      await write(tradesSink(pool), written);
      await pool.query(
        "INSERT INTO trades (vendor, symbol, ts, id, price, size, seq) VALUES ('test', 'ACME', 'infinity', 'x', 1, 1, 1), ('test', 'ACME', '-infinity', 'x', 1, 1, 1)",
      );
      const read = (range: object) => all(trades(pool, { symbol: 'ACME', pageSize: 1, ...range }));
      expect(await read({})).toEqual(written);
      expect(await read({ from: 5_000.001 })).toEqual(written.slice(2));
      expect(await read({ from: 5_000, to: 5_000.002 })).toEqual(written.slice(0, 3));
      expect(await read({ from: 5_000.003, to: 5_000.003 })).toEqual([]);
    });

    it('pauses while the gate is closed, in the middle of an instant, and reads on', async () => {
      const written = Array.from({ length: 40 }, (_, i) => trade({ ts: 1_000, id: String(100 + i), price: i }));
      await write(tradesSink(pool), written);
      const gate = new Gate();
      const halted = trades(pool, { symbol: 'ACME', pageSize: 10 }).pipe(
        tap(({ price }) => price === 14 && gate.close()),
      );
      const seen = observe(halted, gate);
      await seen.count(15);
      // Its connection is free: PGlite has no other.
      expect((await pool.query('SELECT count(*)::int AS n FROM trades')).rows).toEqual([{ n: 40 }]);
      expect(seen.items).toHaveLength(15);
      gate.open();
      await seen.ended;
      expect(seen.items).toEqual(written);
    });

    it('is slower than a buffer without losing one', async () => {
      const made = [...syntheticEvents({ kinds: ['trade'], symbols: 5, count: 5_000, seed: 4 })];
      await write(tradesSink(pool), made);
      const symbols = [...new Set(made.map(({ symbol }) => symbol))];
      const slow$ = trades(pool, { symbols, pageSize: 200 }).pipe(
        boundedBuffer({ capacity: 100 }),
        boundedMergeMap((one) => (Number(one.id) % 500 === 0 ? of(one).pipe(delay(1)) : of(one)), { concurrency: 1 }),
      );
      expect(await all(slow$)).toEqual(made.map(known));
    });

    it('says what to do where the table is missing, holds something else, or is asked wrongly', async () => {
      await expect(all(trades(pool, { symbol: 'A' }))).rejects.toMatchObject({
        name: 'StoreReadError',
        message: expect.stringMatching(/^cannot read "trades": it is missing \(.*\): migrate the store first/),
      });
      await pool.query('CREATE TABLE trades (vendor text, symbol text)');
      await expect(all(trades(pool, { symbol: 'A', vendor: 'v' }))).rejects.toThrow(
        /cannot read "trades": it is not a table of such records/,
      );
      expect(() => trades(pool, {})).toThrow('trades: give either symbol or symbols');
      expect(() => trades(pool, { symbol: 'A', symbols: ['B'] })).toThrow('trades: give either symbol or symbols');
      expect(() => trades(pool, { symbol: 'A', from: 2, to: 1 })).toThrow('trades: to must be a number of at least 2');
      expect(() => trades({} as pg.Pool, { symbol: 'A' })).toThrow(
        'trades: the connect of its pool must be a function',
      );
      expect(() => trades(pool, { symbol: 'A', timeframe: '1m' } as never)).toThrow(/unknown option "timeframe"/);
    });
  });

  describe('quotes', () => {
    it('gives back what was written: absent sides are null, and venues that are not known are left out', async () => {
      const made: Quote[] = [...syntheticEvents({ kinds: ['quote'], symbols: 2, count: 1_000, seed: 3 })];
      const sides = { bid: null, bidSize: null, ask: null, askSize: null, bidVenue: null, askVenue: null };
      await write(quotesSink(pool), [...made, quote({ ...sides, symbol: 'S0000', ts: 0 })]);
      const read = await all(quotes(pool, { symbols: ['S0000', 'S0001'], pageSize: 50 }));
      expect(read).toEqual([known(quote({ ...sides, symbol: 'S0000', ts: 0 })), ...made.map(known)]);
      expect(new Set(made.map(({ bid }) => bid === null))).toEqual(new Set([true, false]));
    });
  });

  describe('gaps', () => {
    const opened: Gap[] = Array.from({ length: 30 }, (_, i) =>
      gap({
        symbol: i % 3 === 0 ? '*' : `S${i % 3}`,
        of: i % 2 === 0 ? 'bar' : 'trade',
        vendor: i % 5 === 0 ? 'w' : 'v',
        // Five of each instant.
        from: 1_000 + Math.floor(i / 5) / 1_000,
        to: 2_000 + i,
        seq: i,
      }),
    );

    it.each([1, 4, 1_000])(
      'gives each once, in the order in which they begin, at a page size of %d',
      async (pageSize) => {
        await write(gapsSink(pool), opened.toReversed());
        const read = await all(gaps(pool, { pageSize }));
        expect(read.map(({ from }) => from)).toEqual(opened.map(({ from }) => from));
        expect(read.toSorted((a, b) => a.seq - b.seq)).toEqual(opened);
        expect(await all(gaps(pool, { pageSize }))).toEqual(read);
      },
    );

    it('chooses by state, kind, symbol, vendor and begin', async () => {
      await write(gapsSink(pool), opened);
      const { timeframe: _, rows: __, reason: ___, ...bare } = gap({ symbol: 'NEW', from: 500, state: 'open' });
      await write(gapsSink(pool), [bare]);
      const filled = opened.slice(0, 10).map((one): Gap => ({ ...one, state: 'filled', seq: 100 + one.seq }));
      await write(gapsSink(pool), filled);
      const seqs = async (config: object) =>
        (await all(gaps(pool, config))).map(({ seq }) => seq).sort((a, b) => a - b);
      const numbers = (found: readonly Gap[]) => found.map(({ seq }) => seq);
      expect(await seqs({ states: ['filled'] })).toEqual(numbers(filled));
      expect(await seqs({ states: ['empty', 'abandoned'] })).toEqual([]);
      expect(await seqs({ states: ['empty', 'filled'] })).toEqual(numbers(filled));
      expect(await seqs({ states: ['open'], of: 'trade', vendor: 'w' })).toEqual([15, 25]);
      expect(await seqs({ symbol: '*', states: ['open'] })).toEqual([12, 15, 18, 21, 24, 27]);
      expect(await seqs({ symbols: ['S1', 'S2'], from: 1_000.004, to: 1_000.005 })).toEqual([20, 22, 23]);
      expect(await all(gaps(pool, { symbol: 'NEW' }))).toEqual([bare]);
      expect(() => gaps(pool, { states: ['closed' as 'open'] })).toThrow(/states\[0\] must be one of "open", /);
    });

    it('is what a backfill closes while it reads: each is read once', async () => {
      await migrate(pool);
      await write(gapsSink(pool), opened);
      const sink = gapsSink(pool);
      const closed = await all(
        gaps(pool, { states: ['open'], pageSize: 4 }).pipe(
          boundedMergeMap(
            async function* (one) {
              await write<Gap>(sink, [{ ...one, state: 'empty', seq: one.seq + 100 }]);
              yield one.seq;
            },
            { concurrency: 1 },
          ),
        ),
      );
      expect(closed.toSorted((a, b) => a - b)).toEqual(opened.map(({ seq }) => seq));
      expect(await all(gaps(pool, { states: ['open'] }))).toEqual([]);
      await pool.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    });
  });
});

describe('a Postgres server', () => {
  const database = freshDatabase();

  it('reads each trade about once, along the primary key, also where one instant has many', async () => {
    // One connection, whose numbers are flushed when it is told to.
    const pool = database.pool({ max: 1 });
    const made = ['A', 'B'].flatMap((symbol) =>
      Array.from({ length: 3_000 }, (_, i) => trade({ symbol, ts: Math.floor(i / 1_000), id: String(10_000 + i) })),
    );
    await write(tradesSink(pool), made);
    await pool.query('VACUUM ANALYZE trades');
    const read = async () => {
      await pool.query('SELECT pg_stat_force_next_flush()');
      const { rows } = await pool.query<{ scans: number; fetched: number }>(
        "SELECT seq_scan::int AS scans, idx_tup_fetch::int AS fetched FROM pg_stat_user_tables WHERE relname = 'trades'",
      );
      return rows[0]!;
    };
    const before = await read();
    expect(await all(trades(pool, { symbols: ['A', 'B'], pageSize: 100 }))).toHaveLength(6_000);
    const after = await read();
    expect(after.scans).toBe(before.scans);
    expect(after.fetched - before.fetched).toBeLessThan(6_500);
  });

  it('reads open gaps along the index by state, though most are closed', async () => {
    const pool = database.pool({ max: 1 });
    await migrate(pool);
    const made = Array.from({ length: 5_000 }, (_, i) =>
      gap({ from: i, to: i, state: i % 50 === 0 ? 'open' : 'filled', seq: i }),
    );
    await write(gapsSink(pool), made);
    await pool.query('VACUUM ANALYZE gaps');
    const fetched = async () => {
      await pool.query('SELECT pg_stat_force_next_flush()');
      const { rows } = await pool.query<{ read: number }>(
        "SELECT (seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_user_tables WHERE relname = 'gaps'",
      );
      return rows[0]!.read;
    };
    const before = await fetched();
    expect(await all(gaps(pool, { states: ['open'], pageSize: 10 }))).toHaveLength(100);
    expect((await fetched()) - before).toBeLessThan(1_000);
  });
});
