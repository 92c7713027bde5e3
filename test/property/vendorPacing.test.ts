import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { PacingProfile } from '../../src/policies/pacingProfile.js';
import { SharedPacer } from '../../src/policies/sharedPacer.js';
import { Xoshiro128 } from '../../src/primitives/xoshiro128.js';
import { alpaca, alpacaPacing } from '../../src/providers/alpaca/index.js';
import { binance, binancePacing } from '../../src/providers/binance/index.js';
import { COINBASE_PACING, coinbase } from '../../src/providers/coinbase/index.js';
import { IBKR_PACING, type IbkrRequestCost, MESSAGE_PACING, REQUEST_PACING } from '../../src/providers/ibkr/pacing.js';
import { MASSIVE_PACING, massive } from '../../src/providers/massive/index.js';
import type { HistoryRange } from '../../src/providers/provider.js';
import { WeightMeter } from '../../src/testing/venues/binance/weightMeter.js';
import type { AskedContract, ContractRequest } from '../../src/testing/venues/ibkr/gatewayRequest.js';
import { PacingRules } from '../../src/testing/venues/ibkr/pacingRules.js';

interface Passed<T> {
  readonly item: T;
  readonly at: number;
}

/** Asks for all at once, far more than allowed, and says when each passed. What opens is given back after `openMs`. */
function flood<T>(profile: PacingProfile<T>, items: readonly T[], openMs = 0): Passed<T>[] {
  const scheduler = new VirtualTimeScheduler();
  const pacer = new SharedPacer<T>({ profile, scheduler, maxWaiting: items.length });
  const passed: Passed<T>[] = [];
  for (const item of items) {
    const pass = () => {
      passed.push({ item, at: scheduler.now() });
      scheduler.schedule(() => ticket.end(), openMs);
    };
    const ticket = pacer.ask(item, { pass });
    if (ticket.hasPassed) pass();
  }
  scheduler.flush();
  expect(passed).toHaveLength(items.length);
  return passed;
}

/** The most that any window of this length holds, by adding up anew from each passage on. */
function heaviest<T>(passed: readonly Passed<T>[], perMs: number, weightOf: (item: T) => number = () => 1): number {
  let most = 0;
  for (const { at: from } of passed) {
    const inside = passed.filter(({ at }) => at >= from && at < from + perMs);
    most = Math.max(
      most,
      inside.reduce((sum, { item }) => sum + weightOf(item), 0),
    );
  }
  return most;
}

const range = (n: number, over: Partial<HistoryRange> = {}): HistoryRange => ({
  ...{ of: 'bar', symbol: `S${n}`, from: 60_000 * n, to: 60_000 * (n + 1) },
  ...over,
});
const ranges = (count: number, over: Partial<HistoryRange> = {}) =>
  Array.from({ length: count }, (_, n) => range(n, over));
const MINUTE = 60_000;

describe('the limits of vendors as data, flooded in virtual time', () => {
  it('Alpaca: 200 requests in a minute, and not one fewer', () => {
    const passed = flood(alpacaPacing(), ranges(1_000));
    expect([heaviest(passed, MINUTE), passed.at(-1)!.at]).toEqual([200, 4 * MINUTE]);
    expect(flood(alpacaPacing(1_000), ranges(1_001)).at(-1)!.at).toBe(MINUTE);
  });

  it('Massive: five requests in a minute of a free plan; fewer than 100 a second of a paid one', () => {
    const free = flood(MASSIVE_PACING.free, ranges(26));
    expect([heaviest(free, MINUTE), free.at(-1)!.at]).toEqual([5, 5 * MINUTE]);
    const paid = flood(MASSIVE_PACING.paid, ranges(901));
    expect([heaviest(paid, 1_000), paid.at(-1)!.at]).toEqual([90, 10_000]);
  });

  it('Binance: four fifths of 6,000 of weight in a minute, by the vendor’s own count', () => {
    const kinds = ['bar', 'trade', 'bar', 'bar'] as const;
    const items = Array.from({ length: 2_000 }, (_, n) => range(n, { of: kinds[n % 4]! }));
    const weightOf = ({ of }: HistoryRange) => (of === 'bar' ? 2 : 25);
    const passed = flood(binancePacing('raw'), items);
    expect(heaviest(passed, MINUTE, weightOf)).toBeGreaterThan(4_800 - 25);
    const meter = new WeightMeter(4_800, 120_000);
    for (const { item, at } of passed) expect(meter.take(weightOf(item), at).status).toBe(200);
    // 15,500 of weight take three minutes beyond the first.
    expect(passed.at(-1)!.at).toBe(3 * MINUTE);
    const aggregated = flood(binancePacing('aggregated'), ranges(1_201, { of: 'trade' }));
    expect([heaviest(aggregated, MINUTE), aggregated.at(-1)!.at]).toEqual([1_200, MINUTE]);
  });

  it('Coinbase: eight of ten requests a second, six of eight messages', () => {
    const passed = flood(COINBASE_PACING.requests, ranges(81));
    expect([heaviest(passed, 1_000), passed.at(-1)!.at]).toEqual([8, 10_000]);
    const messages = flood(COINBASE_PACING.messages, Array.from({ length: 61 }));
    expect([heaviest(messages, 1_000), messages.at(-1)!.at]).toEqual([6, 10_000]);
  });

  it('each is what the provider of the vendor says of itself', () => {
    expect(alpaca({ key: 'k', secret: 's' }).pacing.requests).toEqual(alpacaPacing());
    expect(massive({ key: 'k' }).pacing.requests).toBe(MASSIVE_PACING.free);
    expect(massive({ key: 'k', plan: 'paid' }).pacing.requests).toBe(MASSIVE_PACING.paid);
    expect(binance().pacing.requests?.windows[0]).toMatchObject({ limit: 4_800, perMs: MINUTE });
    expect(coinbase().pacing).toEqual(COINBASE_PACING);
    const pacer = new SharedPacer<HistoryRange>({ profile: { windows: [{ limit: 3, perMs: 7 }] } });
    for (const provider of [
      alpaca({ key: 'k', secret: 's', pacer }),
      massive({ key: 'k', pacer }),
      binance({ pacer }),
      coinbase({ pacer }),
    ]) {
      expect(provider.pacing.requests).toBe(pacer.profile);
    }
  });
});

describe('the limits of IBKR, flooded in virtual time', () => {
  const contract = (conId: number): AskedContract => ({
    ...{ conId, symbol: '', secType: '', lastTradeDate: '', strike: 0, right: '', exchange: 'SMART' },
    ...{ primaryExch: '', currency: 'USD', localSymbol: '' },
  });

  interface Request {
    readonly wire: ContractRequest;
    readonly cost: IbkrRequestCost;
  }

  const past = (conId: number, what: string, end: string, barSize = '5 secs'): Request => {
    const series = `${conId} SMART ${what}`;
    return {
      wire: {
        is: 'history',
        id: 1,
        contract: contract(conId),
        args: ['0', end, barSize, '1800 S', '0', what, '2', '0'],
      },
      cost: {
        ...{ ticks: '', opens: true, series, identity: `${series} ${barSize} ${end}` },
        budget: barSize !== '5 secs' ? 0 : what === 'BID_ASK' ? 2 : 1,
      },
    };
  };
  const ticks = (conId: number, type: string): Request => ({
    wire: { is: 'ticks', id: 1, contract: contract(conId), args: [type] },
    cost: { budget: 0, series: '', identity: '', opens: false, ticks: `${conId} ${type}` },
  });
  const bars = (conId: number): Request => ({
    wire: { is: 'bars', id: 1, contract: contract(conId), args: ['5', 'TRADES', '0'] },
    cost: { budget: 1, series: '', identity: '', opens: false, ticks: '' },
  });

  const profile: PacingProfile<Request> = {
    windows: REQUEST_PACING.windows.map(({ by, weight, ...window }) => ({
      ...window,
      ...(by && { by: ({ cost }: Request) => by(cost) }),
      ...(weight && { weight: ({ cost }: Request) => weight(cost) }),
    })),
    maxOpen: REQUEST_PACING.maxOpen!,
    opens: ({ cost }) => REQUEST_PACING.opens!(cost),
  };

  /** What the fake gateway would refuse of these, with so many open as were not given back. */
  function violations(passed: readonly Passed<Request>[], openMs: number): readonly string[] {
    const rules = new PacingRules();
    for (const [index, { item, at }] of passed.entries()) {
      const open = passed.slice(0, index).filter((other) => other.item.cost.opens && other.at + openMs > at).length;
      rules.request(item.wire, open, at);
    }
    return rules.violations;
  }

  it('50 messages a second', () => {
    const passed = flood(MESSAGE_PACING, Array.from({ length: 501 }));
    expect([heaviest(passed, 1_000), passed.at(-1)!.at]).toEqual([50, 10_000]);
  });

  it('60 counted requests in ten minutes, 30 of bid and ask', () => {
    const trades = flood(
      profile,
      Array.from({ length: 181 }, (_, n) => past(n, 'TRADES', 'now')),
      100,
    );
    expect([violations(trades, 100), heaviest(trades, 600_000), trades.at(-1)!.at]).toEqual([[], 60, 1_800_000]);
    const quotes = flood(
      profile,
      Array.from({ length: 61 }, (_, n) => past(n, 'BID_ASK', 'now')),
      100,
    );
    expect([violations(quotes, 100), heaviest(quotes, 600_000), quotes.at(-1)!.at]).toEqual([[], 30, 1_200_000]);
  });

  it('five of one contract in two seconds, an identical one in fifteen, 50 open', () => {
    const one = flood(
      profile,
      Array.from({ length: 51 }, (_, n) => past(1, 'TRADES', `${n}`, '1 min')),
      10,
    );
    expect([violations(one, 10), heaviest(one, 2_000), one.at(-1)!.at]).toEqual([[], 5, 20_000]);
    const same = flood(
      profile,
      Array.from({ length: 5 }, () => past(1, 'TRADES', 'now', '1 min')),
      10,
    );
    expect([violations(same, 10), same.map(({ at }) => at / 1_000)]).toEqual([[], [0, 15, 30, 45, 60]]);
    const many = flood(
      profile,
      Array.from({ length: 201 }, (_, n) => past(n, 'TRADES', 'now', '1 min')),
      700,
    );
    expect([violations(many, 700), heaviest(many, 700), many.at(-1)!.at]).toEqual([[], 50, 2_800]);
  });

  it('a mixture of everything breaks no rule of the fake gateway', () => {
    const random = Xoshiro128.fromSeed(7);
    const pick = (count: number) => Math.floor(random.unit() * count);
    const items = Array.from({ length: 600 }, (): Request => {
      const conId = pick(8);
      const kind = pick(6);
      if (kind === 0) return ticks(conId, pick(2) === 0 ? 'AllLast' : 'BidAsk');
      if (kind === 1) return bars(conId);
      const barSize = kind === 2 ? '5 secs' : '1 min';
      return past(conId, pick(3) === 0 ? 'BID_ASK' : 'TRADES', String(pick(40)), barSize);
    });
    expect(violations(flood(profile, items, 300), 300)).toEqual([]);
    // The count sees it where nobody waits.
    expect(
      violations(
        items.map((item) => ({ item, at: 0 })),
        300,
      ).length,
    ).toBeGreaterThan(300);
  });

  it('ranges, each as one request', () => {
    const passed = flood(IBKR_PACING.requests!, ranges(121, { timeframe: '5s' }));
    expect([heaviest(passed, 600_000), passed.at(-1)!.at]).toEqual([60, 1_200_000]);
  });
});
