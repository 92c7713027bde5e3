import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bar, barKey } from './bar.js';
import { foldBars, foldByKey } from './foldByKey.js';
import { type Fundamentals, fundamentalsKey } from './fundamentals.js';
import { type Gap, gapKey } from './gap.js';
import { type NewsItem, newsKey } from './newsItem.js';
import { type OptionSnapshot, optionKey } from './optionSnapshot.js';
import { type Quote, quoteKey } from './quote.js';
import { type Trade, tradeKey } from './trade.js';

const OPTION: OptionSnapshot = {
  kind: 'option',
  vendor: 'v',
  symbol: 'A',
  expiry: '2024-06-21',
  optionType: 'C',
  strike: 100,
  ts: 0,
};

const ITEM: NewsItem = {
  kind: 'news',
  vendor: 'v',
  id: '1',
  publishedAt: 0,
  title: 't',
  url: 'http://a.b',
  symbols: [],
};

const FIGURE: Fundamentals = {
  kind: 'fundamental',
  vendor: 'v',
  symbol: 'A',
  periodEnd: '2024-03-31',
  timeframe: 'annual',
  metric: 'm',
  value: 1,
  unit: 'USD',
};

describe('foldByKey', () => {
  it('keeps of each key the highest seq, of equals the earlier, in the order in which keys came', () => {
    const items = fc.array(fc.record({ key: fc.nat(4), seq: fc.integer({ min: 0, max: 5 }) }), { maxLength: 40 });
    fc.assert(
      fc.property(items, (all) => {
        const keys = [...new Set(all.map(({ key }) => key))];
        const best = keys.map((key) => {
          const own = all.filter((item) => item.key === key);
          return own.find(({ seq }) => seq === Math.max(...own.map((item) => item.seq)));
        });
        const folded = foldByKey(all, ({ key }) => key);
        expect([...folded.keys()]).toEqual(keys);
        for (const [i, item] of [...folded.values()].entries()) expect(item).toBe(best[i]);
      }),
      { seed: 20_240_102, numRuns: 200 },
    );
  });

  it('takes one without a seq for newer than what came before it, and for what comes after it', () => {
    const first = { key: 1, seq: 9 };
    const second = { key: 1 };
    const third = { key: 1, seq: 10 };
    expect([...foldByKey<{ key: number; seq?: number }, number>([first, second, third], ({ key }) => key)]).toEqual([
      [1, second],
    ]);
  });
});

describe('the keys', () => {
  it('of options differ in each of their parts, and in nothing else', () => {
    const others: Partial<OptionSnapshot>[] = [
      { vendor: 'w' },
      { symbol: 'B' },
      { expiry: '2024-06-22' },
      { optionType: 'P' },
      { strike: 100.5 },
      { ts: 1 },
    ];
    const keys = [OPTION, ...others.map((fields) => ({ ...OPTION, ...fields }))].map(optionKey);
    expect(new Set(keys).size).toBe(7);
    expect(optionKey({ ...OPTION, iv: 1, bid: 1, seq: 5 })).toBe(optionKey(OPTION));
  });

  it('of news differ in each of their parts, and in nothing else', () => {
    const keys = [ITEM, { ...ITEM, vendor: 'w' }, { ...ITEM, id: '2' }].map(newsKey);
    expect(new Set(keys).size).toBe(3);
    expect(newsKey({ ...ITEM, publishedAt: 5, title: 'corrected', seq: 2 })).toBe(newsKey(ITEM));
  });

  it('of fundamentals differ in each of their parts, and in nothing else', () => {
    const others: Partial<Fundamentals>[] = [
      { vendor: 'w' },
      { symbol: 'B' },
      { periodEnd: '2024-06-30' },
      { timeframe: 'ttm' },
      { metric: 'n' },
    ];
    const keys = [FIGURE, ...others.map((fields) => ({ ...FIGURE, ...fields }))].map(fundamentalsKey);
    expect(new Set(keys).size).toBe(6);
    expect(fundamentalsKey({ ...FIGURE, value: 2, unit: 'EUR', filingDate: '2024-05-02' })).toBe(
      fundamentalsKey(FIGURE),
    );
  });

  it('of trades and quotes differ in each of their parts, case included, and in nothing else', () => {
    const trade: Trade = { kind: 'trade', vendor: 'v', symbol: 'TpC', ts: 0, price: 1, size: 1, id: '1' };
    const side = { bid: 1, bidSize: 1, ask: null, askSize: null };
    const quote: Quote = { kind: 'quote', vendor: 'v', symbol: 'TpC', ts: 0, ...side, id: '1' };
    const others = [{}, { vendor: 'w' }, { symbol: 'TPC' }, { ts: 0.001 }, { id: '01' }];
    expect(new Set(others.map((fields) => tradeKey({ ...trade, ...fields }))).size).toBe(5);
    expect(new Set(others.map((fields) => quoteKey({ ...quote, ...fields }))).size).toBe(5);
    expect(tradeKey({ ...trade, price: 2, size: 0, venue: 'X', side: 'buy', seq: 9 })).toBe(tradeKey(trade));
    expect(quoteKey({ ...quote, bid: null, ask: 2, bidVenue: 'X', seq: 9 })).toBe(quoteKey(quote));
  });

  it('of gaps differ in series and both ends, and not in what became of them', () => {
    const series = { vendor: 'v', symbol: 'A', of: 'b', timeframe: '1m' };
    const gap: Gap = { kind: 'gap', ...series, from: 0, to: 5, cause: 'stale', state: 'open', seq: 1 };
    const others = [{}, { vendor: 'w' }, { symbol: '*' }, { of: 'c' }, { timeframe: '5m' }, { from: 1 }, { to: 6 }];
    expect(new Set(others.map((fields) => gapKey({ ...gap, ...fields }))).size).toBe(7);
    const { timeframe: _, ...bare } = gap;
    expect(gapKey(bare)).not.toBe(gapKey(gap));
    expect(gapKey({ ...gap, cause: 'reconnect', state: 'filled', rows: 3, reason: 'r', seq: 2 })).toBe(gapKey(gap));
  });

  it('do not run into each other where one part ends as the next begins', () => {
    expect(newsKey({ ...ITEM, vendor: 'ab', id: 'c' })).not.toBe(newsKey({ ...ITEM, vendor: 'a', id: 'bc' }));
  });
});

const bar = (ts: number, close: number, seq?: number): Bar => ({
  kind: 'bar',
  vendor: 'acme',
  symbol: 'SPY',
  timeframe: '1m',
  ts,
  open: 1,
  high: 9,
  low: 1,
  close,
  volume: 0,
  ...(seq === undefined ? {} : { seq }),
});

describe('foldBars', () => {
  it('keeps of each key the version with the highest seq, whatever the order', () => {
    const older = bar(0, 1, 1);
    const newer = bar(0, 2, 2);
    for (const order of [
      [older, newer],
      [newer, older],
    ]) {
      expect([...foldBars(order).values()]).toEqual([newer]);
    }
  });

  it('keeps the earlier of equals, and the later of those without a seq, which are numbered as they come', () => {
    expect([...foldBars([bar(0, 1, 5), bar(0, 2, 5)]).values()]).toEqual([bar(0, 1, 5)]);
    expect([...foldBars([bar(0, 1), bar(0, 2)]).values()]).toEqual([bar(0, 2)]);
    expect([...foldBars([bar(0, 1), bar(0, 2, 5)]).values()]).toEqual([bar(0, 1)]);
  });

  it('keeps bars of other keys apart, in the order in which they came', () => {
    const others = [
      bar(1, 1),
      bar(0, 1),
      { ...bar(0, 1), symbol: 'QQQ' },
      { ...bar(0, 1), vendor: 'b' },
      { ...bar(0, 1), timeframe: '1h' },
    ];
    expect([...foldBars(others)]).toEqual(others.map((one) => [barKey(one), one]));
  });
});
