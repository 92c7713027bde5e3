import { Agent } from 'node:https';
import { connect, type NetConnectOpts } from 'node:net';
import { Spot } from '@binance/spot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../../../../test/support/rawClient.js';
import type { Bar } from '../../../market/bar.js';
import type { Quote } from '../../../market/quote.js';
import type { Trade } from '../../../market/trade.js';
import type { FakeBinance } from './fakeBinance.js';
import { startFakeBinance } from './startFakeBinance.js';

const T = 1_767_623_400_000;

const trade: Trade = {
  kind: 'trade',
  vendor: 'binance',
  symbol: 'BTCUSDT',
  ts: T + 9,
  price: 93_000.1,
  size: 0.0000001,
  id: '12345',
  side: 'sell',
};
const quote: Quote = {
  kind: 'quote',
  vendor: 'binance',
  symbol: 'BTCUSDT',
  ts: T,
  bid: 93_000,
  bidSize: 1.5,
  ask: null,
  askSize: null,
  id: '77',
};
const bar: Bar = {
  kind: 'bar',
  vendor: 'binance',
  symbol: 'BTCUSDT',
  timeframe: '1m',
  ts: T,
  open: 2,
  high: 4,
  low: 1,
  close: 3,
  volume: 10,
  isFinal: false,
  trades: 7,
  vwap: 2.5,
  seq: (T + 2_010) * 1_000,
};

let venue: FakeBinance;

beforeEach(async () => {
  venue = await startFakeBinance();
});
afterEach(() => venue.close());

describe('a client that is written by hand', () => {
  let client: RawClient | undefined;
  afterEach(() => client?.close());

  async function subscribed(streams: readonly string[], path = '/stream') {
    client = await RawClient.connect(`${venue.url}${path}`);
    client.send({ method: 'SUBSCRIBE', params: streams, id: 1 });
    expect(await client.next()).toEqual({ result: null, id: 1 });
    return client;
  }

  it('gets each kind of record on its stream', async () => {
    const streams = ['btcusdt@trade', 'btcusdt@aggTrade', 'btcusdt@bookTicker', 'btcusdt@kline_1m'];
    const subscriber = await subscribed(streams);
    expect(venue.subscriptions).toEqual(streams);
    venue.publish([trade, quote, bar, { ...trade, symbol: 'ETHBTC' }]);
    const terms = { s: 'BTCUSDT', p: '93000.1', q: '0.0000001', T: T + 9, m: true, M: true };
    expect(await subscriber.next()).toEqual({
      stream: 'btcusdt@trade',
      data: { e: 'trade', E: T + 9, t: 12_345, ...terms },
    });
    expect(await subscriber.next()).toEqual({
      stream: 'btcusdt@aggTrade',
      data: { e: 'aggTrade', E: T + 9, a: 12_345, f: 12_345, l: 12_345, ...terms },
    });
    expect(await subscriber.next()).toEqual({
      stream: 'btcusdt@bookTicker',
      data: { u: 77, s: 'BTCUSDT', b: '93000', B: '1.5', a: '0', A: '0' },
    });
    expect(await subscriber.next()).toMatchObject({
      stream: 'btcusdt@kline_1m',
      data: {
        e: 'kline',
        E: T + 2_010,
        k: { t: T, T: T + 59_999, i: '1m', o: '2', c: '3', h: '4', l: '1', v: '10', n: 7, q: '25', x: false },
      },
    });
  });

  it('gets payloads without a wrapper from a raw stream, and in microseconds when it asks', async () => {
    client = await RawClient.connect(`${venue.url}/ws/btcusdt@trade?timeUnit=MICROSECOND`);
    venue.publish([{ ...trade, ts: T + 9.123 }]);
    expect(await client.next()).toMatchObject({ e: 'trade', T: (T + 9) * 1000 + 123 });
  });

  it('lists, unsubscribes and asks for properties', async () => {
    const subscriber = await subscribed(['btcusdt@trade', 'ethbtc@trade']);
    subscriber.send({ method: 'UNSUBSCRIBE', params: ['ethbtc@trade'], id: 'two' });
    expect(await subscriber.next()).toEqual({ result: null, id: 'two' });
    subscriber.send({ method: 'LIST_SUBSCRIPTIONS', id: 3 });
    expect(await subscriber.next()).toEqual({ result: ['btcusdt@trade'], id: 3 });
    subscriber.send({ method: 'SET_PROPERTY', params: ['combined', false], id: 4 });
    await subscriber.next();
    venue.publish([trade]);
    expect(await subscriber.next()).toMatchObject({ e: 'trade' });
  });

  it.each([
    ['text that is not JSON', '{', { code: 3 }],
    ['an unknown method', { method: 'HELLO', id: 9 }, { error: { code: 2 }, id: 9 }],
    ['a refused symbol', { method: 'SUBSCRIBE', params: ['bad@trade'], id: 9 }, { error: { code: 2 }, id: 9 }],
  ])('is told what was wrong: %s', async (_, request, answer) => {
    venue.refuseSymbol('BAD');
    client = await RawClient.connect(`${venue.url}/stream`);
    client.send(request);
    expect(await client.next()).toMatchObject(answer);
  });

  it('is ended when it sends more than five messages a second, pings among them', async () => {
    client = await RawClient.connect(`${venue.url}/stream`);
    for (let i = 0; i < 3; i += 1) client.ping();
    for (let id = 0; id < 2; id += 1) client.send({ method: 'LIST_SUBSCRIPTIONS', id });
    await client.next(({ id }: { id: number }) => id === 1);
    expect(client.closed).toBeUndefined();
    client.ping();
    expect(await client.untilClosed()).toEqual([1008, 'Too many requests']);
  });

  it('is ended at more streams than a connection may have', async () => {
    const streams = Array.from({ length: 1024 }, (_, i) => `s${i}@trade`);
    const subscriber = await subscribed(streams);
    subscriber.send({ method: 'SUBSCRIBE', params: ['one@trade'], id: 2 });
    expect(await subscriber.untilClosed()).toEqual([1008, 'more than 1024 streams']);
  });

  it('is warned that the server shuts down, and ended after that', async () => {
    const subscriber = await subscribed(['btcusdt@trade']);
    venue.shutDown(10);
    expect(await subscriber.next()).toMatchObject({ stream: '!serverShutdown', data: { e: 'serverShutdown' } });
    expect((await subscriber.untilClosed())[0]).toBe(1001);
  });

  it('gets no answer for a symbol that is ignored, and data of the others', async () => {
    venue.ignoreSymbol('ETHBTC');
    client = await RawClient.connect(`${venue.url}/stream`);
    client.send({ method: 'SUBSCRIBE', params: ['ethbtc@trade', 'btcusdt@trade'], id: 1 });
    await venue.until(({ subscriptions }) => subscriptions.length > 0);
    venue.publish([{ ...trade, symbol: 'ETHBTC' }, trade]);
    expect(await client.next()).toMatchObject({ stream: 'btcusdt@trade' });
  });

  it('finds a malformed event among good ones', async () => {
    const subscriber = await subscribed(['btcusdt@trade']);
    venue.publishMalformed([trade, { ...trade, id: '12346' }], 1);
    expect(await subscriber.next()).toMatchObject({ data: { t: 12_345 } });
    expect(await subscriber.next()).toMatchObject({ stream: 'btcusdt@trade', data: { p: 'many' } });
    expect(await subscriber.next()).toMatchObject({ data: { t: 12_346 } });
  });
});

describe('klines', () => {
  it('come every two seconds where the options of the fake say so, and at once when they are closed', async () => {
    await venue.close();
    venue = await startFakeBinance({ pacesKlines: true });
    const client = await RawClient.connect(`${venue.url}/ws/btcusdt@kline_1m`);
    venue.publish([bar, { ...bar, close: 2 }, { ...bar, close: 4, isFinal: true }]);
    expect(await client.next()).toMatchObject({ k: { c: '3', x: false } });
    expect(await client.next()).toMatchObject({ k: { c: '4', x: true } });
    client.close();
  });
});

describe('pings', () => {
  it('must be answered in time', async () => {
    await venue.close();
    venue = await startFakeBinance({ pingEveryMs: 20, pongWithinMs: 40, messagesPerSecond: 1_000 });
    const silent = await RawClient.connect(`${venue.url}/stream`, { autoPong: false });
    const alive = await RawClient.connect(`${venue.url}/stream`);
    expect(await silent.untilClosed()).toEqual([1008, 'Pong timeout']);
    expect(alive.closed).toBeUndefined();
    alive.close();
  });
});

describe('the region', () => {
  it('may be blocked', async () => {
    venue.rejectLogins('entitlement');
    await expect(RawClient.connect(`${venue.url}/stream`)).rejects.toThrow(/451/);
    expect((await fetch(`${venue.url.replace('ws:', 'http:')}/api/v3/klines`)).status).toBe(451);
  });
});

describe('requests for history', () => {
  const ask = (path: string) => fetch(`${venue.url.replace('ws:', 'http:')}${path}`);

  it('are answered from what the venue remembers, with their weight', async () => {
    venue.remember([bar, { ...bar, ts: T + 60_000 }, trade, { ...trade, id: '12346', ts: T + 10 }]);
    const klines = await ask(`/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=${T}&endTime=${T + 1}`);
    expect(await klines.json()).toEqual([[T, '2', '4', '1', '3', '10', T + 59_999, '25', 7, '5', '12.5', '0']]);
    expect(klines.headers.get('x-mbx-used-weight-1m')).toBe('2');
    const trades = await ask('/api/v3/aggTrades?symbol=BTCUSDT&fromId=12346');
    expect(await trades.json()).toMatchObject([{ a: 12_346, p: '93000.1', q: '0.0000001', T: T + 10, m: true }]);
    expect(trades.headers.get('x-mbx-used-weight-1m')).toBe('6');
  });

  it.each([
    ['/api/v3/klines?symbol=NOSUCH&interval=1m', 400, -1121],
    ['/api/v3/klines?symbol=BTCUSDT&interval=7m', 400, -1120],
    ['/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1001', 400, -1100],
    ['/api/v3/klines?interval=1m', 400, -1102],
    ['/api/v3/nothing', 404, -1],
  ])('are refused as the vendor refuses them: %s', async (path, status, code) => {
    venue.remember([bar]);
    const answer = await ask(path);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ code });
  });

  it('are too many with 429, and banned with 418 when they go on', async () => {
    await venue.close();
    venue = await startFakeBinance({ weightPerMinute: 2 });
    venue.remember([bar]);
    const statuses: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      const answer = await ask('/api/v3/klines?symbol=BTCUSDT&interval=1m');
      statuses.push(answer.status);
      if (answer.status !== 200) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(statuses).toEqual([200, 429, 418, 418]);
  });
});

/** The vendor's client insists on `wss:`; this brings it to the fake without TLS. */
class WithoutTls extends Agent {
  override createConnection(options: object) {
    return connect(options as NetConnectOpts);
  }
}

describe("the vendor's own client", () => {
  it('subscribes, receives and answers pings', async () => {
    await venue.close();
    venue = await startFakeBinance({ pingEveryMs: 20, pongWithinMs: 60, messagesPerSecond: 1_000 });
    const wsURL = venue.url.replace('ws:', 'wss:');
    const client = new Spot({
      configurationWebsocketStreams: { wsURL, agent: new WithoutTls() as never, compression: false },
    });
    const connection = await client.websocketStreams.connect();
    const received: unknown[] = [];
    const two = new Promise<void>((resolve) => {
      const take = (data: unknown) => {
        received.push(data);
        if (received.length === 2) resolve();
      };
      connection.trade({ symbol: 'btcusdt' }).on('message', take);
      connection.kline({ symbol: 'btcusdt', interval: '1m' as never }).on('message', take);
    });
    await venue.until(({ subscriptions }) => subscriptions.length === 2);
    venue.publish([trade, bar]);
    await two;
    expect(received).toMatchObject([
      { e: 'trade', s: 'BTCUSDT', p: '93000.1' },
      { e: 'kline', k: { i: '1m', c: '3' } },
    ]);
    // Two rounds of pings: it is still there.
    await new Promise<void>((resolve) => {
      let pings = 0;
      connection.on('ping', () => {
        pings += 1;
        if (pings === 4) resolve();
      });
    });
    expect(venue.connections).toBe(1);
    await connection.disconnect();
  });
});
