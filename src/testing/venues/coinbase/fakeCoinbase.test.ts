import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../../../../test/support/rawClient.js';
import type { Bar } from '../../../market/bar.js';
import type { Quote } from '../../../market/quote.js';
import type { Trade } from '../../../market/trade.js';
import type { FakeCoinbase } from './fakeCoinbase.js';
import { startFakeCoinbase } from './startFakeCoinbase.js';

// A client written from the vendor's pages:
// https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-overview

const T = 1_767_623_400_000;

const trade: Trade = {
  kind: 'trade',
  vendor: 'coinbase',
  symbol: 'BTC-USD',
  ts: T + 9.123,
  price: 93_000.1,
  size: 0.5,
  id: '100',
  side: 'buy',
};
const quote: Quote = {
  kind: 'quote',
  vendor: 'coinbase',
  symbol: 'BTC-USD',
  ts: T + 10,
  bid: 93_000,
  bidSize: 1.5,
  ask: null,
  askSize: null,
  id: '7',
};
const bar: Bar = {
  kind: 'bar',
  vendor: 'coinbase',
  symbol: 'BTC-USD',
  timeframe: '5m',
  ts: T,
  open: 2,
  high: 4,
  low: 1,
  close: 3,
  volume: 10,
  isFinal: false,
  seq: (T + 2_010) * 1_000,
};
const row = { start: '1767623400', high: '4', low: '1', open: '2', close: '3', volume: '10' };

interface Message {
  readonly channel: string;
  readonly sequence_num: number;
}

let venue: FakeCoinbase;
let client: RawClient;

beforeEach(async () => {
  venue = await startFakeCoinbase();
  client = await RawClient.connect(venue.url);
});
afterEach(async () => {
  client.close();
  await venue.close();
});

function subscribe(channel: string, ...product_ids: readonly string[]) {
  client.send({ type: 'subscribe', channel, ...(product_ids.length > 0 ? { product_ids } : {}) });
}

const ofChannel = (channel: string) => client.next((message: Message) => message.channel === channel);

describe('subscriptions', () => {
  it('are one channel per request, each answered with the whole list', async () => {
    subscribe('market_trades', 'BTC-USD', 'ETH-USD');
    const events = [{ subscriptions: { market_trades: ['BTC-USD', 'ETH-USD'] } }];
    expect(await client.next()).toMatchObject({ channel: 'subscriptions', sequence_num: 0, events });
    subscribe('heartbeats');
    const all = { market_trades: ['BTC-USD', 'ETH-USD'], heartbeats: ['heartbeats'] };
    expect(await client.next()).toMatchObject({ sequence_num: 1, events: [{ subscriptions: all }] });
    expect(venue.subscriptions).toEqual(['market_trades.BTC-USD', 'market_trades.ETH-USD', 'heartbeats']);
    client.send({ type: 'unsubscribe', channel: 'market_trades', product_ids: ['ETH-USD'] });
    const left = { market_trades: ['BTC-USD'], heartbeats: ['heartbeats'] };
    expect(await ofChannel('subscriptions')).toMatchObject({ events: [{ subscriptions: left }] });
  });

  it('leave out a product that the vendor does not know, and name BTC-USDC as BTC-USD', async () => {
    venue.refuseSymbol('NO-SUCH');
    subscribe('ticker', 'BTC-USDC', 'NO-SUCH', 'USDT-USDC');
    const events = [{ subscriptions: { ticker: ['BTC-USD', 'USDT-USDC'] } }];
    expect(await client.next()).toMatchObject({ events });
  });

  it('are not answered at all for a product that is ignored', async () => {
    venue.ignoreSymbol('ETH-USD');
    subscribe('ticker', 'ETH-USD', 'BTC-USD');
    await venue.until(({ subscriptions }) => subscriptions.includes('ticker.BTC-USD'));
    venue.publish([quote]);
    expect(await client.next()).toMatchObject({ channel: 'ticker' });
  });

  it.each([
    ['text that is not JSON', '{', 'malformed JSON'],
    ['an unknown type', { type: 'hello' }, 'unknown type "hello"'],
    ['an unknown channel', { type: 'subscribe', channel: 'klines', product_ids: ['A'] }, 'authentication failure'],
    ['no products', { type: 'subscribe', channel: 'ticker' }, 'channel requires product_ids'],
  ])('are refused with an error: %s', async (_, request, message) => {
    client.send(request);
    expect(await client.next()).toEqual({ type: 'error', message });
  });
});

describe('messages', () => {
  it('carry records of one channel each, numbered over all of them', async () => {
    for (const channel of ['market_trades', 'ticker', 'candles']) subscribe(channel, 'BTC-USD');
    await venue.until(({ subscriptions }) => subscriptions.length === 3);
    venue.publish([trade, { ...trade, id: '101', side: 'sell' }, quote, bar, { ...trade, symbol: 'ETH-USD' }]);
    expect(await ofChannel('market_trades')).toEqual({
      channel: 'market_trades',
      timestamp: '2026-01-05T14:30:00.009123000Z',
      sequence_num: 3,
      events: [
        {
          type: 'update',
          trades: [
            {
              trade_id: '100',
              product_id: 'BTC-USD',
              price: '93000.1',
              size: '0.5',
              side: 'SELL',
              time: '2026-01-05T14:30:00.009123000Z',
            },
            expect.objectContaining({ trade_id: '101', side: 'BUY' }),
          ],
        },
      ],
    });
    expect(await client.next()).toMatchObject({
      channel: 'ticker',
      timestamp: '2026-01-05T14:30:00.010000000Z',
      sequence_num: 4,
      events: [{ tickers: [{ best_bid: '93000', best_bid_quantity: '1.5', best_ask: '', best_ask_quantity: '' }] }],
    });
    expect(await client.next()).toMatchObject({
      channel: 'candles',
      timestamp: '2026-01-05T14:30:02.010000000Z',
      sequence_num: 5,
      events: [{ type: 'update', candles: [{ ...row, product_id: 'BTC-USD' }] }],
    });
  });

  it('that are lost leave a hole in the numbers', async () => {
    subscribe('market_trades', 'BTC-USD');
    await client.next();
    venue.loseMessages(2);
    for (let i = 0; i < 3; i += 1) venue.publish([trade]);
    expect(await client.next()).toMatchObject({ sequence_num: 3 });
  });

  it('begin with a snapshot of what there was, the newest first', async () => {
    venue.remember([
      trade,
      { ...trade, id: '101', ts: T + 20 },
      bar,
      { ...bar, ts: T + 300_000, seq: (T + 300_001) * 1e3 },
    ]);
    subscribe('market_trades', 'BTC-USD');
    expect(await client.next()).toMatchObject({
      events: [{ type: 'snapshot', trades: [{ trade_id: '101' }, { trade_id: '100' }] }],
    });
    subscribe('candles', 'BTC-USD');
    expect(await ofChannel('candles')).toMatchObject({
      events: [{ type: 'snapshot', candles: [{ start: '1767623700' }, { start: '1767623400' }] }],
    });
  });

  it('may have a malformed element among good ones', async () => {
    subscribe('market_trades', 'BTC-USD');
    await client.next();
    venue.publishMalformed([trade, trade], 1);
    const trades = [{ trade_id: '100' }, { price: 'many' }, { trade_id: '100' }];
    expect(await client.next()).toMatchObject({ events: [{ trades }] });
  });
});

describe('the life of a connection', () => {
  const restart = async (config: Parameters<typeof startFakeCoinbase>[0]) => {
    client.close();
    await venue.close();
    venue = await startFakeCoinbase(config);
    client = await RawClient.connect(venue.url);
  };

  it('ends when nothing is subscribed in time', async () => {
    await restart({ subscribeWithinMs: 20 });
    expect(await client.untilClosed()).toEqual([1008, 'no subscription within 5 seconds']);
  });

  it('ends when nothing happens, unless heartbeats are subscribed', async () => {
    await restart({ heartbeatEveryMs: 10, silentAfterMs: 30 });
    const alive = await RawClient.connect(venue.url);
    alive.send({ type: 'subscribe', channel: 'heartbeats' });
    subscribe('ticker', 'BTC-USD');
    expect(await client.untilClosed()).toEqual([1001, 'no updates']);
    const third = (message: { events: readonly { heartbeat_counter?: number }[] }) =>
      message.events[0]?.heartbeat_counter === 3;
    expect(await alive.next(third)).toMatchObject({ channel: 'heartbeats' });
    expect(alive.closed).toBeUndefined();
    alive.close();
  });

  it('ends at more than eight messages a second', async () => {
    for (let i = 0; i < 9; i += 1) subscribe('heartbeats');
    const isError = (message: { type?: string }) => message.type === 'error';
    expect(await client.next(isError)).toEqual({ type: 'error', message: 'rate limit exceeded' });
    expect((await client.untilClosed())[0]).toBe(1008);
  });
});

describe('requests for candles', () => {
  const ask = async (query: string, product = 'BTC-USD') => {
    const path = `/api/v3/brokerage/market/products/${product}/candles?${query}`;
    const answer = await fetch(`${venue.url.replace('ws:', 'http:')}${path}`);
    return [answer.status, await answer.json()];
  };
  const s = T / 1_000;

  it('are answered from what the venue remembers, the newest first', async () => {
    venue.remember([bar, { ...bar, ts: T + 300_000 }]);
    const [status, body] = await ask(`start=${s}&end=${s + 300}&granularity=FIVE_MINUTE`);
    expect(status).toBe(200);
    expect(body).toEqual({ candles: [{ ...row, start: '1767623700' }, row] });
    expect(await ask(`start=${s}&end=${s}&granularity=ONE_DAY`)).toEqual([200, { candles: [] }]);
  });

  it.each([
    [`start=${s}&end=${s + 300 * 350}&granularity=FIVE_MINUTE`, 'BTC-USD', 400],
    [`start=${s}&end=${s}&granularity=5m`, 'BTC-USD', 400],
    ['granularity=FIVE_MINUTE', 'BTC-USD', 400],
    [`start=${s}&end=${s}&granularity=FIVE_MINUTE`, 'NO-SUCH', 404],
  ])('are refused: %s of %s', async (query, product, status) => {
    venue.remember([bar]);
    expect((await ask(query, product))[0]).toBe(status);
  });
});
