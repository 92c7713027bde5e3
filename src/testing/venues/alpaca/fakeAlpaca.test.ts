import { streaming } from '@alpacahq/alpaca-trade-api';
import { VirtualTimeScheduler } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Bar } from '../../../market/bar.js';
import type { Quote } from '../../../market/quote.js';
import type { Trade } from '../../../market/trade.js';
import type { AlpacaErrorCode, FakeAlpaca, FakeAlpacaConfig } from './fakeAlpaca.js';
import { startFakeAlpaca } from './startFakeAlpaca.js';

const TS = Date.parse('2026-01-05T14:30:12.083Z') + 0.456;

const TRADE: Trade = {
  kind: 'trade',
  vendor: 'sim',
  symbol: 'AAPL',
  ts: TS,
  price: 227.05,
  size: 100,
  id: '9007199254740993',
  venue: 'V',
  conditions: ['@', 'I'],
};
const QUOTE: Quote = {
  kind: 'quote',
  vendor: 'sim',
  symbol: 'AAPL',
  ts: TS,
  bid: 227.04,
  bidSize: 300,
  ask: null,
  askSize: null,
  id: '1',
  bidVenue: 'Q',
};
const BAR: Bar = {
  kind: 'bar',
  vendor: 'sim',
  symbol: 'AAPL',
  timeframe: '1m',
  ts: Date.parse('2026-01-05T14:30:00Z'),
  open: 227,
  high: 228,
  low: 226.5,
  close: 227.5,
  volume: 1_200,
  trades: 12,
  vwap: 227.25,
};

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function start(config: FakeAlpacaConfig = {}): Promise<FakeAlpaca> {
  const venue = await startFakeAlpaca(config);
  open.push(() => venue.close());
  return venue;
}

/** A client that speaks JSON by hand. */
function client(venue: FakeAlpaca, path = '/v2/iex', headers: Record<string, string> = {}) {
  const socket = new WebSocket(`${venue.url}${path}`, { headers });
  open.push(() => socket.terminate());
  const heard: Record<string, unknown>[] = [];
  const waiting: (() => void)[] = [];
  const wake = () => {
    for (const one of waiting.splice(0)) one();
  };
  const state = { closed: undefined as number | undefined };
  socket.on('message', (data: Buffer) => {
    heard.push(...(JSON.parse(data.toString()) as Record<string, unknown>[]));
    wake();
  });
  socket.on('close', (code: number) => {
    state.closed = code;
    wake();
  });
  socket.on('error', () => {});
  const next = async (): Promise<Record<string, unknown> | undefined> => {
    while (heard.length === 0 && state.closed === undefined)
      await new Promise<void>((resolve) => waiting.push(resolve));
    return heard.shift();
  };
  return {
    next,
    state,
    say: (message: unknown) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    async ended() {
      while (state.closed === undefined) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    async login() {
      await next();
      this.say({ action: 'auth', key: venue.key, secret: venue.secret });
      return next();
    },
  };
}

describe('the fake of Alpaca, to a client that speaks by hand', () => {
  it('greets, takes a login, and tells the whole set of subscriptions each time', async () => {
    const venue = await start();
    const one = client(venue);
    expect(await one.next()).toEqual({ T: 'success', msg: 'connected' });
    one.say({ action: 'auth', key: venue.key, secret: venue.secret });
    expect(await one.next()).toEqual({ T: 'success', msg: 'authenticated' });
    one.say({ action: 'subscribe', trades: ['AAPL'], bars: ['*'] });
    const set = {
      T: 'subscription',
      quotes: [],
      updatedBars: [],
      dailyBars: [],
      statuses: [],
      lulds: [],
      imbalances: [],
    };
    const traded = { trades: ['AAPL'], corrections: ['AAPL'], cancelErrors: ['AAPL'] };
    expect(await one.next()).toEqual({ ...set, ...traded, bars: ['*'] });
    one.say({ action: 'unsubscribe', bars: ['*'] });
    expect(await one.next()).toEqual({ ...set, ...traded, bars: [] });
    expect([venue.connections, venue.logins, venue.subscriptions]).toEqual([1, 1, ['trades.AAPL']]);
  });

  it('takes a login by headers', async () => {
    const venue = await start();
    const headers = { 'APCA-API-KEY-ID': venue.key, 'APCA-API-SECRET-KEY': venue.secret };
    const one = client(venue, '/v2/sip', headers);
    expect([await one.next(), await one.next()]).toEqual([
      { T: 'success', msg: 'connected' },
      { T: 'success', msg: 'authenticated' },
    ]);
  });

  it('sends what is subscribed, in one frame, with the digits that a number cannot hold', async () => {
    const venue = await start();
    const one = client(venue);
    await one.login();
    one.say({ action: 'subscribe', quotes: ['AAPL'], bars: ['AAPL'] });
    await one.next();
    venue.publish([TRADE, QUOTE, { ...QUOTE, symbol: 'MSFT' }, BAR]);
    expect(await one.next()).toMatchObject({
      T: 'q',
      S: 'AAPL',
      bp: 227.04,
      ap: 0,
      as: 0,
      t: '2026-01-05T14:30:12.083456Z',
    });
    expect(await one.next()).toMatchObject({ T: 'b', S: 'AAPL', v: 1_200, t: '2026-01-05T14:30:00Z' });
  });

  it.each<[AlpacaErrorCode, string, boolean]>([
    [400, 'invalid syntax', false],
    [401, 'not authenticated', false],
    [402, 'auth failed', true],
    [403, 'already authenticated', false],
    [404, 'auth timeout', true],
    [405, 'symbol limit exceeded', false],
    [406, 'connection limit exceeded', true],
    [407, 'slow client', true],
    [408, 'v2 not enabled', true],
    [409, 'insufficient subscription', true],
    [410, 'invalid subscribe action for this feed', false],
    [500, 'internal error', false],
  ])('says error %i on request', async (code, msg, isFinal) => {
    const venue = await start();
    const one = client(venue);
    await one.login();
    venue.sendError(code);
    expect(await one.next()).toEqual({ T: 'error', code, msg });
    one.say('');
    expect(await one.next()).toEqual(isFinal ? undefined : { T: 'error', code: 400, msg: 'invalid syntax' });
  });

  it('refuses what it cannot take', async () => {
    const venue = await start();
    const one = client(venue);
    await one.next();
    const codeOf = async (message: unknown) => {
      one.say(message);
      return (await one.next())?.code;
    };
    expect(await codeOf({ action: 'subscribe', trades: ['AAPL'] })).toBe(401);
    expect(await codeOf('nonsense')).toBe(400);
    expect(await codeOf({ action: 'dance' })).toBe(400);
    one.say({ action: 'auth', key: venue.key, secret: venue.secret });
    await one.next();
    expect(await codeOf({ action: 'auth', key: venue.key, secret: venue.secret })).toBe(403);
    expect(await codeOf({ action: 'subscribe', trades: 'AAPL' })).toBe(400);
    expect(await codeOf({ action: 'subscribe', trades: ['AA PL'] })).toBe(400);
    expect(await codeOf({ action: 'subscribe', news: ['AAPL'] })).toBe(410);
    venue.refuseSymbol('GONE');
    expect(await codeOf({ action: 'subscribe', trades: ['AAPL', 'GONE'] })).toBe(400);
    venue.limitSymbols(2);
    expect(await codeOf({ action: 'subscribe', trades: ['A', 'B'], quotes: ['A'] })).toBe(405);
    expect(venue.subscriptions).toEqual([]);
    expect(await codeOf({ action: 'subscribe', trades: ['A', 'B'], bars: ['A', 'B', 'C'] })).toBeUndefined();
  });

  it.each([
    ['credentials', 402],
    ['entitlement', 409],
  ] as const)('rejects logins for %s', async (why, code) => {
    const venue = await start();
    venue.rejectLogins(why);
    const one = client(venue);
    expect((await one.login())?.code).toBe(code);
    expect(await one.next()).toBeUndefined();
    venue.rejectLogins(undefined);
    expect((await client(venue).login())?.msg).toBe('authenticated');
  });

  it('rejects a wrong secret', async () => {
    const one = client(await start());
    await one.next();
    one.say({ action: 'auth', key: 'PKFAKEALPACA00000000', secret: 'wrong' });
    expect((await one.next())?.code).toBe(402);
    expect(await one.next()).toBeUndefined();
  });

  it('ends a connection that does not log in in time, and no other', async () => {
    const scheduler = new VirtualTimeScheduler();
    const venue = await start({ scheduler });
    const [one, other] = [client(venue), client(venue)];
    await other.login();
    await one.next();
    scheduler.maxFrames = 9_999;
    scheduler.flush();
    expect(venue.connections).toBe(2);
    scheduler.maxFrames = 10_000;
    scheduler.flush();
    expect((await one.next())?.code).toBe(404);
    expect(await one.next()).toBeUndefined();
    expect(venue.logins).toBe(1);
    expect(other.state.closed).toBeUndefined();
  });

  it.each(['newer', 'older'] as const)(
    'tells the %s connection of an account that there is one too many',
    async (yields) => {
      const venue = await start();
      venue.limitConnections(1, yields);
      const first = client(venue);
      await first.login();
      const second = client(venue);
      const answer = await second.login();
      const [loser, code] = yields === 'newer' ? [second, answer?.code] : [first, (await first.next())?.code];
      expect(code).toBe(406);
      expect(await loser.next()).toBeUndefined();
    },
  );

  it('tells a slow client that it is slow before it ends the connection', async () => {
    const venue = await start({ slowGraceMs: 60_000 });
    const one = client(venue);
    await one.login();
    venue.limitBuffer(1);
    venue.send(`[${JSON.stringify('x'.repeat(8_000_000))}]`);
    await one.next();
    expect(await one.next()).toEqual({ T: 'error', code: 407, msg: 'slow client' });
    expect(await one.next()).toBeUndefined();
  });

  it('ends the connection of a client that does not read at all', async () => {
    const venue = await start();
    venue.limitBuffer(1_000_000);
    const one = client(venue);
    await one.login();
    one.pause();
    const megabyte = `[${JSON.stringify('x'.repeat(1_000_000))}]`;
    for (let i = 0; i < 30; i++) venue.send(megabyte);
    await venue.until(({ connections }) => connections === 0);
    one.resume();
    await one.ended();
    expect(one.state.closed).toBe(1006);
  });

  it('serves the feeds that Alpaca has, and no other path', async () => {
    const venue = await start();
    for (const path of ['/v2/sip', '/v2/delayed_sip', '/v2/test', '/v1beta3/crypto/us']) {
      expect((await client(venue, path).login())?.msg).toBe('authenticated');
    }
    expect(await client(venue, '/v3/other').next()).toBeUndefined();
  });
});

describe('the fake of Alpaca, to the published client of the vendor', () => {
  it('is the real one: trades, quotes, bars, their revisions, and corrections, over MessagePack', async () => {
    const venue = await start();
    const credentials = { keyId: venue.key, secret: venue.secret };
    const stream = new streaming.StockDataStream({ credentials, url: `${venue.url}/v2/sip`, reconnect: false });
    open.push(() => stream.disconnect());
    const heard: unknown[] = [];
    const errors: string[] = [];
    stream.onError((message) => errors.push(message));
    stream.onTrade((trade) => heard.push(trade));
    stream.onQuote((quote) => heard.push(quote));
    stream.onBar((bar) => heard.push(bar));
    stream.onUpdatedBar((bar) => heard.push(bar));
    const corrected = new Promise<void>((resolve) => {
      stream.onCorrection((correction) => {
        heard.push(correction);
        resolve();
      });
    });
    stream.subscribeForTrades(['AAPL']);
    stream.subscribeForQuotes(['AAPL']);
    stream.subscribeForBars(['*']);
    stream.subscribeForUpdatedBars(['*']);
    stream.connect();
    expect(await stream.waitForAuthentication()).toBe(true);
    await venue.until(({ subscriptions }) => subscriptions.includes('updatedBars.*'));

    venue.publish([TRADE, QUOTE, BAR]);
    venue.publish([
      { ...BAR, volume: 1_300 },
      { ...TRADE, price: 226.05 },
    ]);
    await corrected;
    const timestampRaw = '2026-01-05T14:30:12.083456000Z';
    expect(heard).toMatchObject([
      { symbol: 'AAPL', idRaw: '9007199254740993', exchange: 'V', price: 227.05, size: 100, timestampRaw },
      { symbol: 'AAPL', bidExchange: 'Q', bidPrice: 227.04, bidSize: 300, askPrice: 0, askSize: 0, timestampRaw },
      { symbol: 'AAPL', open: 227, high: 228, low: 226.5, close: 227.5, volume: 1_200, vwap: 227.25, tradeCount: 12 },
      { symbol: 'AAPL', volume: 1_300 },
      { originalIdRaw: '9007199254740993', originalPrice: 227.05, correctedPrice: 226.05, timestampRaw },
    ]);
    expect(errors).toEqual([]);
  });

  it('rejects its wrong secret for good', async () => {
    const venue = await start();
    const stream = new streaming.StockDataStream({
      credentials: { keyId: venue.key, secret: 'wrong' },
      url: `${venue.url}/v2/iex`,
    });
    open.push(() => stream.disconnect());
    stream.connect();
    expect(await stream.whenAuthenticated()).toMatchObject({ authenticated: false, code: 402, message: 'auth failed' });
  });
});

describe('the history of the fake', () => {
  const ask = async (venue: FakeAlpaca, path: string, secret = venue.secret) => {
    const headers = { 'APCA-API-KEY-ID': venue.key, 'APCA-API-SECRET-KEY': secret };
    const response = await fetch(`${venue.restUrl}${path}`, { headers });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const SPAN = 'start=2026-01-05T14:00:00Z&end=2026-01-05T15:00:00Z';

  it('has pages of what was published and remembered, oldest first', async () => {
    const venue = await start();
    venue.limitPages(2);
    const trades = Array.from({ length: 5 }, (_, i) => ({ ...TRADE, ts: TS + (4 - i), id: String(100 - i) }));
    venue.publish(trades.slice(0, 3));
    venue.remember([...trades.slice(3), { ...TRADE, symbol: 'MSFT' }, BAR]);
    const ids: unknown[] = [];
    let token: unknown = '';
    for (let page = 0; typeof token === 'string' && page < 10; page++) {
      const { body } = await ask(venue, `/v2/stocks/AAPL/trades?${SPAN}&page_token=${token}`);
      const rows = body.trades as { readonly i: number }[];
      expect(rows.length).toBeLessThanOrEqual(2);
      ids.push(...rows.map(({ i }) => i));
      token = body.next_page_token;
    }
    expect(ids).toEqual([96, 97, 98, 99, 100]);
    const { body } = await ask(venue, `/v2/stocks/AAPL/bars?timeframe=1Min&${SPAN}`);
    expect(body).toEqual({
      bars: [{ o: 227, h: 228, l: 226.5, c: 227.5, v: 1_200, t: '2026-01-05T14:30:00Z', n: 12, vw: 227.25 }],
      symbol: 'AAPL',
      next_page_token: null,
    });
    expect((await ask(venue, `/v2/stocks/IBM/bars?timeframe=1Min&${SPAN}`)).body.bars).toBeNull();
  });

  it('answers a wrong key with 403, an unknown path with 404, and more than it allows with 429', async () => {
    const venue = await start();
    expect(await ask(venue, `/v2/stocks/AAPL/bars?${SPAN}`, 'wrong')).toEqual({
      status: 403,
      body: { message: 'forbidden.' },
    });
    expect((await ask(venue, '/v2/other')).status).toBe(404);
    venue.limitRequests(2);
    expect((await ask(venue, `/v2/stocks/AAPL/bars?${SPAN}`)).status).toBe(200);
    expect((await ask(venue, `/v2/stocks/AAPL/bars?${SPAN}`)).status).toBe(429);
    expect(venue.requests).toEqual({ answered: 4, tooMany: 1 });
  });
});
