import fc from 'fast-check';
import type pg from 'pg';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Sink } from '../../src/contracts/sink.js';
import { type Bar, barKey } from '../../src/market/bar.js';
import { foldByKey } from '../../src/market/foldByKey.js';
import { type Fundamentals, fundamentalsKey } from '../../src/market/fundamentals.js';
import { type Gap, gapKey } from '../../src/market/gap.js';
import { type NewsItem, newsKey } from '../../src/market/newsItem.js';
import { type OptionSnapshot, optionKey } from '../../src/market/optionSnapshot.js';
import { type Quote, quoteKey } from '../../src/market/quote.js';
import { type Trade, tradeKey } from '../../src/market/trade.js';
import type { TableSinkConfig } from '../../src/postgres/tableSink.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { fundamentalsSink } from '../../src/sinks/fundamentalsSink.js';
import { gapsSink } from '../../src/sinks/gapsSink.js';
import { newsSink } from '../../src/sinks/newsSink.js';
import { optionsSink } from '../../src/sinks/optionsSink.js';
import { quotesSink } from '../../src/sinks/quotesSink.js';
import { tradesSink } from '../../src/sinks/tradesSink.js';
import { write } from './bars.js';
import {
  storedBars,
  storedFundamentals,
  storedGaps,
  storedNews,
  storedOptions,
  storedQuotes,
  storedTrades,
} from './events.js';
import { inEachPlace } from './places.js';

/** What a text column takes: any Unicode but NUL. */
const text = fc.string({ unit: 'binary', maxLength: 12 }).map((drawn) => drawn.replaceAll('\0', ''));
/** Few different ones, so that keys meet. */
const label = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('A', 'a', 'Ä', '') }, { weight: 1, arbitrary: text });
const double = fc.double();
const maybe = fc.oneof(double, fc.constantFrom(null, undefined));
/** The years from 1831 to 2108, in which milliseconds as a double tell microseconds apart. */
const instant = fc
  .oneof(
    fc.constantFrom(0, -1, 1_704_205_800_000_001),
    fc.integer({ min: -4_380_000_000_000_000, max: 4_380_000_000_000_000 }),
  )
  .map((micros) => micros / 1000);
const date = fc
  .oneof(fc.constantFrom(0, 10_957, 19_782), fc.integer({ min: -600_000, max: 2_932_896 }))
  .map((day) => new Date(day * 86_400_000).toISOString().slice(0, 10));
const seq = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.maxSafeInteger());

const bars: fc.Arbitrary<Bar> = fc.record({
  kind: fc.constant('bar' as const),
  vendor: label,
  symbol: label,
  timeframe: fc.constantFrom('1m', '1h'),
  ts: instant,
  open: double,
  high: double,
  low: double,
  close: double,
  volume: double,
  isFinal: fc.constantFrom(true, false, undefined),
  isComplete: fc.constantFrom(true, false, undefined),
  trades: fc.oneof(fc.nat(), fc.maxSafeInteger(), fc.constantFrom(null, undefined)),
  vwap: maybe,
  seq,
});

const options: fc.Arbitrary<OptionSnapshot> = fc.record({
  kind: fc.constant('option' as const),
  vendor: label,
  symbol: label,
  expiry: date,
  optionType: fc.constantFrom('C' as const, 'P' as const),
  strike: fc.oneof(fc.constantFrom(0, 1, 100.5), fc.double({ noNaN: true })).map((strike) => strike + 0),
  ts: instant,
  bid: maybe,
  ask: maybe,
  last: maybe,
  iv: maybe,
  delta: maybe,
  gamma: maybe,
  theta: maybe,
  vega: maybe,
  openInterest: maybe,
  volume: maybe,
  underlyingPrice: maybe,
  seq,
});

const news: fc.Arbitrary<NewsItem> = fc.record({
  kind: fc.constant('news' as const),
  vendor: label,
  id: label,
  publishedAt: instant,
  title: text,
  url: text,
  symbols: fc.array(text, { maxLength: 5 }),
  sentiment: maybe,
  seq,
});

const fundamentals: fc.Arbitrary<Fundamentals> = fc.record({
  kind: fc.constant('fundamental' as const),
  vendor: label,
  symbol: label,
  periodEnd: date,
  timeframe: fc.constantFrom('quarterly', 'annual', 'ttm'),
  metric: label,
  value: double,
  unit: text,
  filingDate: fc.oneof(date, fc.constantFrom(null, undefined)),
  seq,
});

const maybeText = fc.oneof(text, fc.constantFrom(null, undefined));

const trades: fc.Arbitrary<Trade> = fc.record({
  kind: fc.constant('trade' as const),
  vendor: label,
  symbol: label,
  ts: instant,
  price: double,
  size: double,
  id: label,
  venue: maybeText,
  side: fc.constantFrom('buy' as const, 'sell' as const, null, undefined),
  conditions: fc.oneof(fc.array(text, { maxLength: 4 }), fc.constantFrom(null, undefined)),
  seq,
});

const quotes: fc.Arbitrary<Quote> = fc.record({
  kind: fc.constant('quote' as const),
  vendor: label,
  symbol: label,
  ts: instant,
  bid: fc.oneof(double, fc.constant(null)),
  bidSize: fc.oneof(double, fc.constant(null)),
  ask: fc.oneof(double, fc.constant(null)),
  askSize: fc.oneof(double, fc.constant(null)),
  id: label,
  bidVenue: maybeText,
  askVenue: maybeText,
  seq,
});

const gaps: fc.Arbitrary<Gap> = fc.record({
  kind: fc.constant('gap' as const),
  vendor: label,
  symbol: label,
  of: fc.constantFrom('bar', 'trade'),
  timeframe: fc.constantFrom('1m', undefined),
  from: instant,
  to: instant,
  cause: fc.constantFrom('reconnect' as const, 'overflow' as const),
  state: fc.constantFrom('open' as const, 'filled' as const),
  rows: fc.oneof(fc.nat(), fc.constantFrom(null, undefined)),
  reason: maybeText,
  seq,
});

/** What is known of it: a table says null for what is left out. */
function known<T extends object>(item: T): T {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== null && value !== undefined)) as T;
}

const byKey = <T>(items: Iterable<T>, keyOf: (item: T) => string) =>
  new Map([...items].map((item) => [keyOf(item), item]));

inEachPlace(({ pool: poolOf, strategies }) => {
  describe.each(strategies)('by %s, what is read back is the fold of what was written', (strategy) => {
    const holds = <T extends { readonly seq?: number }>(
      table: string,
      items: fc.Arbitrary<T>,
      sinkOf: (pool: pg.Pool, config: TableSinkConfig) => Sink<T>,
      keyOf: (item: T) => string,
      stored: (pool: pg.Pool) => Promise<T[]>,
    ) => {
      it(table, async () => {
        const pool = poolOf();
        const sink = sinkOf(pool, { strategy });
        await write(sink, fc.sample(items, { seed: 1, numRuns: 1 }));
        // Some batches on one table: what is there already counts, with equal keys within a batch and across them.
        const batches = fc.array(fc.array(items, { minLength: 1, maxLength: 80 }), { minLength: 1, maxLength: 3 });
        await fc.assert(
          fc.asyncProperty(batches, async (all) => {
            await pool.query(`TRUNCATE ${table}`);
            for (const batch of all) await write(sink, batch);
            const expected = [...foldByKey(all.flat(), keyOf).values()].map(known);
            expect(byKey((await stored(pool)).map(known), keyOf)).toEqual(byKey(expected, keyOf));
          }),
          { seed: 20_240_102, numRuns: 40 },
        );
      });
    };

    beforeEach(async () => {
      await poolOf().query('DROP TABLE IF EXISTS bars, options_snap, news, fundamentals, trades, quotes, gaps');
    });
    holds('bars', bars, barsSink, barKey, storedBars);
    holds('options_snap', options, optionsSink, optionKey, storedOptions);
    holds('news', news, newsSink, newsKey, storedNews);
    holds('trades', trades, tradesSink, tradeKey, storedTrades);
    holds('quotes', quotes, quotesSink, quoteKey, storedQuotes);
    holds('gaps', gaps, gapsSink, gapKey, storedGaps);
    holds('fundamentals', fundamentals, fundamentalsSink, fundamentalsKey, storedFundamentals);
  });
});
