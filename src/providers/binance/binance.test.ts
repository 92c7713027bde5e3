import { BehaviorSubject, type SchedulerLike } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { observe } from '../../../test/support/collect.js';
import type { Bar } from '../../market/bar.js';
import type { MarketEvent, RecordKind } from '../../market/recordKinds.js';
import type { Trade } from '../../market/trade.js';
import { eventLoopScheduler } from '../../primitives/eventLoopScheduler.js';
import type { FakeBinance } from '../../testing/venues/binance/fakeBinance.js';
import { startFakeBinance } from '../../testing/venues/binance/startFakeBinance.js';
import type { HistoryRange } from '../provider.js';
import { NotEntitled, UnknownInstrument } from '../providerErrors.js';
import type { RejectedElement } from '../streamConfig.js';
import { type BinanceConfig, binance } from './binance.js';

const T = 1_767_623_400_000;

function trade(id: number, symbol = 'BTCUSDT'): Trade {
  const ts = T + id;
  return { kind: 'trade', vendor: 'binance', symbol, ts, price: 100, size: 1, id: String(id), side: 'buy', seq: id };
}

function bar(minute: number, isFinal = true): Bar {
  return {
    kind: 'bar',
    vendor: 'binance',
    symbol: 'BTCUSDT',
    timeframe: '1m',
    ts: T + minute * 60_000,
    open: 2,
    high: 4,
    low: 1,
    close: 3,
    volume: 10,
    isFinal,
    trades: 7,
    vwap: 2.5,
    seq: (T + minute * 60_000 + 2_010) * 1_000,
  };
}

let venue: FakeBinance;
const releases: (() => void)[] = [];

beforeEach(async () => {
  venue = await startFakeBinance();
});
afterEach(async () => {
  for (const release of releases.splice(0)) release();
  await venue.close();
});

/** Subscribes, and waits until the venue has so many subscriptions. */
async function stream(kinds: readonly RecordKind[], config: BinanceConfig = {}, symbols = ['BTCUSDT']) {
  const provider = binance({ url: venue.url, initialMs: 1, random: () => 0.5, ...config });
  const seen = observe(provider.stream({ kinds, symbols }));
  releases.push(() => seen.unsubscribe());
  await venue.until(({ subscriptions }) => subscriptions.length === kinds.length * symbols.length);
  return seen;
}

describe('a stream', () => {
  it('has records of each kind as they were published', async () => {
    const seen = await stream(['bar', 'trade', 'quote']);
    const quote = {
      kind: 'quote',
      vendor: 'binance',
      symbol: 'BTCUSDT',
      bid: 1,
      bidSize: 2,
      ask: 3,
      askSize: 4,
    } as const;
    venue.publish([bar(0, false), bar(0), trade(1), { ...quote, ts: T, id: '77' }]);
    await seen.count(4);
    expect(seen.items.slice(0, 3)).toEqual([bar(0, false), bar(0), trade(1)]);
    // A book ticker has no time: it is that of its receipt.
    expect(seen.items[3]).toEqual({ ...quote, ts: expect.any(Number), id: '77', seq: 77 });
    expect(seen.monitor.feeds[0]).toMatchObject({ state: 'live', asked: 3, confirmed: 3, records: 4, unreadable: 0 });
  });

  it.each([
    ['raw', 'btcusdt@trade'],
    ['aggregated', 'btcusdt@aggTrade'],
  ] as const)('has %s trades', async (trades, name) => {
    const seen = await stream(['trade'], { trades });
    expect(venue.subscriptions).toEqual([name]);
    venue.publish([trade(5)]);
    await seen.count(1);
    expect(seen.items).toEqual([trade(5)]);
  });

  it('has microseconds when it asks for them', async () => {
    const seen = await stream(['trade'], { timeUnit: 'MICROSECOND' });
    venue.publish([{ ...trade(1), ts: T + 1.234 }]);
    await seen.count(1);
    expect(seen.items[0]).toMatchObject({ ts: T + 1.234 });
  });

  it('diverts what cannot be read, and its neighbours pass', async () => {
    const rejected: RejectedElement[] = [];
    const seen = await stream(['trade'], { onRejected: (one) => rejected.push(one) });
    venue.publishMalformed([trade(1), trade(2)], 1);
    await seen.count(2);
    expect(seen.items).toEqual([trade(1), trade(2)]);
    expect(rejected).toEqual([
      { element: expect.objectContaining({ p: 'many' }), reason: expect.stringMatching(/^T must/) },
    ]);
  });

  it('has a gap record where trades are missing', async () => {
    const seen = await stream(['trade']);
    venue.publish([trade(1), trade(2), trade(6)]);
    await seen.count(4);
    const gap = {
      kind: 'gap',
      of: 'trade',
      symbol: 'BTCUSDT',
      from: T + 2,
      to: T + 6,
      cause: 'sequence',
      state: 'open',
    };
    expect(seen.items).toMatchObject([trade(1), trade(2), gap, trade(6)]);
  });

  it('comes back after a reset, with a gap record', async () => {
    const seen = await stream(['trade']);
    venue.publish([trade(1)]);
    await seen.count(1);
    venue.reset();
    await venue.until(({ accepted, subscriptions }) => accepted.length === 2 && subscriptions.length === 1);
    venue.publish([trade(9)]);
    await seen.count(3);
    expect(seen.items).toMatchObject([trade(1), { kind: 'gap', from: T + 1, cause: 'reconnect' }, trade(9)]);
  });

  it('changes its subscriptions while it runs', async () => {
    const symbols = new BehaviorSubject<readonly string[]>(['BTCUSDT']);
    const seen = observe(binance({ url: venue.url }).stream({ kinds: ['trade'], symbols }));
    releases.push(() => seen.unsubscribe());
    await venue.until(({ subscriptions }) => subscriptions.includes('btcusdt@trade'));
    symbols.next(['ETHBTC']);
    await venue.until(({ subscriptions }) => subscriptions.join() === 'ethbtc@trade');
    expect(venue.accepted).toHaveLength(1);
  });

  it('refuses what the vendor refuses in its words, and goes on with the others', async () => {
    venue.refuseSymbol('BAD');
    const refused: string[] = [];
    const provider = binance({ url: venue.url, onRefused: ({ error }) => refused.push(error.message) });
    const seen = observe(provider.stream({ kinds: ['trade'], symbols: ['BAD', 'BTCUSDT'] }));
    releases.push(() => seen.unsubscribe());
    await venue.until(({ subscriptions }) => subscriptions.length === 1);
    venue.publish([trade(1)]);
    await seen.count(1);
    expect(refused).toEqual(['binance: BAD was refused (bad@trade): Invalid request: invalid stream (code 2)']);
  });

  it('keeps to the pace of the vendor', async () => {
    const symbols = Array.from({ length: 600 }, (_, i) => `S${i}`);
    // Six requests: the venue would end a connection that sends them at once.
    await stream(['trade'], {}, symbols);
    expect(venue.accepted).toHaveLength(1);
  });
});

describe('a connection that the vendor ends', () => {
  /** The time for which the first connection is read on is short. */
  const scheduler: SchedulerLike = {
    now: () => Date.now(),
    schedule: ((work: never, delay = 0, state: never) =>
      eventLoopScheduler.schedule(work, delay === 5_000 ? 20 : delay, state)) as SchedulerLike['schedule'],
  };

  it('is handed over without a gap, and what both connections deliver comes once', async () => {
    const seen = await stream(['trade', 'quote', 'bar'], { scheduler });
    const quote = {
      kind: 'quote',
      vendor: 'binance',
      symbol: 'BTCUSDT',
      ts: T,
      bid: 1,
      bidSize: 2,
      ask: 3,
      askSize: 4,
    } as const;
    venue.publish([trade(1)]);
    await seen.count(1);
    venue.shutDown(60_000);
    await venue.until(({ accepted }) => accepted.length === 2 && venue.subscribedInAll === 6);
    expect(venue.connections).toBe(2);
    // Both connections have these.
    venue.publish([trade(2), trade(3), { ...quote, id: '77' }, bar(0, false), bar(0)]);
    await venue.until(({ connections }) => connections === 1);
    venue.publish([trade(4)]);
    await seen.count(7);
    const kinds = seen.items.map((record) => ('id' in record ? record.id : record.kind));
    expect(kinds).toEqual(['1', '2', '3', '77', 'bar', 'bar', '4']);
    expect(seen.monitor.feeds[0]).toMatchObject({ state: 'live', reconnects: 0, gaps: 0, confirmed: 3 });
    expect(venue.accepted).toHaveLength(2);
  });

  it('is handed over by its age', async () => {
    const seen = await stream(['trade'], { scheduler, handOverAfterMs: 1_000 });
    await venue.until(({ accepted, connections }) => accepted.length === 2 && connections === 1);
    venue.publish([trade(1)]);
    await seen.count(1);
    expect(seen.monitor.feeds[0]).toMatchObject({ reconnects: 0, gaps: 0 });
  });
});

describe('a region that is not served', () => {
  const message =
    'binance: does not serve the region that you connect from (HTTP 451): set `url` to an address that serves it, or use the provider coinbase';

  it('ends the stream in one sentence that says what helps', async () => {
    venue.rejectLogins('entitlement');
    const seen = observe(binance({ url: venue.url }).stream({ kinds: ['trade'], symbols: ['BTCUSDT'] }));
    await seen.ended;
    const { error } = seen.end as { error: unknown };
    expect(error).toBeInstanceOf(NotEntitled);
    expect((error as Error).message).toBe(message);
  });

  it('ends a request for history too', async () => {
    venue.rejectLogins('entitlement');
    await expect(
      all(binance({ url: venue.url }), { of: 'bar', symbol: 'BTCUSDT', from: T, to: T + 1 }),
    ).rejects.toThrow(message);
  });
});

describe('without the internet', () => {
  it('fails in one sentence once the attempts are used up', async () => {
    const { url } = venue;
    await venue.close();
    const seen = observe(binance({ url, maxAttempts: 1 }).stream({ kinds: ['trade'], symbols: ['BTCUSDT'] }));
    await seen.ended;
    expect((seen.end as { error: Error }).error.message).toMatch(
      /^binance: could not connect to 127\.0\.0\.1:\d+: [^\n]+$/,
    );
    venue = await startFakeBinance();
  });
});

async function all(provider: ReturnType<typeof binance>, range: HistoryRange): Promise<(readonly MarketEvent[])[]> {
  const pages: (readonly MarketEvent[])[] = [];
  for await (const page of provider.history!(range)) pages.push(page);
  return pages;
}

describe('history', () => {
  it('has klines in pages, and leaves out those that are not over', async () => {
    const bars = Array.from({ length: 2_500 }, (_, i) => bar(i));
    const forming = { ...bar(0), ts: Math.floor(Date.now() / 60_000) * 60_000 };
    venue.remember([...bars, forming]);
    const range = { of: 'bar', symbol: 'BTCUSDT', timeframe: '1m', from: T, to: Date.now() + 60_000 } as const;
    const pages = await all(binance({ url: venue.url }), range);
    expect(pages.map((page) => page.length)).toEqual([1_000, 1_000, 500]);
    expect(pages.flat()).toEqual(bars.map((one) => ({ ...one, seq: expect.any(Number) })));
    expect(venue.requests[0]).toMatch(
      /^\/api\/v3\/klines\?symbol=BTCUSDT&interval=1m&startTime=\d+&endTime=\d+&limit=1000$/,
    );
  });

  it.each([
    ['raw', 'historicalTrades'],
    ['aggregated', 'aggTrades'],
  ] as const)('has %s trades, as the stream has them', async (trades, path) => {
    const known = Array.from({ length: 2_100 }, (_, i) => trade(i + 1));
    venue.remember(known);
    const range = { of: 'trade', symbol: 'BTCUSDT', from: T + 11, to: T + 2_051 } as const;
    const pages = await all(binance({ url: venue.url, trades }), range);
    expect(pages.flat()).toEqual(known.slice(10, 2_050));
    expect(venue.requests.at(-1)).toMatch(path);
  });

  it('asks for a page when the one before was taken', async () => {
    venue.remember(Array.from({ length: 2_500 }, (_, i) => bar(i)));
    const range = { of: 'bar', symbol: 'BTCUSDT', from: T, to: T + 1e9 } as const;
    const pages = binance({ url: venue.url }).history!(range)[Symbol.asyncIterator]();
    await pages.next();
    expect(venue.requests).toHaveLength(1);
    await pages.return?.();
    expect(await pages.next()).toEqual({ done: true, value: undefined });
    expect(venue.requests).toHaveLength(1);
  });

  /** The minute of the venue does not end on its own. */
  const stopped: SchedulerLike = {
    now: () => T + 1_000,
    schedule: ((work: never, delay: number, state: never) =>
      eventLoopScheduler.schedule(work, delay, state)) as SchedulerLike['schedule'],
  };

  /** A clock on which long waits are over at once, and the minute of the venue with them; and how long they were. */
  function hurried() {
    const waits: number[] = [];
    let now = Date.now();
    const scheduler: SchedulerLike = {
      now: () => now,
      schedule: ((work: never, delay = 0, state: never) => {
        const isTimeout = delay === 30_000;
        if (delay > 0 && !isTimeout) {
          waits.push(delay);
          now += delay;
          venue.forgetWeight();
        }
        return eventLoopScheduler.schedule(work, isTimeout ? delay : 0, state);
      }) as SchedulerLike['schedule'],
    };
    return { waits, scheduler };
  }

  it('waits as long as the vendor says when it was asked too often', async () => {
    await venue.close();
    venue = await startFakeBinance({ weightPerMinute: 2, scheduler: stopped });
    venue.remember([bar(0)]);
    const { waits, scheduler } = hurried();
    const provider = binance({ url: venue.url, scheduler });
    const range = { of: 'bar', symbol: 'BTCUSDT', from: T, to: T + 60_000 } as const;
    await all(provider, range);
    expect(waits).toEqual([]);
    await all(provider, range);
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThan(0);
    expect(waits[0]).toBeLessThanOrEqual(60_000);
  });

  it('waits for the next minute when the address has used most of its weight', async () => {
    await venue.close();
    venue = await startFakeBinance({ weightPerMinute: 6_000, scheduler: stopped });
    venue.remember([bar(0)]);
    const ask = (i: number) => fetch(`${venue.url.replace('ws:', 'http:')}/api/v3/historicalTrades?symbol=S${i}`);
    // Somebody else at the same address: 216 requests of 25.
    await Promise.all(Array.from({ length: 216 }, (_, i) => ask(i)));
    const { waits, scheduler } = hurried();
    const provider = binance({ url: venue.url, scheduler });
    const range = { of: 'bar', symbol: 'BTCUSDT', from: T, to: T + 60_000 } as const;
    await all(provider, range);
    expect(waits).toEqual([]);
    await all(provider, range);
    expect(waits).toHaveLength(1);
    expect(venue.requests).toHaveLength(218);
  });

  it.each<[HistoryRange, RegExp]>([
    [{ of: 'quote', symbol: 'BTCUSDT', from: T, to: T + 1 }, /no history of kind quote/],
    [{ of: 'bar', symbol: 'btcusdt', from: T, to: T + 1 }, /upper case/],
    [{ of: 'bar', symbol: 'BTCUSDT', timeframe: '7m', from: T, to: T + 1 }, /no klines of 7m/],
  ])('refuses %j', (range, message) => {
    expect(() => binance().history!(range)).toThrow(message);
    expect(() => binance().history!(range)).toThrow(UnknownInstrument);
  });

  it('says what the vendor says of a symbol that it does not know', async () => {
    const range = { of: 'bar', symbol: 'NOSUCH', from: T, to: T + 1 } as const;
    await expect(all(binance({ url: venue.url }), range)).rejects.toThrow(/HTTP 400: Invalid symbol/);
  });
});

it.each([
  [{ trades: 'single' }, 'binance: trades must be one of "raw", "aggregated", got "single"'],
  [{ timeUnit: 'ns' }, 'binance: timeUnit must be one of'],
  [{ handOverAfterMs: 1 }, 'binance: handOverAfterMs must be'],
  [{ url: 'localhost' }, 'must be a'],
  [{ key: 'x' }, 'binance: unknown option "key"'],
])('refuses the options %j when it is made', (config, message) => {
  expect(() => binance(config as object)).toThrow(message);
});
