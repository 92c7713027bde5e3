import type { AddressInfo } from 'node:net';
import { BehaviorSubject } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { observe } from '../../../test/support/collect.js';
import type { Bar } from '../../market/bar.js';
import type { Quote } from '../../market/quote.js';
import type { RecordKind } from '../../market/recordKinds.js';
import type { Trade } from '../../market/trade.js';
import type { FakeMassive, FakeMassiveConfig } from '../../testing/venues/massive/fakeMassive.js';
import { startFakeMassive } from '../../testing/venues/massive/startFakeMassive.js';
import { BadCredentials, NotEntitled, type ProviderError, QuotaExceeded } from '../providerErrors.js';
import { PROVIDER_STREAM, type RejectedElement } from '../streamConfig.js';
import type { MassiveMarket } from './markets.js';
import { type MassiveConfig, massive } from './massive.js';

const T = 1_767_623_412_083;

const TRADE: Trade = {
  kind: 'trade',
  vendor: 'massive',
  symbol: 'AAPL',
  ts: T,
  price: 227.05,
  size: 100.25,
  id: '4:71675577320245:202',
  venue: '4',
  side: null,
  conditions: ['14', '41'],
};
const QUOTE: Quote = {
  kind: 'quote',
  vendor: 'massive',
  symbol: 'AAPL',
  ts: T,
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
  ts: 1_767_623_400_000,
  open: 227.05,
  high: 227.24,
  low: 227.01,
  close: 227.2,
  volume: 18_250.5,
  isFinal: true,
  trades: null,
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

interface Wishes extends Partial<MassiveConfig> {
  readonly kinds?: readonly RecordKind[];
  readonly symbols?: readonly string[] | BehaviorSubject<readonly string[]>;
  readonly timeframe?: string;
}

function stream(venue: FakeMassive, { kinds = ['trade'], symbols = ['AAPL'], timeframe, ...config }: Wishes = {}) {
  const provider = massive({ key: venue.secret, url: venue.url, initialMs: 1, maxMs: 1, random: () => 0.5, ...config });
  const seen = observe(provider.stream({ kinds, symbols, ...(timeframe !== undefined && { timeframe }) }));
  releases.push(() => seen.unsubscribe());
  return seen;
}

const has = (...slots: readonly string[]) => {
  return ({ subscriptions }: { readonly subscriptions: readonly string[] }) =>
    slots.every((slot) => subscriptions.includes(slot));
};

describe('the stream of massive', () => {
  it('emits what the vendor sends, record for record', async () => {
    const venue = await start();
    const seen = stream(venue, { kinds: ['bar', 'trade', 'quote'] });
    await venue.until(has('T.AAPL', 'Q.AAPL', 'AM.AAPL'));
    venue.publish([BAR, TRADE, { ...TRADE, symbol: 'MSFT' }, QUOTE]);
    await seen.count(3);
    const seq = expect.any(Number);
    expect(seen.items).toEqual([
      { ...BAR, seq },
      { ...TRADE, seq },
      { ...QUOTE, seq },
    ]);
  });

  it.each<[MassiveMarket, RecordKind, string, string]>([
    ['options', 'trade', 'O:SPY261218C00600000', 'T.O:SPY261218C00600000'],
    ['options', 'quote', 'O:SPY261218C00600000', 'Q.O:SPY261218C00600000'],
    ['indices', 'bar', 'I:SPX', 'AM.I:SPX'],
    ['forex', 'quote', 'EUR/USD', 'C.EUR/USD'],
    ['forex', 'bar', 'EUR/USD', 'CA.EUR/USD'],
    ['crypto', 'trade', 'BTC-USD', 'XT.BTC-USD'],
    ['crypto', 'quote', 'BTC-USD', 'XQ.BTC-USD'],
    ['crypto', 'bar', 'BTC-USD', 'XA.BTC-USD'],
    ['futures', 'trade', 'CLZ6', 'T.CLZ6'],
  ])('has the %s with their %ss of %s', async (market, kind, symbol, slot) => {
    const venue = await start();
    const seen = stream(venue, { market, kinds: [kind], symbols: [symbol] });
    await venue.until(has(slot));
    const record = { trade: { ...TRADE, id: market === 'options' ? 'q7' : '4:7' }, quote: QUOTE, bar: BAR }[
      kind as 'trade'
    ];
    venue.publish([{ ...record, symbol }]);
    await seen.count(1);
    expect(seen.items).toMatchObject([{ kind, symbol, ts: record.ts }]);
  });

  it('has bars of a second, and all symbols by the wildcard', async () => {
    const venue = await start();
    const seen = stream(venue, { kinds: ['bar'], symbols: ['*'], timeframe: '1s' });
    await venue.until(has('A.*'));
    venue.publish([BAR, { ...BAR, timeframe: '1s', symbol: 'BRK.B' }]);
    await seen.count(1);
    expect(seen.items).toMatchObject([{ kind: 'bar', symbol: 'BRK.B', timeframe: '1s' }]);
  });

  it('gives a revision of a bar a higher version, also within one frame', async () => {
    const venue = await start();
    const seen = stream(venue, { kinds: ['bar'] });
    await venue.until(has('AM.AAPL'));
    venue.publish([BAR, { ...BAR, volume: 18_310 }]);
    await seen.count(2);
    const [first, second] = seen.items as Bar[];
    expect([first!.volume, second!.volume]).toEqual([18_250.5, 18_310]);
    expect(second!.seq!).toBeGreaterThan(first!.seq!);
  });

  it('passes the neighbours of what it cannot read, and hands that over as it came', async () => {
    const venue = await start();
    const rejected: RejectedElement[] = [];
    const seen = stream(venue, { onRejected: (one) => rejected.push(one) });
    await venue.until(has('T.AAPL'));
    for (let round = 1; round <= 4; round++) {
      venue.publishMalformed([TRADE, { ...TRADE, id: '4:2' }], 1);
      await seen.count(round * 2);
    }
    venue.send('[{"ev":"LULD","T":"AAPL","h":1,"l":1,"t":1767623412083456789},null]');
    venue.publish([TRADE]);
    await seen.count(9);
    expect(rejected.map(({ reason }) => reason)).toEqual([
      'p must be a price, got "nonsense"',
      'unknown event "ZZ"',
      'h must be a price that is not below the low of 2, got 0',
      't must be a time in milliseconds, got null',
      'an event must be an object',
    ]);
    expect(seen.monitor.feeds).toMatchObject([{ records: 9, unreadable: 5, ignored: 1 }]);
    expect(rejected[0]!.element).toEqual({ ev: 'T', sym: 'AAPL', p: 'nonsense', s: 100, t: T });
  });

  it('follows symbols that are added and removed', async () => {
    const venue = await start();
    const symbols = new BehaviorSubject<readonly string[]>(['AAPL']);
    const seen = stream(venue, { symbols });
    await venue.until(has('T.AAPL'));
    symbols.next(['AAPL', 'MSFT']);
    await venue.until(has('T.AAPL', 'T.MSFT'));
    symbols.next(['MSFT']);
    await venue.until(({ subscriptions }) => subscriptions.join() === 'T.MSFT');
    venue.publish([TRADE, { ...TRADE, symbol: 'MSFT' }]);
    await seen.count(1);
    expect(seen.items).toMatchObject([{ symbol: 'MSFT' }]);
    expect(venue.connections).toBe(1);
  });

  it('comes back after each way in which the vendor ends a connection, with a gap record', async () => {
    const venue = await start();
    const seen = stream(venue);
    const ends = [() => venue.drop(), () => venue.reset(), () => venue.send('{'), () => venue.send('x'.repeat(2e6))];
    for (const [round, end] of ends.entries()) {
      await venue.until(({ accepted }) => accepted.length === round + 1 && has('T.AAPL')(venue));
      venue.publish([{ ...TRADE, id: `4:${round}` }]);
      await seen.count(round * 2 + 1);
      end();
      await seen.count(round * 2 + 2);
    }
    expect(seen.items.map(({ kind }) => kind)).toEqual(Array(4).fill(['trade', 'gap']).flat());
  });
});

describe('what the vendor refuses', () => {
  it.each([
    ['credentials', BadCredentials, 'massive: the key was rejected: authentication failed'],
    ['entitlement', NotEntitled, "Your plan doesn't include websocket access."],
  ] as const)(
    'a login for %s: ends the stream in the words of the vendor, without another attempt',
    async (why, type, words) => {
      const venue = await start();
      venue.rejectLogins(why);
      const seen = stream(venue);
      await seen.ended;
      const { error } = seen.end as { readonly error: ProviderError };
      expect(error).toBeInstanceOf(type);
      expect(error.message).toContain(words);
      expect(venue.accepted).toHaveLength(1);
    },
  );

  it.each(['perSlot', 'perRequest'] as const)(
    'a slot among others: is found with errors %s, and the others go on',
    async (errors) => {
      const venue = await start({ errors, acksPerFrame: 2 });
      venue.refuseSlot('T.B');
      venue.refuseSlot('T.D');
      const refused: string[] = [];
      const symbols = ['A', 'B', 'C', 'D', 'E'];
      const seen = stream(venue, {
        kinds: ['trade', 'quote'],
        symbols,
        confirmAfterMs: 400,
        onRefused: ({ series, error }) => refused.push(`${series.of} ${series.symbol} ${error.code}`),
      });
      await venue.until(has('T.A', 'T.C', 'T.E', ...symbols.map((symbol) => `Q.${symbol}`)));
      venue.publish([{ ...TRADE, symbol: 'E' }]);
      await seen.count(1);
      expect(refused).toEqual(['trade B SLUICE_NOT_ENTITLED', 'trade D SLUICE_NOT_ENTITLED']);
      expect(venue.accepted).toHaveLength(1);
    },
  );

  it('everything that is asked: ends the stream', async () => {
    const venue = await start();
    venue.refuseSymbol('AAPL');
    const seen = stream(venue, { kinds: ['trade', 'quote'] });
    await seen.ended;
    expect((seen.end as { readonly error: unknown }).error).toMatchObject({
      code: 'SLUICE_NOT_ENTITLED',
      message: 'massive: the subscription to Q.AAPL was refused: not authorized',
    });
  });

  it('a channel without a word: is an unknown instrument once the time for an answer has passed', async () => {
    const venue = await start();
    venue.ignoreSymbol('B');
    const seen = stream(venue, { symbols: ['B'], confirmAfterMs: 20 });
    await seen.ended;
    expect((seen.end as { readonly error: unknown }).error).toMatchObject({
      code: 'SLUICE_UNKNOWN_INSTRUMENT',
      message: 'massive: did not confirm within 20 ms: trade B',
    });
  });

  it.each(['login', 'subscription'] as const)(
    'a connection that is one too many, after its %s: is tried again after a minute',
    async (quotaAfter) => {
      const venue = await start({ quotaAfter });
      venue.limitConnections(1, 'newer');
      stream(venue);
      await venue.until(has('T.AAPL'));
      const waits: number[] = [];
      const retry = new Promise<unknown>((resolve) => {
        stream(venue, {
          market: 'crypto',
          symbols: ['BTC-USD'],
          onRetry: ({ error, delayMs }) => {
            waits.push(delayMs);
            resolve(error);
          },
        });
      });
      expect(await retry).toBeInstanceOf(QuotaExceeded);
      expect(waits).toEqual([60_000]);
    },
  );

  it('the older of two connections, when a newer one comes: is tried again after a minute', async () => {
    const venue = await start();
    venue.limitConnections(1, 'older');
    const retry = new Promise<unknown>((resolve) => stream(venue, { onRetry: ({ error }) => resolve(error) }));
    await venue.until(has('T.AAPL'));
    stream(venue, { market: 'crypto', symbols: ['BTC-USD'] });
    expect(await retry).toMatchObject({ code: 'SLUICE_QUOTA_EXCEEDED', retryAfterMs: 60_000 });
  });

  it('a connection by a close frame with code 1008, without a status before it: is the same', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    releases.push(() => server.close());
    server.on('connection', (socket) => socket.close(1008, 'max_connections'));
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const error = await new Promise<unknown>((resolve) => {
      const provider = massive({ key: 'k', url, onRetry: (retry) => resolve(retry.error) });
      const seen = observe(provider.stream({ kinds: ['trade'], symbols: ['AAPL'] }));
      releases.push(() => seen.unsubscribe());
    });
    expect(error).toBeInstanceOf(QuotaExceeded);
    expect(error).toMatchObject({ retryAfterMs: 60_000, message: expect.stringContaining('max_connections') });
  });

  it('never shows the key', async () => {
    const venue = await start({ key: 'k3y-that-no-one-may-see' });
    venue.rejectLogins('credentials');
    const seen = stream(venue);
    await seen.ended;
    const { error } = seen.end as { readonly error: Error };
    expect(JSON.stringify([error.message, error.stack, error.cause, seen.monitor.feeds])).not.toContain('k3y-that');
  });
});

describe('options and requests that are wrong', () => {
  const made = (config: Partial<MassiveConfig>) => () => massive({ key: 'k', ...config });

  it.each<[object, string]>([
    [{ key: '' }, 'massive: key must be'],
    [
      { market: 'bonds' },
      'massive: market must be one of "stocks", "options", "indices", "forex", "crypto", "futures"',
    ],
    [{ url: 'https://x' }, 'massive: url must be a ws:// or wss:// address, got "https://x"'],
    [{ restUrl: 'x' }, 'massive: restUrl must be an http:// or https:// address, got "x"'],
    [{ plan: 'gold' }, 'massive: plan must be one of "free", "paid", got "gold"'],
    [{ maxFrameBytes: 0 }, 'massive: maxFrameBytes must be an integer of at least 1, got 0'],
    [{ delay: true }, 'massive: unknown option "delay"'],
  ])('fail when the provider is made: %j', (config, message) => {
    expect(made(config)).toThrow(message);
  });

  it.each<[Partial<MassiveConfig>, object, string]>([
    [
      { market: 'options' },
      { kinds: ['quote'], symbols: ['*'] },
      'massive: stream: symbols must be valid for the market options (the quotes of options have no wildcard',
    ],
    [
      { market: 'options' },
      { kinds: ['quote'], symbols: Array.from({ length: 1_001 }, (_, i) => `O:A261218C${i}`) },
      'massive: stream: symbols must be at most 1000 contracts, of whose quotes a connection has no more, got 1001',
    ],
    [{ market: 'forex' }, { kinds: ['quote'], symbols: ['EUR-USD'] }, 'as EUR/USD), got "EUR-USD"'],
    [{ market: 'crypto' }, { kinds: ['trade'], symbols: ['X:BTCUSD'] }, 'as BTC-USD), got "X:BTCUSD"'],
    [
      {},
      { kinds: ['trade'], symbols: ['A,B'] },
      'symbols must be valid for the market stocks (a symbol must not contain blanks or commas), got "A,B"',
    ],
    [
      { market: 'indices' },
      { kinds: ['trade'], symbols: ['I:SPX'] },
      'massive: stream: kinds[0] must be one of "bar", got "trade"',
    ],
    [
      {},
      { kinds: ['bar'], symbols: ['A'], timeframe: '5m' },
      'massive: stream: timeframe must be one of "1m", "1s", got "5m"',
    ],
    [{}, { kinds: ['bar'], symbols: 'AAPL' }, 'massive: stream: symbols must be an array of symbols'],
  ])('fail when the stream is made: %j %#', (config, request, message) => {
    expect(() => made(config)().stream(request as never)).toThrow(message);
  });

  it.each<[string, readonly RecordKind[]]>([
    ['wss://socket.massive.com/forex', ['bar', 'quote']],
    ['wss://socket.massive.com/forex/', ['bar', 'quote']],
    ['ws://127.0.0.1:1/behind/indices', ['bar']],
    ['wss://socket.massive.com', ['bar', 'trade', 'quote']],
    ['wss://socket.massive.com/elsewhere', ['bar', 'trade', 'quote']],
  ])('has the market that the address %s names', (url, kinds) => {
    expect(massive({ key: 'k', url }).kinds).toEqual(kinds);
    expect(massive({ key: 'k', url, market: 'indices' }).kinds).toEqual(['bar']);
  });

  it('has the options of all providers', () => {
    const own = { pingEveryMs: 1, deadAfterMs: 2, healthyAfterMs: 3, capacity: 4, name: 'x' };
    expect(Object.keys(own).every((option) => option in PROVIDER_STREAM)).toBe(true);
    expect(made(own)).not.toThrow();
  });
});
