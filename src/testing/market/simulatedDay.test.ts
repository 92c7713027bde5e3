import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bar } from '../../market/bar.js';
import type { Trade } from '../../market/trade.js';
import type { SimulatedDayConfig } from './dayConfig.js';
import { type SimulatedDay, simulatedDay } from './simulatedDay.js';
import type { SimulatedBar, SimulatedEvent, SimulatedQuote, SimulatedTrade } from './simulatedEvent.js';

const MINUTE_MS = 60_000;

/** The events of the first `ms` of a day. */
function* firstOf(day: SimulatedDay, ms: number): Generator<SimulatedEvent> {
  for (const event of day) {
    if (event.at >= day.span.from + ms) return;
    yield event;
  }
}

const tradesOf = (events: readonly SimulatedEvent[]) =>
  events.filter((one): one is SimulatedTrade => one.what === 'trade');
const quotesOf = (events: readonly SimulatedEvent[]) =>
  events.filter((one): one is SimulatedQuote => one.what === 'quote');
const barsOf = (events: readonly SimulatedEvent[]) => events.filter((one): one is SimulatedBar => one.what === 'bar');

/** An hour and its surroundings in which all happens that a day can have. */
const BUSY: SimulatedDayConfig = {
  seed: 11,
  symbols: ['AAPL', 'MSFT'],
  crypto: ['BTC-USD'],
  from: '09:58',
  tradesPerMinute: 40,
  quotesPerTrade: 1,
  late: 0.05,
  corrected: 0.05,
  halt: { symbol: 'MSFT', at: '10:02:30', forMs: 90_000 },
};
const BUSY_MS = 10 * MINUTE_MS;

const configs: fc.Arbitrary<SimulatedDayConfig> = fc.record({
  seed: fc.maxSafeInteger(),
  symbols: fc.constantFrom(['AAPL'], ['AAPL', 'BRK B'], []),
  crypto: fc.constantFrom(['BTC-USD'], ['BTC/USD', 'ETH/USD']),
  date: fc.constantFrom('2026-01-05', '2026-03-08', '2026-11-01', '2024-02-29'),
  from: fc.constantFrom('03:58', '09:28:30', '15:59', '23:55'),
  tradesPerMinute: fc.double({ min: 0.5, max: 80, noNaN: true }),
  quotesPerTrade: fc.double({ min: 0, max: 3, noNaN: true }),
  late: fc.double({ min: 0, max: 1, noNaN: true }),
  corrected: fc.double({ min: 0, max: 1, noNaN: true }),
});

const check = (property: (events: readonly SimulatedEvent[], config: SimulatedDayConfig) => void) =>
  fc.assert(
    fc.property(configs, (config) => property([...firstOf(simulatedDay(config), 6 * MINUTE_MS)], config)),
    { seed: 20_260_105, numRuns: 40 },
  );

/** The last version of each, by key. */
function lastOf<R extends { readonly seq?: number }>(
  records: readonly R[],
  key: (record: R) => string,
): Map<string, R> {
  const last = new Map<string, R>();
  for (const record of records) last.set(key(record), record);
  return last;
}

/** What the bar of these trades must be, worked out another way. */
function barOfTrades(trades: readonly Trade[]) {
  const inOrder = [...trades].sort((one, other) => one.ts - other.ts || Number(one.id) - Number(other.id));
  const prices = inOrder.map(({ price }) => price);
  return {
    open: prices[0],
    close: prices.at(-1),
    high: Math.max(...prices),
    low: Math.min(...prices),
    trades: trades.length,
    volume: Math.round(trades.reduce((sum, { size }) => sum + size, 0) * 10_000) / 10_000,
  };
}

const figures = ({ open, close, high, low, trades, volume }: Bar) => ({ open, close, high, low, trades, volume });
const minuteKey = ({ symbol, ts }: { symbol: string; ts: number }) =>
  `${symbol} ${Math.floor(ts / MINUTE_MS) * MINUTE_MS}`;

describe('simulatedDay', () => {
  it('is the same day for the same config, and another for another seed', () => {
    check((events, config) => {
      expect([...firstOf(simulatedDay(config), 6 * MINUTE_MS)]).toEqual(events);
      const other = [...firstOf(simulatedDay({ ...config, seed: (config.seed ?? 0) - 1 }), 6 * MINUTE_MS)];
      if (tradesOf(events).length > 5) expect(tradesOf(other)).not.toEqual(tradesOf(events));
    });
  });

  it('tells everything after it happened, in the order of its times', () => {
    check((events) => {
      let last = Number.NEGATIVE_INFINITY;
      for (const event of events) {
        expect(event.at).toBeGreaterThanOrEqual(last);
        last = event.at;
        if ('record' in event) expect(event.at).toBeGreaterThan(event.record.ts);
      }
    });
  });

  it('numbers the trades, quotes and bars of a symbol from 1 without a gap', () => {
    check((events) => {
      const counts = new Map<string, number>();
      for (const event of events) {
        if (!('record' in event)) continue;
        const series = `${event.what} ${event.record.symbol}`;
        const expected = (counts.get(series) ?? 0) + 1;
        expect(event.record.seq).toBe(expected);
        counts.set(series, expected);
      }
    });
  });

  it('numbers new trades from 1 without a gap, and corrects only what was sent', () => {
    check((events) => {
      const known = new Map<string, Trade>();
      const counts = new Map<string, number>();
      for (const { record, corrects } of tradesOf(events)) {
        const key = `${record.symbol} ${record.id}`;
        if (corrects) {
          expect(corrects).toEqual(known.get(key));
          expect({ ...record, price: corrects.price, seq: corrects.seq }).toEqual(corrects);
        } else {
          const expected = (counts.get(record.symbol) ?? 0) + 1;
          expect(record.id).toBe(String(expected));
          counts.set(record.symbol, expected);
        }
        known.set(key, record);
      }
    });
  });

  it('sends bars that agree with the trades sent before, and in the end with all of them', () => {
    check((events) => {
      const trades = new Map<string, Map<string, Trade>>();
      const bars = new Map<string, Bar>();
      for (const event of events) {
        if (event.what === 'trade') {
          const key = minuteKey(event.record);
          trades.set(key, (trades.get(key) ?? new Map()).set(event.record.id, event.record));
        } else if (event.what === 'bar') {
          const key = minuteKey(event.record);
          expect(figures(event.record)).toEqual(barOfTrades([...(trades.get(key)?.values() ?? [])]));
          expect(event.isRevision).toBe(bars.has(key));
          bars.set(key, event.record);
        }
      }
      // Minutes whose revision is in the events too.
      const end = (events.at(-1)?.at ?? 0) - MINUTE_MS - 31_000;
      for (const [key, told] of trades) {
        if (Number(key.split(' ').at(-1)) > end) continue;
        expect(figures(bars.get(key)!)).toEqual(barOfTrades([...told.values()]));
      }
    });
  });

  it('tells the end of a day to the end: the last minute has its bar and its revision', () => {
    const events = [...simulatedDay({ ...BUSY, from: '23:58', late: 0.3, corrected: 0.3 })];
    const trades = lastOf(
      tradesOf(events).map(({ record }) => record),
      ({ symbol, id }) => `${symbol} ${id}`,
    );
    const bars = lastOf(
      barsOf(events).map(({ record }) => record),
      minuteKey,
    );
    expect(bars.size).toBe(2);
    for (const [key, bar] of bars) {
      expect(figures(bar)).toEqual(barOfTrades([...trades.values()].filter((trade) => minuteKey(trade) === key)));
    }
  });

  it('revises bars whose trades were late or corrected', () => {
    const bars = barsOf([...firstOf(simulatedDay(BUSY), BUSY_MS)]);
    expect(bars.filter(({ isRevision }) => isRevision).length).toBeGreaterThan(5);
    const crypto = tradesOf([...firstOf(simulatedDay(BUSY), BUSY_MS)]).filter(
      ({ record }) => record.symbol === 'BTC-USD',
    );
    expect(crypto.length).toBeGreaterThan(100);
    expect(crypto.filter(({ at, record, corrects }) => corrects || at > record.ts + 50)).toEqual([]);
    const exact = barsOf([...firstOf(simulatedDay({ ...BUSY, late: 0, corrected: 0 }), BUSY_MS)]);
    expect(exact.filter(({ isRevision }) => isRevision)).toEqual([]);
  });

  it('has neither trades nor quotes of the symbol in the halt, and says when it begins and ends', () => {
    const day = simulatedDay(BUSY);
    const events = [...firstOf(day, BUSY_MS)];
    const { symbol, from, to } = day.halt!;
    expect(new Date(from).toISOString()).toBe('2026-01-05T15:02:30.000Z');
    const within = (name: string) =>
      [...tradesOf(events), ...quotesOf(events)].filter(
        ({ record }) => record.symbol === name && record.ts >= from && record.ts < to,
      );
    expect(within(symbol)).toEqual([]);
    expect(within('AAPL').length).toBeGreaterThan(50);
    expect(events.filter(({ what }) => what === 'halt' || what === 'resume')).toEqual([
      { what: 'halt', at: from, session: 'regular', symbol },
      { what: 'resume', at: to, session: 'regular', symbol },
    ]);
  });

  it('has twenty times as many trades in the burst', () => {
    const day = simulatedDay(BUSY);
    const trades = tradesOf([...firstOf(day, BUSY_MS)]);
    const { from, to, times } = day.burst!;
    expect([times, to - from]).toEqual([20, 10_000]);
    const count = (start: number, end: number) => trades.filter(({ record: { ts } }) => ts >= start && ts < end).length;
    const before = count(from - MINUTE_MS, from) / 6;
    expect(count(from, to) / before).toBeGreaterThan(15);
    expect(count(from, to) / before).toBeLessThan(25);
    expect(count(to, to + MINUTE_MS) / 6 / before).toBeLessThan(2);
  });

  it('keeps the hours of New York, daylight saving included', () => {
    const opens = (date: string) =>
      simulatedDay({ date }).sessions.map(
        ({ session, from }) => `${session} ${new Date(from).toISOString().slice(11, 16)}`,
      );
    expect(opens('2026-01-05')).toEqual(['closed 05:00', 'pre 09:00', 'regular 14:30', 'post 21:00', 'closed 01:00']);
    expect(opens('2026-07-06')).toEqual(['closed 04:00', 'pre 08:00', 'regular 13:30', 'post 20:00', 'closed 00:00']);
    expect(opens('2026-03-08')).toEqual(['closed 05:00']);
    const length = (date: string) => {
      const { from, to } = simulatedDay({ date }).span;
      return (to - from) / 3_600_000;
    };
    expect([length('2026-03-08'), length('2026-11-01'), length('2026-01-05')]).toEqual([23, 25, 24]);
  });

  it('trades equities in their sessions only, and crypto at any time', () => {
    const at = (config: SimulatedDayConfig) => {
      const events = [...firstOf(simulatedDay({ symbols: ['AAPL'], ...config }), 4 * MINUTE_MS)];
      return tradesOf(events).map(({ record }) => record);
    };
    const before = at({ from: '03:57' });
    expect(before.some(({ symbol }) => symbol === 'BTC-USD')).toBe(true);
    const open = simulatedDay().sessions[1]!.from;
    expect(before.filter(({ symbol, ts }) => symbol === 'AAPL' && ts < open)).toEqual([]);
    const sunday = at({ from: '09:30', date: '2026-01-04' });
    expect(new Set(sunday.map(({ symbol }) => symbol))).toEqual(new Set(['BTC-USD']));
    const post = at({ from: '16:30' }).filter(({ symbol }) => symbol === 'AAPL').length;
    const regular = at({ from: '15:30' }).filter(({ symbol }) => symbol === 'AAPL').length;
    expect(post).toBeGreaterThan(0);
    expect(regular).toBeGreaterThan(4 * post);
  });

  it('tells the same of a symbol whichever others there are', () => {
    const of = (symbols: readonly string[]) =>
      tradesOf([...firstOf(simulatedDay({ ...BUSY, symbols, halt: false }), 3 * MINUTE_MS)]).filter(
        ({ record }) => record.symbol === 'AAPL',
      );
    expect(of(['AAPL'])).toEqual(of(['MSFT', 'AAPL', 'TpC']));
  });

  it('is made while it is read', () => {
    const day = simulatedDay({ symbols: Array.from({ length: 500 }, (_, i) => `S${i}`), from: '09:30' });
    const iterator = day[Symbol.iterator]();
    for (let i = 0; i < 100; i++) expect(iterator.next().done).toBe(false);
    expect(iterator.return?.().done).toBe(true);
  });

  it.each<[SimulatedDayConfig, RegExp]>([
    [{ date: '2026-02-30' }, /simulatedDay: date must be a date such as "2026-01-05", got "2026-02-30"/],
    [{ from: '24:00' }, /from must be a time from "00:00" to "23:59:59", got "24:00"/],
    [{ tradesPerMinute: 0 }, /tradesPerMinute must be a number above 0/],
    [{ symbols: ['AAPL', 'AAPL'] }, /each named once, got "AAPL"/],
    [{ symbols: [], crypto: [] }, /symbols and crypto must not both be empty/],
    [{ halt: { symbol: 'IBM' } }, /halt: symbol must be one of symbols, AAPL, MSFT, NVDA, got "IBM"/],
    [{ burst: { times: 0 } }, /burst: times must be an integer from 1 to 1000, got 0/],
  ])('rejects %j', (config, message) => {
    expect(() => simulatedDay(config)).toThrow(message);
  });
});
