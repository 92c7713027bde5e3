import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Bar } from '../../src/market/bar.js';
import { SharedPacer } from '../../src/policies/sharedPacer.js';
import { alpaca, alpacaPacing } from '../../src/providers/alpaca/index.js';
import { binance, binancePacing } from '../../src/providers/binance/index.js';
import { COINBASE_PACING, coinbase } from '../../src/providers/coinbase/index.js';
import { ibkr, ibkrPacer } from '../../src/providers/ibkr/index.js';
import { MASSIVE_PACING, massive } from '../../src/providers/massive/index.js';
import type { HistoryRange, Provider } from '../../src/providers/provider.js';
import { VirtualClock } from '../../src/testing/conformance/virtualClock.js';
import {
  startFakeAlpaca,
  startFakeBinance,
  startFakeCoinbase,
  startFakeGateway,
  startFakeMassive,
} from '../../src/testing/index.js';

const T = Date.UTC(2026, 0, 5, 12);
const MINUTE = 60_000;
const releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0)) await release();
});

function open<V extends { close(): Promise<void> }>(venue: V): V {
  releases.push(() => venue.close());
  return venue;
}

const bar = (vendor: string, symbol: string, minute: number): Bar => ({
  ...{ kind: 'bar', vendor, symbol, timeframe: '1m', ts: T + minute * MINUTE },
  ...{ open: 10, high: 12, low: 9, close: 11, volume: 100, trades: 3, vwap: 10.5, isFinal: true },
});

/** Asks each provider in turn for a minute, `count` times in all and at once; returns how long that took in virtual time. */
async function ask(
  clock: VirtualClock,
  pacers: readonly SharedPacer<never>[],
  providers: readonly Provider[],
  count: number,
  symbol: string,
) {
  let done = 0;
  const began = clock.now();
  const all = Array.from({ length: count }, async (_, n) => {
    const range: HistoryRange = { of: 'bar', symbol, timeframe: '1m', from: T + n * MINUTE, to: T + (n + 1) * MINUTE };
    try {
      for await (const page of providers[n % providers.length]!.history!(range)) expect(page).toHaveLength(1);
    } finally {
      done += 1;
    }
  });
  const whole = Promise.all(all);
  whole.catch(() => {});
  // Time moves only when all that have passed are answered, so that it is the same on both sides of the wire.
  const passed = () => pacers.reduce((sum, { counts }) => sum + counts.passed.history, 0);
  while (done < count) {
    while (done < Math.min(count, passed())) await sleep(1);
    await sleep(1);
    if (done === passed() && done < count && clock.nextAt !== undefined) clock.moveTo(clock.nextAt);
  }
  await whole;
  return clock.now() - began;
}

describe('two providers of one account', () => {
  it('Massive: share five requests a minute; with a pacer each, the vendor counts violations', async () => {
    const clock = new VirtualClock();
    const venue = open(await startFakeMassive({ scheduler: clock }));
    venue.remember(Array.from({ length: 12 }, (_, minute) => bar('massive', 'AAPL', minute)));
    const pacer = new SharedPacer<HistoryRange>({ profile: MASSIVE_PACING.free, scheduler: clock });
    const config = { key: venue.secret, url: venue.url, scheduler: clock };
    const make = (own = {}) => massive({ ...config, ...own });
    expect(await ask(clock, [pacer], [make({ pacer }), make({ pacer })], 12, 'AAPL')).toBe(2 * MINUTE);
    expect([venue.violations, venue.requestCounts]).toEqual([[], { answered: 12, tooMany: 0 }]);
    const history = (provider: Provider) => provider.history!({ of: 'bar', symbol: 'AAPL', from: T, to: T + MINUTE });
    clock.moveTo(clock.now() + MINUTE);
    const alone = [make(), make()];
    for (const provider of alone) {
      for (let n = 0; n < 3; n += 1) {
        const pages = history(provider)[Symbol.asyncIterator]();
        const page = pages.next();
        page.catch(() => {});
        while (venue.requests.length < 12 + alone.indexOf(provider) * 3 + n + 1) await sleep(1);
        if (venue.violations.length === 0) await page;
        else await pages.return?.();
      }
    }
    expect(venue.violations).toHaveLength(1);
    expect(venue.violations[0]).toMatch(/^more than 5 requests in a minute/);
  });

  it('Alpaca: share 200 requests a minute', async () => {
    const clock = new VirtualClock();
    const venue = open(await startFakeAlpaca({ scheduler: clock }));
    venue.limitRequests(20);
    venue.remember(Array.from({ length: 45 }, (_, minute) => bar('alpaca', 'AAPL', minute)));
    const pacer = new SharedPacer<HistoryRange>({ profile: alpacaPacing(20), scheduler: clock });
    const make = () => alpaca({ key: venue.key, secret: venue.secret, url: venue.url, scheduler: clock, pacer });
    expect(await ask(clock, [pacer], [make(), make()], 45, 'AAPL')).toBe(2 * MINUTE);
    expect([venue.violations, venue.requests]).toEqual([[], { answered: 45, tooMany: 0 }]);
  });

  it('Coinbase: share eight requests a second', async () => {
    const clock = new VirtualClock();
    const venue = open(await startFakeCoinbase({ scheduler: clock, requestsPerSecond: 8 }));
    venue.remember(Array.from({ length: 30 }, (_, minute) => bar('coinbase', 'BTC-USD', minute)));
    const pacer = new SharedPacer<HistoryRange>({ profile: COINBASE_PACING.requests, scheduler: clock });
    const make = () => coinbase({ url: venue.url, scheduler: clock, pacer });
    expect(await ask(clock, [pacer], [make(), make()], 30, 'BTC-USD')).toBe(3_000);
    expect([venue.violations, venue.requests.length]).toEqual([[], 30]);
  });

  it('Binance: share the weight of an address, and a 429 makes both wait before a ban', async () => {
    const clock = new VirtualClock();
    const venue = open(await startFakeBinance({ scheduler: clock, weightPerMinute: 20 }));
    venue.remember(Array.from({ length: 25 }, (_, minute) => bar('binance', 'BTCUSDT', minute)));
    const windows = binancePacing().windows.map((window) => ({ ...window, limit: 20 }));
    const pacer = new SharedPacer<HistoryRange>({ profile: { windows }, scheduler: clock });
    const make = () => binance({ url: venue.url, scheduler: clock, pacer });
    expect(await ask(clock, [pacer], [make(), make()], 25, 'BTCUSDT')).toBe(2 * MINUTE);
    expect([venue.violations, venue.requests.length]).toEqual([[], 25]);
    // Somebody else at the address uses up the weight of this minute: one 429, then both wait as long as it says.
    const rest = venue.url.replace('ws', 'http');
    for (let n = 0; n < 5; n += 1) await fetch(`${rest}/api/v3/klines?symbol=BTCUSDT&interval=1m`);
    const minute = (n: number): HistoryRange => ({
      ...{ of: 'bar', symbol: 'BTCUSDT' },
      from: T + n * MINUTE,
      to: T + (n + 1) * MINUTE,
    });
    const one = make().history!(minute(0))[Symbol.asyncIterator]().next();
    while (pacer.counts.cooldowns === 0) await sleep(1);
    const other = make().history!(minute(1))[Symbol.asyncIterator]().next();
    while (pacer.counts.waiting.history < 2) await sleep(1);
    const began = clock.now();
    while (pacer.counts.waiting.history > 0) clock.moveTo(clock.nextAt!);
    expect(clock.now() - began).toBe(MINUTE);
    expect((await Promise.all([one, other])).map(({ value }) => value?.length)).toEqual([1, 1]);
    expect(venue.violations).toEqual([expect.stringMatching(/^HTTP 429/)]);
  });

  it('a request that waits is cancelled by return(): it is never made, and its place is free', async () => {
    const clock = new VirtualClock();
    const venue = open(await startFakeMassive({ scheduler: clock }));
    venue.remember([bar('massive', 'AAPL', 0)]);
    const profile = { windows: [{ limit: 1, perMs: MINUTE }] };
    const pacer = new SharedPacer<HistoryRange>({ profile, scheduler: clock });
    const provider = massive({ key: venue.secret, url: venue.url, scheduler: clock, pacer });
    const begin = () =>
      provider.history({ of: 'bar', symbol: 'AAPL', from: T, to: T + MINUTE })[Symbol.asyncIterator]();
    await begin().next();
    const [cancelled, next] = [begin(), begin()];
    const never = cancelled.next();
    const page = next.next();
    while (pacer.counts.waiting.history < 2) await sleep(1);
    expect(await cancelled.return?.()).toEqual({ done: true, value: undefined });
    expect(await never).toEqual({ done: true, value: undefined });
    expect(pacer.counts.waiting.history).toBe(1);
    clock.moveTo(clock.now() + MINUTE);
    expect((await page).value).toHaveLength(1);
    expect(venue.requests).toHaveLength(2);
    expect([pacer.counts.waiting.history, venue.violations]).toEqual([0, []]);
  });

  it('IBKR: share the limits of one TWS, 50 open at a time', async () => {
    const clock = new VirtualClock();
    const gateway = open(await startFakeGateway({ now: () => clock.now() }));
    const symbols = Array.from({ length: 120 }, (_, n) => `S${n}`);
    gateway.setHistory(symbols.map((symbol) => bar('ibkr', symbol, 0)));
    gateway.holdHistory(true);
    const pacer = ibkrPacer({ scheduler: clock });
    const providers = [1, 2].map((clientId) =>
      ibkr({ url: gateway.url, clientId, scheduler: clock, pacer, farmTimeoutMs: 1 }),
    );
    let answered = 0;
    const all = symbols.map(async (symbol, n) => {
      const range = { of: 'bar', symbol, from: T, to: T + MINUTE } as const;
      for await (const page of providers[n % 2]!.history!(range)) answered += page.length;
    });
    // Far enough for the 50 messages of a second, and no further.
    const step = async () => {
      await sleep(5);
      if (clock.nextAt !== undefined && clock.nextAt <= clock.now() + 1_500) clock.moveTo(clock.nextAt);
    };
    while (pacer.counts.waiting.history + pacer.counts.open < 120) await step();
    while ((gateway.requests.history ?? 0) < 50) await step();
    for (let n = 0; n < 20; n += 1) await step();
    expect([gateway.requests.history, gateway.mostOpen, pacer.counts.open]).toEqual([50, 50, 50]);
    gateway.holdHistory(false);
    while (answered < 120) await step();
    await Promise.all(all);
    expect([gateway.violations, gateway.mostOpen <= 50, pacer.counts.open]).toEqual([[], true, 0]);
  });
});
