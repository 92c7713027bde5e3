import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Fundamentals } from '../../../market/fundamentals.js';
import { fundamentalsKey } from '../../../market/index.js';
import type { NewsItem } from '../../../market/newsItem.js';
import type { OptionSnapshot } from '../../../market/optionSnapshot.js';
import type { FakeMassive } from '../../../testing/venues/massive/fakeMassive.js';
import { startFakeMassive } from '../../../testing/venues/massive/startFakeMassive.js';
import type { HistoryRange } from '../../provider.js';
import { massive } from '../massive.js';

const T = 1_767_623_400_000;

const OPTION: OptionSnapshot = {
  kind: 'option',
  vendor: 'massive',
  symbol: 'AAPL',
  expiry: '2026-12-18',
  optionType: 'C',
  strike: 225,
  ts: T,
  bid: 7.1,
  ask: 7.3,
  last: 7.2,
  iv: 0.25,
  delta: 0.55,
  gamma: 0.02,
  theta: -0.05,
  vega: 0.3,
  openInterest: 1_200,
  volume: 340,
  underlyingPrice: 227,
};
const NEWS: NewsItem = {
  kind: 'news',
  vendor: 'massive',
  id: 'n1',
  publishedAt: T,
  title: 'A headline',
  url: 'https://example.com/1',
  symbols: ['AAPL', 'BRK.B'],
  sentiment: 1,
};
const FIGURE: Fundamentals = {
  kind: 'fundamental',
  vendor: 'massive',
  symbol: 'AAPL',
  periodEnd: '2026-03-31',
  timeframe: 'quarterly',
  metric: 'income_statement.revenue',
  value: 95e9,
  unit: 'USD',
  filingDate: '2026-05-01',
};

const releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

async function start(): Promise<FakeMassive> {
  const venue = await startFakeMassive();
  releases.push(() => venue.close());
  return venue;
}

const of = (venue: FakeMassive) => massive({ key: venue.secret, url: venue.url, plan: 'paid' });
const range = (of: HistoryRange['of']): HistoryRange => ({ of, symbol: 'AAPL', from: T, to: T + 3_600_000 });

async function all<R>(pages: AsyncIterable<readonly R[]>): Promise<readonly (readonly R[])[]> {
  const read: (readonly R[])[] = [];
  for await (const page of pages) read.push(page);
  return read;
}

describe('what else the vendor has', () => {
  it('a chain of options, with null for greeks that are missing and for a bid of 0', async () => {
    const venue = await start();
    venue.limitPages(1);
    const { last: _, ...put } = { ...OPTION, optionType: 'P' as const, bid: null, delta: null, gamma: null };
    venue.remember([
      { ...put, theta: null, vega: null },
      OPTION,
      { ...OPTION, strike: 300 },
      { ...OPTION, expiry: '2027-01-15' },
    ]);
    const query = { symbol: 'AAPL', expiryTo: '2026-12-31', strikeFrom: 200, strikeTo: 250 };
    const seq = expect.any(Number);
    expect(await all(of(venue).optionChain(query))).toEqual([
      [{ ...OPTION, seq }],
      [{ ...put, last: null, theta: null, vega: null, seq }],
    ]);
    expect((await all(of(venue).optionChain({ ...query, optionType: 'P' }))).flat()).toHaveLength(1);
  });

  it.each<[string, string, string]>([
    ['I:SPX', 'O:SPX261218C06000000', 'I:SPX'],
    ['I:SPX', 'O:SPXW261218C06000000', 'SPXW'],
    ['AAPL', 'O:AAPL261218C06000000', 'AAPL'],
    ['AAPL', 'O:AAPL1261218C06000000', 'AAPL1'],
    ['BRK.B', 'O:BRKB261218C06000000', 'BRK.B'],
  ])('contracts of another root than that of %s apart: %s is of %s', async (symbol, ticker, root) => {
    const details = { ticker, contract_type: 'call', expiration_date: '2026-12-18', strike_price: 6_000 };
    const server = createServer((_, response) => {
      response.end(JSON.stringify({ status: 'OK', results: [{ details, last_quote: { bid: 900, ask: 901 } }] }));
    });
    releases.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const restUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const provider = massive({ key: 'k3y', market: 'options', restUrl, plan: 'paid' });
    const [snapshot] = (await all(provider.optionChain({ symbol }))).flat();
    expect(snapshot).toMatchObject({ symbol: root, expiry: '2026-12-18', strike: 6_000, bid: 900 });
  });

  it('news, with the mean of the sentiments', async () => {
    const venue = await start();
    venue.remember([
      { ...NEWS, id: 'n2', publishedAt: T + 1_000, sentiment: null },
      NEWS,
      { ...NEWS, id: 'n0', publishedAt: T - 1 },
    ]);
    const seq = expect.any(Number);
    const expected = [
      { ...NEWS, seq },
      { ...NEWS, id: 'n2', publishedAt: T + 1_000, sentiment: null, seq },
    ];
    expect(await all(of(venue).news({ symbol: 'BRK.B', from: T }))).toEqual([expected]);
    expect(await all(of(venue).history(range('news')))).toEqual([expected]);
    expect(await all(of(venue).news({ symbol: 'IBM' }))).toEqual([]);
    expect((await all(of(venue).news())).flat()).toHaveLength(3);
  });

  it('fundamentals, the same records from both kinds of endpoints', async () => {
    const venue = await start();
    venue.limitRequests(7);
    const figures = [
      FIGURE,
      { ...FIGURE, metric: 'income_statement.diluted_earnings_per_share', value: 1.5, unit: 'USD/share' },
      { ...FIGURE, metric: 'income_statement.noncontrolling_interest', value: 1 },
      { ...FIGURE, metric: 'balance_sheet.noncontrolling_interest', value: 2 },
      { ...FIGURE, metric: 'cash_flow_statement.net_income', value: 3, timeframe: 'ttm' },
    ];
    venue.remember(figures);
    const byKey = (records: readonly Fundamentals[]) =>
      Object.fromEntries(records.map((record) => [fundamentalsKey(record), { ...record, seq: 0 }]));
    const expected = byKey(figures);
    expect(byKey((await all(of(venue).fundamentals({ symbol: 'AAPL' }))).flat())).toEqual(expected);
    expect(byKey((await all(of(venue).fundamentals({ symbol: 'AAPL', source: 'legacy' }))).flat())).toEqual(expected);
    const ttm = await all(of(venue).fundamentals({ symbol: 'AAPL', timeframe: 'ttm' }));
    expect(ttm.flat()).toMatchObject([{ metric: 'cash_flow_statement.net_income' }]);
  });

  it('ratios, over the trailing twelve months', async () => {
    const venue = await start();
    const ratio = { ...FIGURE, timeframe: 'ttm', filingDate: null };
    venue.remember([
      { ...ratio, metric: 'ratios.price_to_earnings', value: 31.5, unit: 'ratio' },
      { ...ratio, metric: 'ratios.market_cap', value: 3e12, unit: 'USD' },
      { ...ratio, metric: 'ratios.price', value: 227, unit: 'USD/share' },
    ]);
    expect((await all(of(venue).fundamentals({ symbol: 'AAPL', statements: ['ratios'] }))).flat()).toMatchObject([
      { ...ratio, metric: 'ratios.price_to_earnings', value: 31.5, unit: 'ratio' },
      { ...ratio, metric: 'ratios.market_cap', value: 3e12, unit: 'USD' },
      { ...ratio, metric: 'ratios.price', value: 227, unit: 'USD/share' },
    ]);
  });
});
