import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { asyncScheduler, type SchedulerAction, type SchedulerLike } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Bar } from '../../market/bar.js';
import { quoteKey, tradeKey } from '../../market/index.js';
import type { Quote } from '../../market/quote.js';
import type { Trade } from '../../market/trade.js';
import type { FakeMassive, FakeMassiveConfig } from '../../testing/venues/massive/fakeMassive.js';
import { startFakeMassive } from '../../testing/venues/massive/startFakeMassive.js';
import type { HistoryRange } from '../provider.js';
import { BadCredentials, NotEntitled, UnknownInstrument } from '../providerErrors.js';
import type { MassiveMarket } from './markets.js';
import { type MassiveConfig, massive } from './massive.js';
import { massiveNormaliser } from './normalise/normaliser.js';

const T = 1_767_623_400_000;
const MINUTE = 60_000;

const TRADE: Trade = {
  kind: 'trade',
  vendor: 'massive',
  symbol: 'AAPL',
  ts: T + 0.999,
  price: 227.05,
  size: 100,
  id: '4:71675577320245:202',
  venue: '4',
  side: null,
  conditions: ['14', '41'],
};
const QUOTE: Quote = {
  kind: 'quote',
  vendor: 'massive',
  symbol: 'AAPL',
  ts: T + 0.999,
  bid: 227.04,
  bidSize: 3,
  ask: null,
  askSize: null,
  id: '50385480',
  bidVenue: '12',
  askVenue: null,
};
const BAR: Bar = {
  kind: 'bar',
  vendor: 'massive',
  symbol: 'AAPL',
  timeframe: '1m',
  ts: T,
  open: 227.05,
  high: 227.24,
  low: 227.01,
  close: 227.2,
  volume: 18_250.5,
  isFinal: true,
  trades: 7,
  vwap: 227.1183,
};
const releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

async function start(config: FakeMassiveConfig = {}): Promise<FakeMassive> {
  const venue = await startFakeMassive(config);
  releases.push(() => venue.close());
  return venue;
}

const of = (venue: FakeMassive, config: Partial<MassiveConfig> = {}) =>
  massive({ key: venue.secret, url: venue.url, plan: 'paid', ...config });

const range = (of: HistoryRange['of'], symbol = 'AAPL', timeframe?: string): HistoryRange => {
  return { of, symbol, from: T, to: T + 60 * MINUTE, ...(timeframe !== undefined && { timeframe }) };
};

async function all<R>(pages: AsyncIterable<readonly R[]>): Promise<readonly (readonly R[])[]> {
  const read: (readonly R[])[] = [];
  for await (const page of pages) read.push(page);
  return read;
}

/** A clock whose waits are over at once. */
function hasty() {
  const waits: number[] = [];
  let now = T;
  const scheduler: SchedulerLike = {
    now: () => now,
    schedule<S>(work: (this: SchedulerAction<S>, state?: S) => void, delay = 0, state?: S) {
      // The limit of an answer is no wait.
      if (delay === 30_000) return asyncScheduler.schedule(work, delay, state);
      waits.push(delay);
      now += delay;
      return asyncScheduler.schedule(work, 0, state);
    },
  };
  return { scheduler, waits };
}

describe('bars of the past', () => {
  it('come in pages, oldest first, each asked for when the one before was taken', async () => {
    const venue = await start();
    venue.limitPages(2);
    const bars = [0, 1, 2, 3, 4].map((minute) => ({ ...BAR, ts: T + minute * MINUTE }));
    venue.remember([...bars].reverse());
    venue.remember([
      { ...BAR, symbol: 'MSFT' },
      { ...BAR, ts: T - MINUTE },
      { ...BAR, ts: T + 60 * MINUTE },
    ]);
    const pages = of(venue).history(range('bar'))[Symbol.asyncIterator]();
    const seq = expect.any(Number);
    expect(await pages.next()).toEqual({ done: false, value: bars.slice(0, 2).map((bar) => ({ ...bar, seq })) });
    expect(venue.requests).toHaveLength(1);
    expect((await pages.next()).value).toHaveLength(2);
    expect((await pages.next()).value).toHaveLength(1);
    expect((await pages.next()).done).toBe(true);
    expect(venue.requests[0]).toBe(
      `/v2/aggs/ticker/AAPL/range/1/minute/${T}/${T + 60 * MINUTE - 1}?adjusted=false&sort=asc&limit=50000`,
    );
  });

  it('are asked for 50,000 base aggregates at a time, between bars', async () => {
    const venue = await start();
    const from = T + 30_000;
    const to = T + 100_000 * MINUTE + 1;
    expect(await all(of(venue).history({ of: 'bar', symbol: 'BRK.B', timeframe: '5m', from, to }))).toEqual([]);
    const middle = Math.floor((from + 50_000 * MINUTE) / (5 * MINUTE)) * 5 * MINUTE;
    const spans = venue.requests.map((path) => /\/5\/minute\/(\d+)\/(\d+)\?/.exec(path)!.slice(1).map(Number));
    expect(spans).toEqual([
      [from, middle - 1],
      [middle, middle + 50_000 * MINUTE - 1],
      [middle + 50_000 * MINUTE, to - 1],
    ]);
  });

  it('of hours and days are one request, and what is beyond its limit comes by the next address', async () => {
    const venue = await start();
    venue.remember([
      { ...BAR, timeframe: '4h' },
      { ...BAR, timeframe: '1d', ts: T + 86_400_000 },
    ]);
    const to = T + 400 * 86_400_000;
    const pages = [
      ...(await all(
        of(venue, { adjusted: true }).history({ of: 'bar', symbol: 'AAPL', timeframe: '4h', from: T, to }),
      )),
      ...(await all(of(venue).history({ of: 'bar', symbol: 'AAPL', timeframe: '1d', from: T, to }))),
    ];
    expect(pages).toMatchObject([[{ timeframe: '4h' }], [{ timeframe: '1d' }]]);
    expect(venue.requests).toHaveLength(2);
    expect(venue.requests[0]).toContain('adjusted=true');
  });

  it('have one row each: that of the last version', async () => {
    const venue = await start();
    venue.remember([BAR]);
    venue.publish([{ ...BAR, close: 227.11 }]);
    const pages = await all(of(venue).history({ of: 'bar', symbol: 'AAPL', from: T, to: T + MINUTE }));
    expect(pages.flat()).toEqual([{ ...BAR, close: 227.11, seq: expect.any(Number) }]);
  });

  it('are not final while their span lasts', async () => {
    const venue = await start();
    venue.remember([BAR, { ...BAR, ts: T + MINUTE }]);
    const { scheduler } = hasty();
    const now = { ...scheduler, now: () => T + MINUTE + 1 };
    const [page] = await all(of(venue, { scheduler: now }).history(range('bar')));
    expect((page as Bar[]).map(({ isFinal }) => isFinal)).toEqual([true, false]);
  });

  it('of delayed plans say so in their status, and are read all the same', async () => {
    const venue = await start({ status: 'DELAYED' });
    venue.remember([BAR]);
    expect(await all(of(venue).history(range('bar')))).toHaveLength(1);
  });

  it.each<[MassiveMarket, string, string]>([
    ['crypto', 'BTC-USD', 'X:BTCUSD'],
    ['forex', 'EUR/USD', 'C:EURUSD'],
    ['indices', 'I:SPX', 'I:SPX'],
    ['options', 'O:SPY261218C00600000', 'O:SPY261218C00600000'],
  ])('of %s have the symbol of the stream, %s, and are asked as %s', async (market, symbol, ticker) => {
    const venue = await start();
    venue.remember([{ ...BAR, symbol }]);
    expect(await all(of(venue, { market }).history(range('bar', symbol)))).toMatchObject([[{ symbol }]]);
    expect(venue.requests[0]).toContain(`/v2/aggs/ticker/${ticker}/range/`);
  });
});

describe('trades and quotes of the past', () => {
  /** What the stream makes of the records, and what history does. */
  async function bothOf(market: MassiveMarket, records: readonly (Trade | Quote)[]) {
    const venue = await start();
    const provider = of(venue, { market });
    const { kind, symbol } = records[0]!;
    const live: unknown[] = [];
    const ended = new Promise<void>((resolve) => {
      const subscription = provider.stream({ kinds: [kind], symbols: [symbol] }).subscribe((record) => {
        live.push(record);
        if (live.length === records.length) resolve();
      });
      releases.push(() => subscription.unsubscribe());
    });
    await venue.until(({ subscriptions }) => subscriptions.length === 1);
    venue.publish(records);
    await ended;
    const past = (await all(provider.history(range(kind, symbol)))).flat();
    const withoutSeq = (record: unknown) => {
      const { seq: _, ...rest } = record as Trade | Quote;
      return rest;
    };
    return { live: live.map(withoutSeq), past: past.map(withoutSeq) };
  }

  it.each<[MassiveMarket, readonly (Trade | Quote)[]]>([
    ['stocks', [TRADE, { ...TRADE, id: '11:71675577320245', venue: '11' }, { ...TRADE, id: '4:71675577320245:201' }]],
    ['stocks', [QUOTE, { ...QUOTE, id: '50385481', ask: 228, askSize: 1, askVenue: '7' }]],
    ['options', [{ ...TRADE, symbol: 'O:SPY261218C00600000', id: 'q7' }]],
    ['crypto', [{ ...TRADE, symbol: 'BTC-USD', id: '1:7', venue: '1', side: 'sell', conditions: null, size: 0.25 }]],
    ['forex', [{ ...QUOTE, symbol: 'EUR/USD', bidSize: null, ask: 228, bidVenue: '48', askVenue: '48' }]],
  ])('of %s have the keys and the content that the stream gave them', async (market, records) => {
    const { live, past } = await bothOf(market, records);
    expect(past).toEqual(live);
    const keys = past.map((record) => {
      return record.kind === 'trade' ? tradeKey(record as Trade) : quoteKey(record as Quote);
    });
    expect(new Set(keys).size).toBe(records.length);
    // The stream has whole milliseconds, and 19 digits are not rounded up.
    expect(past).toMatchObject(records.map(() => ({ ts: T })));
  });

  it.each<[object, string]>([
    [{ id: '77', sequence_number: 1_061 }, 'q1061'],
    [{ sequence_number: 1_061 }, 'q1061'],
    [{ id: '77' }, '302:77'],
    [{}, '302:1.5:10#1'],
  ])('of an option with %j has the id %s', async (ids, id) => {
    const row = { price: 1.5, size: 10, exchange: 302, sip_timestamp: T * 1e6, conditions: [209], ...ids };
    const server = createServer((_, response) => response.end(JSON.stringify({ status: 'OK', results: [row] })));
    releases.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const restUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const provider = massive({ key: 'k3y', market: 'options', restUrl, plan: 'paid' });
    const trades = { of: 'trade', symbol: 'O:SPY261218C00600000', from: T - MINUTE, to: T + MINUTE } as const;
    expect((await all(provider.history(trades))).flat()).toMatchObject([{ id }]);
  });

  it('are asked by nanoseconds', async () => {
    const venue = await start();
    await all(of(venue).history({ of: 'trade', symbol: 'AAPL', from: T + 0.001, to: T + MINUTE }));
    expect(decodeURIComponent(venue.requests[0]!)).toBe(
      `/v3/trades/AAPL?timestamp.gte=${T + 1}000000&timestamp.lt=${T + MINUTE}000000&order=asc&sort=timestamp&limit=50000`,
    );
  });

  it.each<[MassiveMarket, HistoryRange['of']]>([
    ['crypto', 'quote'],
    ['forex', 'trade'],
    ['indices', 'trade'],
    ['futures', 'bar'],
  ])('of %s that the vendor does not have are refused: %s', async (market, kind) => {
    expect(() => massive({ key: 'k', market }).history(range(kind))).toThrow(UnknownInstrument);
  });
});

describe('the limits of the vendor', () => {
  it('are kept by the plan: the sixth request of a minute waits', async () => {
    const { scheduler, waits } = hasty();
    const venue = await start({ scheduler });
    venue.limitPages(1);
    venue.remember([0, 1, 2, 3, 4, 5, 6].map((minute) => ({ ...BAR, ts: T + minute * MINUTE })));
    expect(await all(of(venue, { plan: 'free', scheduler }).history(range('bar')))).toHaveLength(7);
    expect(venue.requestCounts).toEqual({ answered: 7, tooMany: 0 });
    expect(waits).toEqual([60_000]);
  });

  it('that are tighter than the plan says make all requests wait for the next minute', async () => {
    const { scheduler, waits } = hasty();
    const venue = await start({ scheduler });
    venue.limitPages(1);
    venue.limitRequests(2);
    venue.remember([0, 1, 2].map((minute) => ({ ...BAR, ts: T + minute * MINUTE })));
    expect(await all(of(venue, { scheduler }).history(range('bar')))).toHaveLength(3);
    expect(venue.requestCounts).toEqual({ answered: 3, tooMany: 1 });
    expect(waits).toEqual([60_000]);
  });

  it('of the plan are said in the words of the vendor, without another attempt', async () => {
    const venue = await start();
    venue.refuseSymbol('SECRET');
    const error = await all(of(venue).history(range('bar', 'SECRET'))).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NotEntitled);
    expect((error as Error).message).toContain('You are not entitled to this data. Please upgrade your plan.');
    expect(venue.requests).toHaveLength(1);
  });

  it('begin with the key, which no address and no error has', async () => {
    const venue = await start({ key: 'k3y-of-the-account' });
    const error = await all(of(venue, { key: 'wr0ng-key' }).history(range('bar'))).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BadCredentials);
    expect((error as Error).message).toContain('Unknown API Key');
    await all(of(venue).history(range('bar')));
    expect(JSON.stringify([venue.requests, (error as Error).stack])).not.toMatch(/k3y-of|wr0ng/);
  });
});

describe('answers that make no sense', () => {
  it('a next page at another host is refused, and the key is not sent there', async () => {
    const venue = await start();
    const other = await start();
    venue.limitPages(1);
    venue.misleadPages(other.restUrl);
    venue.remember([BAR, { ...BAR, ts: T + MINUTE }]);
    await expect(all(of(venue).history(range('bar')))).rejects.toThrow(
      `massive: refusing to ask ${other.restUrl}: only ${venue.restUrl} is configured`,
    );
    expect(other.requests).toEqual([]);
  });

  it('a next page whose address has the key is asked without it', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const next_url = `http://${request.headers.host}/v3/quotes/AAPL?cursor=2&apiKey=k3y`;
      response.end(JSON.stringify({ status: 'OK', results: [], ...(asked.length === 1 && { next_url }) }));
    });
    releases.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const restUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await all(massive({ key: 'k3y', restUrl, plan: 'paid' }).history(range('quote')))).toEqual([]);
    expect(asked[1]).toBe('/v3/quotes/AAPL?cursor=2');
  });

  it('a row that cannot be read ends the history, or is handed over', async () => {
    const venue = await start();
    const wrong = { ...BAR, high: 1 };
    venue.remember([wrong, { ...BAR, ts: T + MINUTE }]);
    await expect(all(of(venue).history(range('bar')))).rejects.toThrow(
      'a row cannot be read: h must be a price that is not below the low of 227.01, got 1; set onRejected to go on',
    );
    const rejected: unknown[] = [];
    const pages = await all(of(venue, { onRejected: (one) => rejected.push(one) }).history(range('bar')));
    expect(pages).toMatchObject([[{ ts: T + MINUTE }]]);
    expect(rejected).toMatchObject([{ element: { t: T, h: 1 } }]);
  });

  it.each([
    [{ from: Number.NaN }, 'massive: history: from must be a time in epoch milliseconds, got NaN'],
    [{ to: T }, `massive: history: to must be a time in epoch milliseconds after ${T}, got ${T}`],
    [{ timeframe: '1M' }, 'timeframe must be a number with one of s, m, h, d, w'],
    [{ of: 'option' }, 'massive: history: of must be bar, trade, quote, news or fundamental'],
  ])('and requests: %j', (wrong, message) => {
    expect(() => massive({ key: 'k' }).history({ ...range('bar'), ...wrong } as HistoryRange)).toThrow(message);
  });
});

it('an id of the stream is that of history: exchange, number, facility', () => {
  const element = { ev: 'T', sym: 'AAPL', x: 4, i: '7', trfi: 202, p: 1, s: 1, t: T };
  expect(massiveNormaliser('stocks')(element, T)).toMatchObject({ id: '4:7:202' });
});
