import type pg from 'pg';
import { from, lastValueFrom, type ObservableInput, toArray } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { GapLedger } from '../../src/contracts/gapLedger.js';
import { type Gap, gapSeq } from '../../src/market/gap.js';
import { storeLedger } from '../../src/postgres/read/storeLedger.js';
import { StoreReadError } from '../../src/postgres/read/storeReadError.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { fundamentalsSink } from '../../src/sinks/fundamentalsSink.js';
import { gapsSink } from '../../src/sinks/gapsSink.js';
import { newsSink } from '../../src/sinks/newsSink.js';
import { optionsSink } from '../../src/sinks/optionsSink.js';
import { tradesSink } from '../../src/sinks/tradesSink.js';
import { bar, write } from './bars.js';
import { figure, gap, newsItem, option, trade } from './events.js';
import { inEachPlace } from './places.js';

const all = <T>(input: ObservableInput<T>) => lastValueFrom(from(input).pipe(toArray()));
const T = Date.UTC(2024, 0, 2, 14, 30);

inEachPlace(({ pool: poolOf }) => {
  let pool: pg.Pool;
  beforeEach(async () => {
    pool = poolOf();
    await pool.query('DROP TABLE IF EXISTS bars, trades, gaps, options_snap, news, fundamentals');
  });

  describe('storeLedger', () => {
    const span = (fields: Partial<Gap> = {}) => gap({ of: 'trade', from: T, to: T + 1_000, ...fields });
    const count = async (of: Partial<Gap>) => (await all(storeLedger(pool).count(span(of))))[0];

    it('counts the records of a span, both ends included to the microsecond, of its series alone', async () => {
      const inside = [T, T + 0.001, T + 500, T + 1_000].map((ts, i) => trade({ ts, id: `in${i}` }));
      const outside = [trade({ ts: T - 0.001 }), trade({ ts: T + 1_000.001 })];
      const others = [trade({ ts: T, symbol: 'acme' }), trade({ ts: T, vendor: 'other' })];
      await write(tradesSink(pool), [...inside, ...outside, ...others]);
      expect(await count({})).toBe(4);
      expect(await count({ symbol: '*' })).toBe(5);
      expect(await count({ symbol: 'NONE' })).toBe(0);
      expect(await count({ from: T, to: T })).toBe(1);
    });

    it('counts bars of the timeframe of the gap', async () => {
      await write(barsSink(pool), [bar({ ts: T }), bar({ ts: T, timeframe: '5m' }), bar({ ts: T + 60_000 })]);
      const { vendor, symbol } = bar({});
      const ofBars = { vendor, symbol, of: 'bar', from: T, to: T + 60_000 };
      expect(await count({ ...ofBars, timeframe: '1m' })).toBe(2);
      expect(await count({ ...ofBars, timeframe: '5m' })).toBe(1);
    });

    it('says how many of some records it has, by their keys', async () => {
      const ask = async (...records: Parameters<Required<GapLedger>['has']>[0]) =>
        (await all(storeLedger(pool).has!(records)))[0];
      const trades = [trade({ ts: T + 0.001 }), trade({ ts: T + 0.002 }), trade({ ts: T + 0.002, id: 'x' })];
      expect(await ask(...trades)).toBe(0);
      await write(tradesSink(pool), trades);
      expect(await ask()).toBe(0);
      expect(await ask(...trades)).toBe(3);
      const versions = trades.map((one, i) => ({ ...one, price: 7, seq: [1, undefined, Number.MAX_SAFE_INTEGER][i]! }));
      // Of the last one the store has an older version.
      expect(await ask(...(versions as typeof trades))).toBe(2);
      expect(await ask(trades[1]!, trade({ ts: T + 0.001, id: 'x' }), trade({ ts: T, symbol: 'acme' }))).toBe(1);
      const others = {
        bar: [bar({ ts: T })],
        option: [option({ strike: 0.1 })],
        news: [newsItem({})],
        figure: [figure({})],
      };
      await write(barsSink(pool), others.bar);
      await write(optionsSink(pool), others.option);
      await write(newsSink(pool), others.news);
      await write(fundamentalsSink(pool), others.figure);
      expect(await ask(others.bar[0]!, bar({ ts: T, timeframe: '5m' }))).toBe(1);
      expect(await ask(others.option[0]!, option({ strike: 0.2 }))).toBe(1);
      expect(await ask(others.news[0]!, newsItem({ id: 'no' }))).toBe(1);
      expect(await ask(others.figure[0]!, figure({ metric: 'no' }))).toBe(1);
    });

    it('counts options, news and figures by their own times', async () => {
      await write(optionsSink(pool), [option({ ts: T }), option({ ts: T, strike: 101 }), option({ ts: T + 2_000 })]);
      await write(newsSink(pool), [
        newsItem({ publishedAt: T }),
        newsItem({ id: 'n2', publishedAt: T, symbols: ['X'] }),
      ]);
      await write(fundamentalsSink(pool), [figure({}), figure({ metric: 'assets', filingDate: null })]);
      expect(await count({ of: 'option' })).toBe(2);
      expect(await count({ of: 'news' })).toBe(1);
      expect(await count({ of: 'news', symbol: '*' })).toBe(2);
      const { vendor, symbol, timeframe } = figure({});
      const filed = { vendor, symbol, timeframe, of: 'fundamental' };
      expect(await count({ ...filed, from: Date.UTC(2024, 4, 2), to: Date.UTC(2024, 4, 2) })).toBe(1);
      expect(await count({ ...filed, from: Date.UTC(2024, 2, 31), to: Date.UTC(2024, 2, 31) })).toBe(1);
    });

    it('knows the open gaps, those that were closed within a span, and the state of one', async () => {
      const { timeframe: _, ...bare } = span({ state: 'open', rows: null, reason: null, seq: gapSeq('open', T) });
      const open: Gap = bare;
      const part: Gap = { ...bare, to: T + 400, state: 'filled', rows: 3, seq: gapSeq('filled', T) };
      const touching: Gap = { ...part, from: T + 1_000, to: T + 2_000, state: 'empty', rows: 0 };
      const others: Gap[] = [
        { ...part, symbol: 'OTHER' },
        { ...part, of: 'quote' },
        { ...part, timeframe: '1m' },
        { ...part, from: T + 1_000.001, to: T + 3_000 },
        { ...part, from: T - 3_000, to: T - 0.001 },
      ];
      await write(gapsSink(pool), [open, part, touching, ...others]);
      const ledger = storeLedger(pool);
      const states = (gaps: readonly Gap[]) => gaps.map(({ from, to, state, rows }) => [from, to, state, rows ?? null]);
      expect(states(await all(ledger.open()))).toEqual([[T, T + 1_000, 'open', null]]);
      expect(states(await all(ledger.closed(open)))).toEqual([
        [T, T + 400, 'filled', 3],
        [T + 1_000, T + 2_000, 'empty', 0],
      ]);
      expect(states(await all(ledger.find(part)))).toEqual([[T, T + 400, 'filled', 3]]);
      expect(await all(ledger.find({ ...part, to: T + 401 }))).toEqual([]);
    });

    it('keeps a gap closed, whoever says later that it is open', async () => {
      const { timeframe: _, ...open } = span({ state: 'open', rows: null, reason: null, seq: gapSeq('open', T) });
      await write(gapsSink(pool), [open]);
      await write(gapsSink(pool), [{ ...open, state: 'filled', rows: 9, seq: gapSeq('filled', T + 5_000) }]);
      await write(gapsSink(pool), [{ ...open, reason: 'too late', seq: gapSeq('open', T + 9_000) }]);
      expect(await all(storeLedger(pool).find(open))).toMatchObject([{ state: 'filled', rows: 9 }]);
    });

    it('has no records and no gaps where the tables are missing, and fails with the table where they cannot be read', async () => {
      const ledger = storeLedger(pool);
      expect(await all(ledger.count(span()))).toEqual([0]);
      expect(await all(ledger.closed(span()))).toEqual([]);
      await pool.query('CREATE TABLE trades (vendor text)');
      const failing = all(ledger.count(span()));
      await expect(failing).rejects.toBeInstanceOf(StoreReadError);
      await expect(failing).rejects.toThrow(/trades/);
      await pool.query('DROP TABLE trades');
      expect(() => ledger.count(span({ of: 'dividend' }))).toThrow(/no kind of records "dividend"/);
      expect(() => storeLedger(pool, { timeoutMs: 0 })).toThrow(RangeError);
    });
  });
});
