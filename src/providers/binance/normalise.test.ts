import { describe, expect, it } from 'vitest';
import { marketEventCodec } from '../../market/index.js';
import { Unreadable } from '../session.js';
import { normaliseBinance } from './normalise.js';

const NOW = 1_767_623_402_500;

const TRADE = {
  e: 'trade',
  E: 1_767_623_402_010,
  s: 'BTCUSDT',
  t: 12_345,
  p: '93000.10',
  q: '0.00250000',
  T: 1_767_623_402_009,
  m: true,
  M: true,
};
const AGGREGATED = { ...TRADE, e: 'aggTrade', a: 900, f: 12_345, l: 12_349, m: false };
const TICKER = { u: 400_900_217, s: 'BTCUSDT', b: '93000.00', B: '1.5', a: '93000.10', A: '0.25' };
const K = {
  t: 1_767_623_400_000,
  T: 1_767_623_459_999,
  s: 'BTCUSDT',
  i: '1m',
  f: 100,
  L: 220,
  o: '93000.10',
  c: '93010.00',
  h: '93020.00',
  l: '92990.00',
  v: '12.5',
  n: 121,
  x: false,
  q: '1162625',
  V: '6.1',
  Q: '567000.2',
  B: '0',
};
const KLINE = { e: 'kline', E: 1_767_623_402_010, s: 'BTCUSDT', k: K };

const bar = {
  kind: 'bar',
  vendor: 'binance',
  symbol: 'BTCUSDT',
  timeframe: '1m',
  ts: 1_767_623_400_000,
  open: 93_000.1,
  high: 93_020,
  low: 92_990,
  close: 93_010,
  volume: 12.5,
  isFinal: false,
  trades: 121,
  vwap: 93_010,
  seq: 1_767_623_402_010_000,
};
const trade = {
  kind: 'trade',
  vendor: 'binance',
  symbol: 'BTCUSDT',
  ts: 1_767_623_402_009,
  price: 93_000.1,
  size: 0.0025,
  id: '12345',
  side: 'sell',
  seq: 12_345,
};
const quote = {
  kind: 'quote',
  vendor: 'binance',
  symbol: 'BTCUSDT',
  ts: NOW,
  bid: 93_000,
  bidSize: 1.5,
  ask: 93_000.1,
  askSize: 0.25,
  id: '400900217',
  seq: 400_900_217,
};

describe('what the vendor sends', () => {
  it.each([
    ['a trade: the buyer was there first, so the seller is the aggressor', TRADE, trade],
    ['aggregated trades, by their own id', AGGREGATED, { ...trade, id: '900', side: 'buy', seq: 900 }],
    ['a book ticker, which has no time', TICKER, quote],
    [
      'an empty side of the book',
      { ...TICKER, b: '0.00000000', B: '0.00000000' },
      { ...quote, bid: null, bidSize: null },
    ],
    ['a forming kline', KLINE, bar],
    ['a closed kline', { ...KLINE, k: { ...K, x: true } }, { ...bar, isFinal: true }],
    [
      'a kline without trades',
      { ...KLINE, k: { ...K, v: '0', q: '0', n: 0 } },
      { ...bar, volume: 0, trades: 0, vwap: null },
    ],
    ['microseconds', { ...TRADE, T: 1_767_623_402_009_123 }, { ...trade, ts: 1_767_623_402_009.123 }],
    [
      'a kline in microseconds',
      { ...KLINE, E: 1_767_623_402_010_123, k: { ...K, t: 1_767_623_400_000_000 } },
      { ...bar, seq: 1_767_623_402_010_123 },
    ],
    ['a month', { ...KLINE, k: { ...K, i: '1M' } }, { ...bar, timeframe: '1M' }],
  ])('%s', (_, element, record) => {
    expect(normaliseBinance(element, NOW)).toEqual(record);
    expect(marketEventCodec.decode(record)).toMatchObject({ _tag: 'Right' });
  });

  it('is pure', () => {
    expect(normaliseBinance(Object.freeze({ ...TRADE }), NOW)).toEqual(normaliseBinance(TRADE, NOW));
  });
});

describe('what it refuses', () => {
  it.each([
    ['no object', 'x', /must be an object/],
    ['null', null, /must be an object/],
    ['an unknown event', { e: 'depthUpdate', E: 1 }, /unknown event "depthUpdate"/],
    ['an event without a name', { s: 'BTCUSDT' }, /unknown event without a name/],
    ['a price that is a number', { ...TRADE, p: 93_000.1 }, /p must be a price as text, got 93000\.1/],
    ['a price that is empty', { ...TRADE, p: '' }, /p must be a price as text, got ""/],
    ['a price of 0', { ...TRADE, p: '0.00' }, /p must be a price/],
    ['an absent price', { ...TRADE, p: undefined }, /p must be a price as text, got nothing/],
    ['a price with an exponent', { ...TRADE, p: '9e4' }, /p must be a price/],
    ['NaN as text', { ...TRADE, p: 'NaN' }, /p must be a price/],
    ['a quantity below 0', { ...TRADE, q: '-1' }, /q must be a quantity/],
    ['nanoseconds, which the vendor does not send', { ...TRADE, T: 1_767_623_402_009_123 * 1_000 }, /T must be a time/],
    ['seconds', { ...TRADE, T: 1_767_623_402 }, /T must be a time/],
    ['a time as text', { ...TRADE, T: '1767623402009' }, /T must be a time/],
    ['an id as text', { ...TRADE, t: '12345' }, /t must be the id of a trade/],
    ['an id that a double cannot hold', { ...AGGREGATED, a: 2 ** 60 }, /a must be the id of a trade/],
    ['no symbol', { ...TRADE, s: '' }, /s must be a symbol/],
    ['a symbol with a control character', { ...TRADE, s: 'BTC\u0000USDT' }, /s must be a symbol/],
    ['no maker', { ...TRADE, m: 1 }, /m must be true or false/],
    ['a quote without a side', { ...TICKER, b: undefined }, /b must be a price/],
    ['a quote of text that is no number', { ...TICKER, A: 'x' }, /A must be a quantity/],
    ['an update id below 0', { ...TICKER, u: -1 }, /u must be an update id/],
    ['a kline without a kline', { ...KLINE, k: null }, /k must be an object/],
    ['a kline without an interval', { ...KLINE, k: { ...K, i: '' } }, /k\.i must be an interval/],
    ['a low of 0', { ...KLINE, k: { ...K, l: '0' } }, /low must be a price as text, above 0, got "0"/],
    ['a high below the low', { ...KLINE, k: { ...K, h: '1' } }, /high must be a price as text that is not below/],
    ['an open outside', { ...KLINE, k: { ...K, o: '1' } }, /open must be a price as text from 92990 to 93020/],
    ['a close outside', { ...KLINE, k: { ...K, c: '99999' } }, /close must be/],
    ['a volume as a number', { ...KLINE, k: { ...K, v: 12.5 } }, /volume must be/],
    ['a count with a fraction', { ...KLINE, k: { ...K, n: 1.5 } }, /number of trades must be a count/],
    ['neither open nor closed', { ...KLINE, k: { ...K, x: 'false' } }, /k\.x must be true or false/],
  ])('%s', (_, element, reason) => {
    const result = normaliseBinance(element, NOW);
    expect(result).toBeInstanceOf(Unreadable);
    expect((result as Unreadable).reason).toMatch(reason);
  });

  it('quotes no more of a value than a person reads', () => {
    const { reason } = normaliseBinance({ ...TRADE, p: 'x'.repeat(10_000) }, NOW) as Unreadable;
    expect(reason.length).toBeLessThan(150);
  });
});
