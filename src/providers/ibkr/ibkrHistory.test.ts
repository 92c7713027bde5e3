import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bar } from '../../market/bar.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import type { FakeGateway } from '../../testing/venues/ibkr/fakeGateway.js';
import { startFakeGateway } from '../../testing/venues/ibkr/startFakeGateway.js';
import type { HistoryRange } from '../provider.js';
import { ibkr } from './ibkr.js';

const MINUTE = 60_000;
const DAY = 86_400_000;
const FROM = Date.parse('2026-01-05T14:30:00Z');

let gateway: FakeGateway;
beforeEach(async () => {
  gateway = await startFakeGateway();
});
afterEach(() => gateway.close());

const bar = (ts: number, over: Partial<Bar> = {}): Bar => ({
  kind: 'bar',
  vendor: 'ibkr',
  symbol: 'AAPL',
  timeframe: '1m',
  ts,
  open: 190,
  high: 191,
  low: 189,
  close: 190.5,
  volume: 1_000,
  trades: 10,
  vwap: 190.25,
  isFinal: true,
  ...over,
});

async function all(range: Partial<HistoryRange>, config = {}): Promise<MarketEvent[][]> {
  const provider = ibkr({ url: gateway.url, ...config });
  const pages: MarketEvent[][] = [];
  const whole = { of: 'bar', symbol: 'AAPL', from: FROM, to: FROM + DAY, ...range } as HistoryRange;
  for await (const page of provider.history!(whole)) pages.push([...page]);
  return pages;
}

describe('bars', () => {
  it('come in pages of at most one request, oldest first, each bar once', async () => {
    const bars = Array.from({ length: 3_000 }, (_, index) => bar(FROM + index * MINUTE));
    gateway.setHistory(bars);
    const pages = await all({ to: FROM + 2.5 * DAY });
    expect(pages.map((page) => page.length)).toEqual([1_440, 1_440, 120]);
    expect(pages.flat()).toEqual(bars);
    expect(gateway.requests.history).toBe(3);
  });

  it('have nothing outside of the range, and pass over spans without data', async () => {
    gateway.setHistory([bar(FROM - MINUTE), bar(FROM), bar(FROM + 3 * DAY), bar(FROM + 4 * DAY)]);
    const pages = await all({ to: FROM + 4 * DAY });
    expect(pages.flat()).toEqual([bar(FROM), bar(FROM + 3 * DAY)]);
    expect(gateway.requests.history).toBe(4);
  });

  it('are not final while they are not over', async () => {
    const ts = Math.floor(Date.now() / DAY) * DAY;
    gateway.setHistory([bar(ts - DAY, { timeframe: '1d' }), bar(ts, { timeframe: '1d' })]);
    const pages = await all({ timeframe: '1d', from: ts - DAY, to: ts + DAY });
    expect(pages.flat()).toMatchObject([{ isFinal: true }, { isFinal: false }]);
  });

  it('of an error end with it, in the words of TWS', async () => {
    gateway.failNext(
      'history',
      162,
      'Historical Market Data Service error message:No market data permissions for NYSE STK',
    );
    await expect(all({})).rejects.toMatchObject({
      code: 'SLUICE_NOT_ENTITLED',
      message: expect.stringContaining('No market data permissions for NYSE STK (code 162)'),
    });
    gateway.refuseSymbol('NONE');
    await expect(all({ symbol: 'NONE' })).rejects.toMatchObject({ code: 'SLUICE_UNKNOWN_INSTRUMENT' });
  });

  it('leave no connection behind, read or not', async () => {
    gateway.setHistory(Array.from({ length: 3_000 }, (_, index) => bar(FROM + index * MINUTE)));
    const pages = ibkr({ url: gateway.url }).history!({ of: 'bar', symbol: 'AAPL', from: FROM, to: FROM + 3 * DAY });
    for await (const page of pages) {
      expect(page).toHaveLength(1_440);
      break;
    }
    await gateway.until((venue) => venue.connections === 0);
    expect(gateway.requests.history).toBe(1);
  });

  it('are cancelled at once by return(), while TWS does not answer', async () => {
    gateway.ignoreSymbol('AAPL');
    const pages = ibkr({ url: gateway.url }).history!({ of: 'bar', symbol: 'AAPL', from: FROM, to: FROM + DAY });
    const iterator = pages[Symbol.asyncIterator]();
    const next = iterator.next();
    await gateway.until(() => (gateway.requests.details ?? 0) > 0);
    await iterator.return?.();
    expect(await next).toEqual({ done: true, value: undefined });
    await gateway.until((venue) => venue.connections === 0);
  });

  it('share one connection among those that ask at the same time', async () => {
    gateway.setHistory([bar(FROM)]);
    const provider = ibkr({ url: gateway.url });
    const read = async (to: number) => {
      const pages: MarketEvent[] = [];
      for await (const page of provider.history!({ of: 'bar', symbol: 'AAPL', from: FROM, to })) pages.push(...page);
      return pages;
    };
    expect(await Promise.all([read(FROM + DAY), read(FROM + MINUTE)])).toEqual([[bar(FROM)], [bar(FROM)]]);
    expect(gateway.accepted).toHaveLength(1);
  });
});

describe('ticks', () => {
  const second = (index: number) => FROM + index * 1_000;

  it('are numbered within their second, and page by seconds', async () => {
    // 1,500 trades, three a second: the page ends with its second.
    const trades = Array.from({ length: 1_500 }, (_, index) => ({
      kind: 'trade' as const,
      vendor: 'ibkr',
      symbol: 'AAPL',
      ts: second(Math.floor(index / 3)),
      price: 190 + index / 100,
      size: index,
      id: String(index % 3),
      venue: 'NASDAQ',
      conditions: index % 2 ? ['T', 'I'] : null,
    }));
    gateway.setHistory(trades);
    const pages = await all({ of: 'trade', to: second(400) });
    expect(pages.map((page) => page.length)).toEqual([1_002, 198]);
    expect(pages.flat()).toEqual(trades.filter(({ ts }) => ts < second(400)));
  });

  it('of bid and ask are quotes, with null where nobody bids', async () => {
    const quotes = [
      {
        kind: 'quote',
        vendor: 'ibkr',
        symbol: 'AAPL',
        ts: second(0),
        bid: 190,
        bidSize: 3,
        ask: 190.5,
        askSize: 2,
        id: '0',
      },
      {
        kind: 'quote',
        vendor: 'ibkr',
        symbol: 'AAPL',
        ts: second(0),
        bid: null,
        bidSize: null,
        ask: 191,
        askSize: 1,
        id: '1',
      },
    ] as const;
    gateway.setHistory(quotes);
    expect((await all({ of: 'quote' })).flat()).toEqual(quotes);
  });
});

it('reads news from the newest page to the oldest, each item once', async () => {
  const news = Array.from({ length: 700 }, (_, index) => ({
    kind: 'news' as const,
    vendor: 'ibkr',
    id: `FAKE$${index}`,
    publishedAt: FROM + Math.floor(index / 2) * 1_000,
    title: `Headline ${index}`,
    url: `https://ibkr.invalid/news/FAKE/${encodeURIComponent(`FAKE$${index}`)}`,
    symbols: ['AAPL'],
  }));
  gateway.setHistory(news);
  const pages = await all({ of: 'news' });
  expect(pages.length).toBeGreaterThan(2);
  const byTime = pages
    .flat()
    .sort((a, b) => Number((a as { id: string }).id.slice(5)) - Number((b as { id: string }).id.slice(5)));
  expect(byTime).toEqual(news);
});

it('reads the figures of a report, and says that there are none in the words of TWS', async () => {
  const figures = [
    {
      kind: 'fundamental',
      vendor: 'ibkr',
      symbol: 'AAPL',
      periodEnd: '2026-01-06',
      timeframe: 'annual',
      metric: 'EPS',
      value: 6.1,
      unit: 'USD/share',
    },
    {
      kind: 'fundamental',
      vendor: 'ibkr',
      symbol: 'AAPL',
      periodEnd: '2026-01-06',
      timeframe: 'ttm',
      metric: 'TotalRevenue',
      value: 4e11,
      unit: 'USD',
    },
  ] as const;
  gateway.setHistory(figures);
  expect((await all({ of: 'fundamental' })).flat()).toEqual(figures);
  gateway.setHistory([]);
  await expect(all({ of: 'fundamental' })).rejects.toMatchObject({ code: 'SLUICE_NOT_ENTITLED' });
});

it('refuses what there is no history of, at once', () => {
  const history = ibkr({ url: gateway.url }).history!;
  const range = { symbol: 'AAPL', from: FROM, to: FROM + 1 };
  expect(() => history({ ...range, of: 'option' })).toThrow(
    new RangeError('ibkr: history: of must be one of bar, trade, quote, news, fundamental, got "option"'),
  );
  expect(() => history({ ...range, of: 'bar', timeframe: '7m' })).toThrow(
    /timeframe must be one of 1s, 5s, .*, got "7m"/,
  );
});
