import { describe, expect, it } from 'vitest';
import { ConnectionLost, QuotaExceeded, UnknownInstrument } from '../providerErrors.js';
import type { Frame, Series } from '../session.js';
import { binanceSession, MAX_STREAMS } from './session.js';

const NOW = 1_767_623_402_500;
const DAY = 86_400_000;

const TRADES = { of: 'trade', symbol: 'BTCUSDT' } as const;
const QUOTES = { of: 'quote', symbol: 'BTCUSDT' } as const;
const BARS = { of: 'bar', symbol: 'BTCUSDT', timeframe: '5m' } as const;

function open(trades: 'raw' | 'aggregated' = 'raw') {
  const session = binanceSession({ trades, handOverAfterMs: DAY });
  session.opened(NOW);
  return session;
}

function trade(id: number, at: number, symbol = 'BTCUSDT') {
  return { e: 'trade', E: at, s: symbol, t: id, p: '1.0', q: '2', T: at, m: true, M: true };
}

function combined(data: unknown) {
  return JSON.stringify({ stream: 'x@y', data });
}

function sent(frames: readonly Frame[] | undefined) {
  return (frames ?? []).map((frame) => JSON.parse(frame as string));
}

describe('subscriptions', () => {
  it('is ready when it is open: there is no login', () => {
    const session = binanceSession({ trades: 'raw', handOverAfterMs: DAY });
    expect(session.opened(NOW)).toEqual({ isReady: true, wakeAt: NOW + DAY });
  });

  it('names streams as the vendor does, lower case on the wire only', () => {
    const { send } = open().subscribe([TRADES, QUOTES, BARS, { of: 'bar', symbol: 'ETHBTC' }], NOW);
    const params = ['btcusdt@trade', 'btcusdt@bookTicker', 'btcusdt@kline_5m', 'ethbtc@kline_1m'];
    expect(sent(send)).toEqual([{ method: 'SUBSCRIBE', params, id: 1 }]);
    const [request] = sent(open('aggregated').subscribe([TRADES], NOW).send);
    expect(request.params).toEqual(['btcusdt@aggTrade']);
  });

  it('confirms what a request asked for when its id is answered, and nothing at another id', () => {
    const session = open();
    session.subscribe([TRADES], NOW);
    session.subscribe([QUOTES, BARS], NOW);
    expect(session.frame('{"result":null,"id":2}', NOW)).toEqual({ confirmed: [QUOTES, BARS] });
    expect(session.frame('{"result":null,"id":7}', NOW)).toEqual({});
    expect(session.frame('{"result":null,"id":2}', NOW)).toEqual({});
    expect(session.frame('{"result":null,"id":1}', NOW)).toEqual({ confirmed: [TRADES] });
  });

  it.each(['BTC@USDT', 'btc@usdt', 'BTC USDT', ''])('sends nothing of a symbol that is none: %j', (symbol) => {
    const session = open();
    for (const series of [
      { of: 'trade', symbol },
      { of: 'bar', symbol, timeframe: '7@m' },
    ] as const) {
      const step = session.subscribe([series], NOW);
      expect(step).toMatchObject({ send: [], refused: [{ series, error: { name: 'UnknownInstrument' } }] });
      expect(session.unsubscribe([series], NOW)).toEqual({ send: [] });
    }
    const timeframe = session.subscribe([{ of: 'bar', symbol: 'BTCUSDT', timeframe: '7@m' }], NOW);
    expect(timeframe).toMatchObject({
      send: [],
      refused: [{ error: { message: 'binance: there are no klines of 7@m' } }],
    });
  });

  it('leaves alone what is subscribed', () => {
    const session = open();
    session.subscribe([TRADES], NOW);
    expect(session.subscribe([TRADES], NOW)).toEqual({ send: [], refused: [] });
  });

  it('unsubscribes, and confirms nothing for it', () => {
    const session = open();
    session.subscribe([TRADES, QUOTES], NOW);
    const { send } = session.unsubscribe([TRADES, BARS], NOW);
    expect(sent(send)).toEqual([{ method: 'UNSUBSCRIBE', params: ['btcusdt@trade'], id: 2 }]);
    expect(session.frame('{"result":null,"id":2}', NOW)).toEqual({});
    expect(session.frame('{"result":null,"id":1}', NOW)).toEqual({ confirmed: [QUOTES] });
  });

  it('asks for many in several requests', () => {
    const series = Array.from({ length: 250 }, (_, i) => ({ of: 'quote', symbol: `S${i}` }) as const);
    expect(sent(open().subscribe(series, NOW).send).map(({ params }) => params.length)).toEqual([100, 100, 50]);
  });

  it('refuses what is beyond the streams of one connection, until one is given up', () => {
    const session = open();
    const series = Array.from({ length: MAX_STREAMS + 1 }, (_, i) => ({ of: 'quote', symbol: `S${i}` }) as const);
    const { refused = [] } = session.subscribe(series, NOW);
    expect(refused.map((one) => one.series)).toEqual([series[MAX_STREAMS]]);
    expect(refused[0]?.error).toBeInstanceOf(QuotaExceeded);
    expect(refused[0]?.error.message).toMatch(
      /s1024@bookTicker is beyond the 1024 streams.*another binance\(\) provider/,
    );
    session.unsubscribe(series.slice(0, 1), NOW);
    expect(session.subscribe(series.slice(MAX_STREAMS), NOW).refused).toEqual([]);
  });

  it.each<[Series, RegExp]>([
    [{ of: 'trade', symbol: 'btcusdt' }, /upper case: BTCUSDT rather than btcusdt/],
    [{ of: 'trade', symbol: '*' }, /no symbol "\*"/],
    [{ of: 'trade', symbol: 'BTC/USDT' }, /no symbol/],
    [{ of: 'bar', symbol: 'BTCUSDT', timeframe: '7m' }, /no klines of 7m/],
    [{ of: 'news', symbol: 'BTCUSDT' }, /no records of kind news/],
  ])('refuses %j without asking', (series, reason) => {
    const { send, refused = [] } = open().subscribe([series], NOW);
    expect(send).toEqual([]);
    expect(refused[0]?.error).toBeInstanceOf(UnknownInstrument);
    expect(refused[0]?.error.message).toMatch(reason);
  });
});

describe('errors of the vendor', () => {
  const words = { code: 2, msg: 'Invalid request: unknown stream' };

  it.each([
    ['in an envelope', { error: words, id: 1 }],
    ['without one', { ...words, id: 1 }],
    ['without an id, when nothing else is under way', words],
  ])('refuses a series by the words of the vendor: %s', (_, message) => {
    const session = open();
    session.subscribe([TRADES], NOW);
    const { refused = [] } = session.frame(JSON.stringify(message), NOW);
    expect(refused.map(({ series }) => series)).toEqual([TRADES]);
    expect(refused[0]?.error.message).toBe(
      'binance: BTCUSDT was refused (btcusdt@trade): Invalid request: unknown stream (code 2)',
    );
    expect(refused[0]?.error.cause).toEqual(message);
    // It may be asked again.
    expect(session.subscribe([TRADES], NOW).send).toHaveLength(1);
  });

  it('finds the one at fault among many by halves', () => {
    const session = open();
    const series = ['A', 'B', 'BAD', 'C', 'D'].map((symbol) => ({ of: 'trade', symbol }) as const);
    const confirmed: Series[] = [];
    const refused: Series[] = [];
    const requests = sent(session.subscribe(series, NOW).send);
    for (const { params, id } of requests) {
      const answer = params.includes('bad@trade') ? { error: words, id } : { result: null, id };
      const step = session.frame(JSON.stringify(answer), NOW);
      requests.push(...sent(step.send));
      confirmed.push(...(step.confirmed ?? []));
      refused.push(...(step.refused ?? []).map((one) => one.series));
    }
    expect(refused).toEqual([series[2]]);
    expect(new Set(confirmed)).toEqual(new Set(series.filter(({ symbol }) => symbol !== 'BAD')));
  });

  it('is a notice when no request can be at fault', () => {
    const session = open();
    session.subscribe([TRADES], NOW);
    session.subscribe([QUOTES], NOW);
    const notice = { notices: ['error: Invalid request: unknown stream (code 2)'] };
    expect(session.frame(JSON.stringify(words), NOW)).toEqual(notice);
    expect(session.frame(JSON.stringify({ ...words, id: 99 }), NOW)).toEqual(notice);
  });
});

describe('events', () => {
  it('hands on the data of a combined frame, and a raw event', () => {
    const data = trade(1, NOW);
    expect(open().frame(combined(data), NOW)).toEqual({ elements: [data] });
    expect(open().frame(JSON.stringify(data), NOW)).toEqual({ elements: [data] });
    expect(open().frame(combined(undefined), NOW)).toEqual({ elements: [undefined] });
  });

  it.each([
    ['text that is not JSON', '{"stream"'],
    ['a number', '5'],
    ['an array', '[]'],
    ['null', 'null'],
    ['neither event nor answer', '{"hello":"world"}'],
    ['bytes', new Uint8Array([1])],
  ])('fails at %s', (_, frame) => {
    const { fail } = open().frame(frame, NOW);
    expect(fail).toBeInstanceOf(ConnectionLost);
    expect(fail?.retryable).toBe(true);
  });
});

describe('holes', () => {
  it.each(['raw', 'aggregated'] as const)('tells between which %s trades others are missing', (trades) => {
    const session = open(trades);
    session.subscribe([TRADES], NOW);
    const event = (id: number, at: number) => {
      const data = trades === 'raw' ? trade(id, at) : { ...trade(1, at), e: 'aggTrade', a: id };
      return session.frame(combined(data), NOW).holes;
    };
    expect(event(10, NOW)).toBeUndefined();
    expect(event(11, NOW + 5)).toBeUndefined();
    expect(event(14, NOW + 9)).toEqual([{ series: TRADES, from: NOW + 5, to: NOW + 9, rows: 2 }]);
    expect(event(15, NOW + 10)).toBeUndefined();
  });

  it('counts per symbol, and takes a duplicate or a late one for none', () => {
    const session = open();
    session.subscribe([TRADES, { of: 'trade', symbol: 'ETHBTC' }], NOW);
    const ids = [10, 11, 11, 9, 12];
    for (const id of ids) expect(session.frame(combined(trade(id, NOW)), NOW).holes).toBeUndefined();
    expect(session.frame(combined(trade(500, NOW, 'ETHBTC')), NOW).holes).toBeUndefined();
    expect(session.frame(combined(trade(502, NOW, 'ETHBTC')), NOW).holes).toHaveLength(1);
  });

  it('learns nothing from a trade that cannot be read', () => {
    const session = open();
    session.subscribe([TRADES], NOW);
    session.frame(combined(trade(10, NOW)), NOW);
    session.frame(combined({ ...trade(11, NOW), T: 'x' }), NOW);
    session.frame(combined({ ...trade(11, NOW), t: '11' }), NOW);
    expect(session.frame(combined(trade(11, NOW)), NOW).holes).toBeUndefined();
  });

  it('forgets a symbol that is unsubscribed', () => {
    const session = open();
    session.subscribe([TRADES], NOW);
    session.frame(combined(trade(10, NOW)), NOW);
    session.unsubscribe([TRADES], NOW);
    session.frame(combined(trade(11, NOW)), NOW);
    session.subscribe([TRADES], NOW);
    expect(session.frame(combined(trade(20, NOW)), NOW).holes).toBeUndefined();
  });
});

describe('the end of a connection', () => {
  it('hands over before the vendor ends it', () => {
    const session = open();
    expect(session.timer(NOW + DAY - 1)).toEqual({ wakeAt: NOW + DAY });
    expect(session.timer(NOW + DAY)).toEqual({ handOver: true });
    expect(session.timer(NOW + DAY + 1).handOver).toBeUndefined();
  });

  it.each([
    ['combined', combined({ e: 'serverShutdown', E: NOW })],
    ['raw', JSON.stringify({ e: 'serverShutdown', E: NOW })],
  ])('hands over when the server says that it shuts down: %s', (_, frame) => {
    const session = open();
    const step = session.frame(frame, NOW);
    expect(step.handOver).toBe(true);
    expect(step.elements).toBeUndefined();
    expect(step.notices?.[0]).toMatch(/serverShutdown/);
    expect(session.timer(NOW + DAY).handOver).toBeUndefined();
  });

  it('makes nothing of words that are too deep for the stack', () => {
    const session = binanceSession({ trades: 'raw', handOverAfterMs: 86_400_000 });
    session.opened(0);
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    expect(session.frame(`{"code":${deep},"msg":${deep}}`, 0).notices).toEqual(['error: no message (code unknown)']);
  });
});
