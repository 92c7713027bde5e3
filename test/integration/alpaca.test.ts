import { lastValueFrom, type Observable, Subject, type Subscription, take } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Gap } from '../../src/market/gap.js';
import type { MarketEvent, RecordOf } from '../../src/market/recordKinds.js';
import { type AlpacaConfig, alpaca } from '../../src/providers/alpaca/index.js';
import type { ProviderError } from '../../src/providers/index.js';
import { BadCredentials, NotEntitled, QuotaExceeded, UnknownInstrument } from '../../src/providers/index.js';
import type { SubscriptionRequest } from '../../src/providers/provider.js';
import type { Refusal } from '../../src/providers/session.js';
import type { ProviderRetry, RejectedElement } from '../../src/providers/streamConfig.js';
import type { FakeAlpaca } from '../../src/testing/venues/alpaca/fakeAlpaca.js';
import { startFakeAlpaca } from '../../src/testing/venues/alpaca/startFakeAlpaca.js';

const TS = Date.parse('2026-01-05T14:30:12.083Z') + 0.456;

const trade = (id: number, more: Partial<RecordOf<'trade'>> = {}): RecordOf<'trade'> => ({
  kind: 'trade',
  vendor: 'alpaca',
  symbol: 'AAPL',
  ts: TS + id,
  price: 227.05,
  size: 100,
  id: `V:${id}`,
  venue: 'V',
  side: null,
  conditions: ['@'],
  ...more,
});
const quote = (bid: number): RecordOf<'quote'> => ({
  kind: 'quote',
  vendor: 'alpaca',
  symbol: 'AAPL',
  ts: TS,
  bid,
  bidSize: 300,
  ask: 228.5,
  askSize: 200,
  id: `Q${bid}x300/P228.5x200`,
  bidVenue: 'Q',
  askVenue: 'P',
});
const bar = (volume: number): RecordOf<'bar'> => ({
  kind: 'bar',
  vendor: 'alpaca',
  symbol: 'AAPL',
  timeframe: '1m',
  ts: Date.parse('2026-01-05T14:30:00Z'),
  open: 227,
  high: 228,
  low: 226.5,
  close: 227.5,
  volume,
  isFinal: true,
  trades: 12,
  vwap: 227.25,
});

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function start(): Promise<FakeAlpaca> {
  const venue = await startFakeAlpaca();
  open.push(() => venue.close());
  return venue;
}

function providerOf(venue: FakeAlpaca, config: Partial<AlpacaConfig> = {}) {
  return alpaca({ url: venue.url, key: venue.key, secret: venue.secret, initialMs: 1, maxMs: 5, ...config });
}

/** Subscribes, and keeps what comes. */
function listen(stream: Observable<MarketEvent>) {
  const records: MarketEvent[] = [];
  const waiting: (() => void)[] = [];
  const end = { error: undefined as unknown, isOver: false };
  const wake = () => {
    for (const one of waiting.splice(0)) one();
  };
  const subscription: Subscription = stream.subscribe({
    next(record) {
      records.push(record);
      wake();
    },
    error(error: unknown) {
      Object.assign(end, { error, isOver: true });
      wake();
    },
    complete() {
      end.isOver = true;
      wake();
    },
  });
  open.push(() => subscription.unsubscribe());
  const until = async (isSo: () => boolean) => {
    while (!isSo() && !end.isOver) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  return { records, end, until, stop: () => subscription.unsubscribe() };
}

const isGap = (record: MarketEvent): record is Gap => record.kind === 'gap';
const without = ({ seq: _, ...rest }: MarketEvent & { readonly seq?: number }) => rest;
const subscribed =
  (...names: string[]) =>
  ({ subscriptions }: { readonly subscriptions: readonly string[] }) =>
    names.every((name) => subscriptions.includes(name));

const ALL: SubscriptionRequest = { kinds: ['trade', 'quote', 'bar'], symbols: ['AAPL'] };

describe.each(['json', 'msgpack'] as const)('alpaca over %s', (encoding) => {
  it('streams what the server sends, record for record, with revisions and corrections as newer versions', async () => {
    const venue = await start();
    const heard = listen(providerOf(venue, { encoding }).stream(ALL));
    await venue.until(subscribed('trades.AAPL', 'quotes.AAPL', 'bars.AAPL', 'updatedBars.AAPL'));
    venue.publish([trade(1), quote(227.5), bar(1_200)]);
    venue.publish([bar(1_300), trade(1, { price: 226 })]);
    await heard.until(() => heard.records.length >= 5);
    expect(heard.records.map(without)).toEqual([
      trade(1),
      quote(227.5),
      bar(1_200),
      bar(1_300),
      trade(1, { price: 226 }),
    ]);
    const [first, , barred, revised, corrected] = heard.records as RecordOf<'trade'>[];
    expect(revised!.seq!).toBeGreaterThan(barred!.seq!);
    expect(corrected!.seq!).toBeGreaterThan(first!.seq!);
  });

  it('diverts a malformed element among good ones, which pass', async () => {
    const venue = await start();
    const rejected: RejectedElement[] = [];
    const onRejected = (one: RejectedElement) => rejected.push(one);
    const heard = listen(providerOf(venue, { encoding, onRejected }).stream(ALL));
    await venue.until(subscribed('trades.AAPL'));
    venue.publishMalformed([trade(1), trade(2), trade(3)], 1);
    await heard.until(() => heard.records.length >= 3);
    expect(heard.records.map(without)).toEqual([trade(1), trade(2), trade(3)]);
    expect(rejected).toMatchObject([
      { element: { T: 't', S: 'AAPL', p: 'n/a' }, reason: expect.stringContaining('t must be') },
    ]);
  });
});

describe('alpaca', () => {
  it('comes back after a reset, with a gap for each series, and subscribes again', async () => {
    const venue = await start();
    const heard = listen(providerOf(venue).stream({ kinds: ['trade'], symbols: ['AAPL', 'MSFT'] }));
    await venue.until(subscribed('trades.AAPL', 'trades.MSFT'));
    venue.publish([trade(1), trade(1, { symbol: 'MSFT' })]);
    await heard.until(() => heard.records.length >= 2);
    venue.reset();
    await venue.until(({ logins }) => logins === 2);
    await venue.until(subscribed('trades.AAPL', 'trades.MSFT'));
    venue.publish([trade(9)]);
    await heard.until(() => heard.records.some((one) => one.kind === 'trade' && one.id === 'V:9'));
    const gaps = heard.records.filter(isGap);
    expect(gaps.map(({ symbol, of, cause }) => [symbol, of, cause]).sort()).toEqual([
      ['AAPL', 'trade', 'reconnect'],
      ['MSFT', 'trade', 'reconnect'],
    ]);
    expect(gaps.every(({ from }) => from === TS + 1)).toBe(true);
  });

  it.each([
    ['credentials', BadCredentials, 402, 'auth failed'],
    ['entitlement', NotEntitled, 409, 'insufficient subscription'],
  ] as const)(
    'ends at rejected %s with the words of the vendor, and does not try again',
    async (why, kind, code, words) => {
      const venue = await start();
      venue.rejectLogins(why);
      const heard = listen(providerOf(venue).stream(ALL));
      await heard.until(() => false);
      expect(heard.end.error).toBeInstanceOf(kind);
      expect((heard.end.error as ProviderError).message).toContain(`(${code}: ${words})`);
      expect(venue.accepted).toHaveLength(1);
    },
  );

  it('waits for a minute when the account has another connection', async () => {
    const venue = await start();
    venue.limitConnections(0, 'newer');
    const retries: ProviderRetry[] = [];
    const waits = new Subject<void>();
    const onRetry = (retry: ProviderRetry) => {
      retries.push(retry);
      waits.next();
    };
    const waited = lastValueFrom(waits.pipe(take(1)));
    listen(providerOf(venue, { onRetry }).stream(ALL));
    await waited;
    expect(retries[0]!.error).toBeInstanceOf(QuotaExceeded);
    expect(retries[0]!.delayMs).toBeGreaterThanOrEqual(60_000);
  });

  it('comes back when it was too slow, and tells it', async () => {
    const venue = await start();
    const notices: string[] = [];
    listen(providerOf(venue, { onNotice: (notice) => notices.push(notice) }).stream(ALL));
    await venue.until(subscribed('trades.AAPL'));
    venue.sendError(407);
    await venue.until(({ logins }) => logins === 2);
    expect(notices).toEqual(['Alpaca closes connections that are read too slowly (407: slow client)']);
  });

  it('streams the others when a symbol is refused or ignored, or is over the limit', async () => {
    const venue = await start();
    venue.refuseSymbol('BAD');
    venue.ignoreSymbol('GONE');
    venue.limitSymbols(3);
    const refused: Refusal[] = [];
    const refusals = new Subject<Refusal>();
    const third = lastValueFrom(refusals.pipe(take(3)));
    refusals.subscribe((one) => refused.push(one));
    const heard = listen(
      providerOf(venue, { onRefused: (one) => refusals.next(one), confirmAfterMs: 200 }).stream({
        kinds: ['trade'],
        symbols: ['BAD', 'GONE', 'AAPL', 'MSFT', 'IBM', 'SPY'],
      }),
    );
    await venue.until(subscribed('trades.AAPL', 'trades.MSFT', 'trades.IBM'));
    venue.publish([trade(1)]);
    await heard.until(() => heard.records.length > 0);
    await third;
    expect(Object.fromEntries(refused.map(({ series, error }) => [series.symbol, error.constructor]))).toEqual({
      BAD: UnknownInstrument,
      GONE: UnknownInstrument,
      SPY: QuotaExceeded,
    });
  });

  it('adds and removes symbols while it runs', async () => {
    const venue = await start();
    const symbols = new Subject<readonly string[]>();
    const heard = listen(providerOf(venue).stream({ kinds: ['trade'], symbols }));
    symbols.next(['AAPL']);
    await venue.until(subscribed('trades.AAPL'));
    symbols.next(['MSFT', 'AAPL']);
    await venue.until(subscribed('trades.AAPL', 'trades.MSFT'));
    symbols.next(['MSFT']);
    await venue.until(({ subscriptions }) => subscriptions.join() === 'trades.MSFT');
    venue.publish([trade(1), trade(2, { symbol: 'MSFT' })]);
    await heard.until(() => heard.records.length > 0);
    expect(heard.records.map(without)).toEqual([trade(2, { symbol: 'MSFT' })]);
    expect(venue.logins).toBe(1);
  });

  it('streams crypto, with identifiers that no number can hold', async () => {
    const venue = await start();
    const heard = listen(providerOf(venue, { feed: 'crypto' }).stream({ kinds: ['trade'], symbols: ['BTC/USD'] }));
    await venue.until(subscribed('trades.BTC/USD'));
    venue.publish([trade(1, { symbol: 'BTC/USD', id: '3447222699101865076', size: 0.0125, side: 'sell' })]);
    await heard.until(() => heard.records.length > 0);
    expect(heard.records).toMatchObject([
      { symbol: 'BTC/USD', id: '3447222699101865076', size: 0.0125, side: 'sell', venue: null },
    ]);
  });

  it('shows neither the key nor the secret in errors, refusals, retries and notices', async () => {
    const venue = await start();
    const shown: unknown[] = [];
    const note = (one: unknown) => shown.push(one, String((one as ProviderRetry).error ?? one));
    venue.refuseSymbol('BAD');
    const config = { onRetry: note, onRefused: note, onNotice: note, onRejected: note };
    listen(providerOf(venue, config).stream({ kinds: ['trade'], symbols: ['BAD', 'AAPL'] }));
    await venue.until(subscribed('trades.AAPL'));
    venue.send('nonsense');
    await venue.until(({ logins }) => logins === 2);
    const wrong = listen(providerOf(venue, { secret: 'wrong-secret-1234' }).stream(ALL));
    await wrong.until(() => false);
    shown.push(wrong.end.error, String(wrong.end.error));
    const text = JSON.stringify(shown, (_, value) =>
      value instanceof Error ? { ...value, m: value.message, s: value.stack } : value,
    );
    expect(text).toContain('BAD');
    for (const secret of [venue.key, venue.secret, 'wrong-secret-1234']) expect(text).not.toContain(secret);
  });

  it.each<[Partial<AlpacaConfig>, RegExp]>([
    [{ key: '' }, /alpaca: key must be a string that is not empty/],
    [{ feed: 'nasdaq' as 'iex' }, /alpaca: feed must be one of "iex", "sip".*, got "nasdaq"/],
    [{ url: 'http://x' }, /alpaca: url must be a ws:\/\/ or wss:\/\/ address, got "http:\/\/x"/],
    [{ encoding: 'xml' as 'json' }, /encoding must be one of "json", "msgpack", got "xml"/],
    [{ sekret: 'x' } as object, /unknown option "sekret"/],
  ])('rejects %j', (config, message) => {
    expect(() => alpaca({ key: 'k', secret: 's', ...config })).toThrow(message);
  });
});

describe('the history of alpaca', () => {
  const collect = async (pages: AsyncIterable<readonly MarketEvent[]>) => {
    const all: (readonly MarketEvent[])[] = [];
    for await (const page of pages) all.push(page);
    return all;
  };
  const range = { symbol: 'AAPL', from: TS, to: TS + 100 };

  it('gives the same records as the stream, page by page, without the end of the span', async () => {
    const venue = await start();
    const provider = providerOf(venue);
    const heard = listen(provider.stream(ALL));
    await venue.until(subscribed('trades.AAPL'));
    venue.publish([trade(0), trade(1), trade(2), trade(100), trade(101), quote(227.5), { ...bar(1_200), ts: TS }]);
    await heard.until(() => heard.records.length >= 7);
    const live = heard.records.filter((one) => 'ts' in one && one.ts < TS + 100).map(without);
    venue.limitPages(2);
    const trades = await collect(provider.history!({ of: 'trade', ...range }));
    expect(trades.map((page) => page.length)).toEqual([2, 1]);
    const quotes = await collect(provider.history!({ of: 'quote', ...range }));
    const bars = await collect(provider.history!({ of: 'bar', ...range }));
    expect([...trades, ...quotes, ...bars].flat().map(without)).toEqual(live);
  });

  it('asks for crypto by its own path', async () => {
    const venue = await start();
    const record = trade(1, {
      symbol: 'BTC/USD',
      id: '3447222699101865076',
      side: 'buy',
      venue: null,
      conditions: null,
    });
    venue.remember([record]);
    const pages = await collect(
      providerOf(venue, { feed: 'crypto' }).history!({ of: 'trade', ...range, symbol: 'BTC/USD' }),
    );
    expect(pages.flat().map(without)).toEqual([record]);
  });

  it('does not ask for the next page before the one before was taken', async () => {
    const venue = await start();
    venue.remember([trade(1), trade(2), trade(3)]);
    venue.limitPages(1);
    const iterator = providerOf(venue).history!({ of: 'trade', ...range })[Symbol.asyncIterator]();
    await iterator.next();
    expect(venue.requests.answered).toBe(1);
    await iterator.next();
    expect(venue.requests.answered).toBe(2);
    await iterator.return?.();
    expect(venue.requests.answered).toBe(2);
  });

  it('is paced as the plan allows', () => {
    const paced = (config: Partial<AlpacaConfig>) => alpaca({ key: 'k', secret: 's', ...config }).pacing.requests;
    expect(paced({})).toEqual({ windows: [{ limit: 200, perMs: 60_000 }] });
    expect(paced({ requestsPerMinute: 10_000 })).toEqual({ windows: [{ limit: 10_000, perMs: 60_000 }] });
  });

  it('says what is wrong with the key in the words of the vendor', async () => {
    const venue = await start();
    const { history } = providerOf(venue, { secret: 'wrong' });
    await expect(collect(history!({ of: 'trade', ...range }))).rejects.toThrow(BadCredentials);
    await expect(collect(history!({ of: 'trade', ...range }))).rejects.toThrow('(403: forbidden.)');
  });

  it('refuses what it cannot ask for', () => {
    const provider = alpaca({ key: 'PKTEST', secret: 'hush-hush', url: 'ws://127.0.0.1:1' });
    expect(() => provider.history!({ of: 'news', ...range })).toThrow(/history has of bar, trade, quote, got "news"/);
    expect(() => provider.history!({ of: 'bar', timeframe: '90m', ...range })).toThrow(/1m to 59m.*got "90m"/);
    expect(alpaca({ key: 'k', secret: 's', feed: 'test' }).history).toBeUndefined();
  });
});
