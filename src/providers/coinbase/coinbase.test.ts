import { BehaviorSubject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { observe } from '../../../test/support/collect.js';
import type { Bar } from '../../market/bar.js';
import type { Quote } from '../../market/quote.js';
import type { MarketEvent, RecordKind } from '../../market/recordKinds.js';
import type { Trade } from '../../market/trade.js';
import type { FakeCoinbase } from '../../testing/venues/coinbase/fakeCoinbase.js';
import { startFakeCoinbase } from '../../testing/venues/coinbase/startFakeCoinbase.js';
import type { HistoryRange } from '../provider.js';
import { UnknownInstrument } from '../providerErrors.js';
import type { RejectedElement } from '../streamConfig.js';
import { type CoinbaseConfig, coinbase } from './coinbase.js';

const T = 1_767_623_400_000;

function trade(id: number, symbol = 'BTC-USD'): Trade {
  const ts = T + id;
  return { kind: 'trade', vendor: 'coinbase', symbol, ts, price: 100, size: 1, id: String(id), side: 'buy', seq: id };
}

function bar(place: number, close: number, isFinal: boolean, at = T + place * 300_000 + 2_010): Bar {
  return {
    kind: 'bar',
    vendor: 'coinbase',
    symbol: 'BTC-USD',
    timeframe: '5m',
    ts: T + place * 300_000,
    open: 2,
    high: 9,
    low: 1,
    close,
    volume: 10,
    isFinal,
    seq: at * 1_000,
  };
}

const quote: Quote = {
  kind: 'quote',
  vendor: 'coinbase',
  symbol: 'BTC-USD',
  ts: T + 0.125,
  bid: 1,
  bidSize: 2,
  ask: 3,
  askSize: 4,
  id: 'the number of the message',
  seq: (T + 0.125) * 1_000,
};

let venue: FakeCoinbase;
const releases: (() => void)[] = [];

beforeEach(async () => {
  venue = await startFakeCoinbase();
});
afterEach(async () => {
  for (const release of releases.splice(0)) release();
  await venue.close();
});

/** Subscribes, and waits until the venue has all subscriptions and the heartbeats. */
async function stream(kinds: readonly RecordKind[], config: CoinbaseConfig = {}, symbols = ['BTC-USD']) {
  const provider = coinbase({ url: venue.url, initialMs: 1, random: () => 0.5, ...config });
  const seen = observe(provider.stream({ kinds, symbols }));
  releases.push(() => seen.unsubscribe());
  await venue.until(({ subscriptions }) => subscriptions.length === kinds.length * symbols.length + 1);
  return seen;
}

describe('a stream', () => {
  it('has records of each kind as they were published', async () => {
    const seen = await stream(['bar', 'trade', 'quote']);
    venue.publish([bar(0, 3, false), trade(1), trade(2), quote]);
    await seen.count(4);
    expect(seen.items).toEqual([
      bar(0, 3, false),
      trade(1),
      trade(2),
      { ...quote, id: expect.stringMatching(/^\d+$/) },
    ]);
    expect(seen.monitor.feeds[0]).toMatchObject({ state: 'live', asked: 3, confirmed: 3, records: 4, unreadable: 0 });
    expect(venue.subscriptions).toEqual(['heartbeats', 'candles.BTC-USD', 'market_trades.BTC-USD', 'ticker.BTC-USD']);
  });

  it('says that a bar is final when the next one begins', async () => {
    const seen = await stream(['bar']);
    venue.publish([bar(0, 3, false)]);
    venue.publish([bar(0, 4, false, T + 299_000)]);
    venue.publish([bar(1, 5, false)]);
    await seen.count(4);
    const at = T + 300_000 + 2_010;
    expect(seen.items).toEqual([
      bar(0, 3, false),
      bar(0, 4, false, T + 299_000),
      bar(0, 4, true, at),
      bar(1, 5, false, at),
    ]);
  });

  it('begins with the snapshot, the oldest first', async () => {
    venue.remember([trade(1), trade(2), bar(0, 3, false), bar(1, 4, false)]);
    const seen = await stream(['trade', 'bar']);
    await seen.count(4);
    const at = T + 300_000 + 2_010;
    const of = (kind: string) => seen.items.filter((record) => record.kind === kind);
    expect(of('trade')).toEqual([trade(1), trade(2)]);
    expect(of('bar')).toEqual([bar(0, 3, true, at), bar(1, 4, false, at)]);
  });

  it('diverts what cannot be read, and its neighbours pass', async () => {
    const rejected: RejectedElement[] = [];
    const seen = await stream(['trade'], { onRejected: (one) => rejected.push(one) });
    venue.publishMalformed([trade(1), trade(2)], 1);
    await seen.count(2);
    expect(seen.items).toEqual([trade(1), trade(2)]);
    const raw = expect.objectContaining({ price: 'many' });
    expect(rejected).toEqual([
      { element: expect.objectContaining({ raw }), reason: expect.stringMatching(/^trade_id must/) },
    ]);
  });

  it('has a gap record for every series where messages were lost', async () => {
    const seen = await stream(['trade', 'quote']);
    venue.publish([trade(1), quote]);
    await seen.count(2);
    venue.loseMessages(1);
    venue.publish([trade(2)]);
    venue.publish([trade(9)]);
    await seen.count(5);
    const gap = { kind: 'gap', symbol: 'BTC-USD', to: T + 9, cause: 'sequence', state: 'open' };
    expect(seen.items.slice(2)).toMatchObject([
      { ...gap, of: 'trade', from: T + 1 },
      { ...gap, of: 'quote', from: T + 0.125 },
      trade(9),
    ]);
  });

  it('comes back after a reset, with a gap record', async () => {
    const seen = await stream(['trade']);
    venue.publish([trade(1)]);
    await seen.count(1);
    venue.reset();
    await venue.until(({ accepted, subscriptions }) => accepted.length === 2 && subscriptions.length === 2);
    venue.publish([trade(9)]);
    await seen.count(3);
    expect(seen.items).toMatchObject([trade(1), { kind: 'gap', from: T + 1, cause: 'reconnect' }, trade(9)]);
  });

  it('changes its subscriptions while it runs', async () => {
    const symbols = new BehaviorSubject<readonly string[]>(['BTC-USD']);
    const seen = observe(coinbase({ url: venue.url }).stream({ kinds: ['trade'], symbols }));
    releases.push(() => seen.unsubscribe());
    await venue.until(({ subscriptions }) => subscriptions.includes('market_trades.BTC-USD'));
    symbols.next(['ETH-USDC']);
    await venue.until(({ subscriptions }) => subscriptions.join() === 'heartbeats,market_trades.ETH-USD');
    expect(venue.accepted).toHaveLength(1);
  });

  it('records BTC-USDC under the name that its data have, once', async () => {
    const provider = coinbase({ url: venue.url });
    const seen = observe(provider.stream({ kinds: ['trade'], symbols: ['BTC-USDC', 'BTC-USD', 'USDT-USDC'] }));
    releases.push(() => seen.unsubscribe());
    await venue.until(({ subscriptions }) => subscriptions.length === 3);
    venue.publish([trade(1), trade(1, 'USDT-USDC')]);
    await seen.count(2);
    expect(seen.items).toEqual([trade(1), trade(1, 'USDT-USDC')]);
    expect(seen.monitor.feeds[0]).toMatchObject({ asked: 2, confirmed: 2 });
  });

  it('refuses a product that the vendor does not know, and goes on with the others', async () => {
    venue.refuseSymbol('NO-SUCH');
    const refused: string[] = [];
    const provider = coinbase({ url: venue.url, onRefused: ({ error }) => refused.push(error.message) });
    const seen = observe(provider.stream({ kinds: ['trade'], symbols: ['NO-SUCH', 'BTC-USD'] }));
    releases.push(() => seen.unsubscribe());
    await venue.until(({ subscriptions }) => subscriptions.length === 2);
    venue.publish([trade(1)]);
    await seen.count(1);
    expect(refused).toEqual(['coinbase: market_trades of NO-SUCH: it is missing in the list of subscriptions']);
  });

  it('has bars of five minutes, and says so of others', () => {
    expect(() => coinbase().stream({ kinds: ['bar'], symbols: ['BTC-USD'], timeframe: '1m' })).toThrow(
      'coinbase: stream: timeframe must be one of "5m", got "1m"',
    );
    expect(coinbase().timeframes).toEqual(['5m']);
  });
});

describe('without the internet', () => {
  it('fails in one sentence once the attempts are used up', async () => {
    const { url } = venue;
    await venue.close();
    const seen = observe(coinbase({ url, maxAttempts: 1 }).stream({ kinds: ['trade'], symbols: ['BTC-USD'] }));
    await seen.ended;
    expect((seen.end as { error: Error }).error.message).toMatch(
      /^coinbase: could not connect to 127\.0\.0\.1:\d+: [^\n]+$/,
    );
    venue = await startFakeCoinbase();
  });
});

async function all(range: HistoryRange): Promise<(readonly MarketEvent[])[]> {
  const pages: (readonly MarketEvent[])[] = [];
  for await (const page of coinbase({ url: venue.url }).history!(range)) pages.push(page);
  return pages;
}

describe('history', () => {
  it('has candles in pages, oldest first, and leaves out those that are not over', async () => {
    const bars = Array.from({ length: 700 }, (_, i) => bar(i, 3, true));
    const forming = { ...bar(0, 3, false), ts: Math.floor(Date.now() / 300_000) * 300_000 };
    venue.remember([...bars, forming]);
    const pages = await all({ of: 'bar', symbol: 'BTC-USDC', from: T + 300_000, to: T + 700 * 300_000 });
    expect(pages.map((page) => page.length)).toEqual([300, 300, 99]);
    expect(pages.flat()).toEqual(bars.slice(1).map((one) => ({ ...one, seq: expect.any(Number) })));
    const path = '/api/v3/brokerage/market/products/BTC-USD/candles';
    const query = 'start=1767623700&end=1767713699&granularity=FIVE_MINUTE&limit=300';
    expect(venue.requests[0]).toBe(`${path}?${query}`);
    expect(await all({ of: 'bar', symbol: 'BTC-USD', from: forming.ts, to: forming.ts + 300_000 })).toEqual([]);
  });

  it('has more timeframes than the stream', async () => {
    const hour = { ...bar(0, 3, true), timeframe: '1h', ts: T - 1_800_000 };
    venue.remember([hour]);
    const pages = await all({ of: 'bar', symbol: 'BTC-USD', timeframe: '1h', from: hour.ts, to: hour.ts + 1 });
    expect(pages).toEqual([[{ ...hour, seq: expect.any(Number) }]]);
  });

  it.each<[HistoryRange, RegExp]>([
    [{ of: 'trade', symbol: 'BTC-USD', from: T, to: T + 1 }, /no history of kind trade: the vendor has candles/],
    [{ of: 'bar', symbol: 'BTC-USD', timeframe: '7m', from: T, to: T + 1 }, /no candles of 7m \(there are: 5m, 1m/],
  ])('refuses %j', (range, message) => {
    expect(() => coinbase().history!(range)).toThrow(message);
    expect(() => coinbase().history!(range)).toThrow(UnknownInstrument);
  });

  it('says what the vendor says of a product that it does not know', async () => {
    await expect(all({ of: 'bar', symbol: 'NO-SUCH', from: T, to: T + 1_000 })).rejects.toThrow(
      /HTTP 404: .*NOT_FOUND/,
    );
  });
});

it.each([
  [{ url: 'localhost' }, 'must be a'],
  [{ key: 'x' }, 'coinbase: unknown option "key"'],
])('refuses the options %j when it is made', (config, message) => {
  expect(() => coinbase(config as object)).toThrow(message);
});
