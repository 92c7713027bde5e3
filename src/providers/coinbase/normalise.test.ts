import { describe, expect, it } from 'vitest';
import { marketEventCodec } from '../../market/index.js';
import { Unreadable } from '../session.js';
import { type CoinbaseElement, normaliseCoinbase } from './normalise.js';

const TIMESTAMP = '2026-01-05T14:30:02.123456789Z';
const AT = 1_767_623_402_123.456;

const TRADE = {
  trade_id: '14161617',
  product_id: 'BTC-USD',
  price: '93000.10',
  size: '0.0025',
  side: 'BUY',
  time: '2026-01-05T14:30:01.797427Z',
};
const TICKER = {
  type: 'ticker',
  product_id: 'BTC-USD',
  price: '93000.10',
  volume_24_h: '14152.6899',
  best_bid: '93000.00',
  best_bid_quantity: '1.5',
  best_ask: '93000.10',
  best_ask_quantity: '0.25',
};
const CANDLE = {
  start: '1767623400',
  high: '93020',
  low: '92990',
  open: '93000.1',
  close: '93010',
  volume: '12.5',
  product_id: 'BTC-USD',
};

function of(channel: string, raw: unknown, rest: Partial<CoinbaseElement> = {}): CoinbaseElement {
  return { channel, timestamp: TIMESTAMP, id: '7', isFinal: false, raw, ...rest };
}

const trade = {
  kind: 'trade',
  vendor: 'coinbase',
  symbol: 'BTC-USD',
  ts: 1_767_623_401_797.427,
  price: 93_000.1,
  size: 0.0025,
  id: '14161617',
  side: 'sell',
  seq: 14_161_617,
};
const quote = {
  kind: 'quote',
  vendor: 'coinbase',
  symbol: 'BTC-USD',
  ts: AT,
  bid: 93_000,
  bidSize: 1.5,
  ask: 93_000.1,
  askSize: 0.25,
  id: '7',
  seq: 1_767_623_402_123_456,
};
const bar = {
  kind: 'bar',
  vendor: 'coinbase',
  symbol: 'BTC-USD',
  timeframe: '5m',
  ts: 1_767_623_400_000,
  open: 93_000.1,
  high: 93_020,
  low: 92_990,
  close: 93_010,
  volume: 12.5,
  isFinal: false,
  seq: 1_767_623_402_123_456,
};
const none = { bid: null, bidSize: null, ask: null, askSize: null };

describe('what the vendor sends', () => {
  it.each([
    ['a trade: the vendor names the maker, so the aggressor sold', of('market_trades', TRADE), trade],
    ['a trade whose maker sold', of('market_trades', { ...TRADE, side: 'SELL' }), { ...trade, side: 'buy' }],
    [
      'a trade of which the side is not known',
      of('market_trades', { ...TRADE, side: 'UNKNOWN_ORDER_SIDE' }),
      { ...trade, side: null },
    ],
    [
      'a trade with nanoseconds',
      of('market_trades', { ...TRADE, time: '2026-01-05T14:30:01.797427999Z' }),
      { ...trade, ts: 1_767_623_401_797.427 },
    ],
    ['a ticker, with the time of its envelope', of('ticker', TICKER), quote],
    ['a second ticker of one message', of('ticker', TICKER, { id: '7.1' }), { ...quote, id: '7.1' }],
    ['a ticker without a book', of('ticker', { product_id: 'BTC-USD' }), { ...quote, ...none }],
    ['an empty bid', of('ticker', { ...TICKER, best_bid: '' }), { ...quote, bid: null, bidSize: null }],
    ['a bid of 0', of('ticker', { ...TICKER, best_bid: '0' }), { ...quote, bid: null, bidSize: null }],
    ['no size', of('ticker', { ...TICKER, best_ask_quantity: '' }), { ...quote, askSize: null }],
    ['a forming candle', of('candles', CANDLE), bar],
    ['a final candle', of('candles', CANDLE, { isFinal: true }), { ...bar, isFinal: true }],
  ])('%s', (_, element, record) => {
    expect(normaliseCoinbase(element)).toEqual(record);
    expect(marketEventCodec.decode(record)).toMatchObject({ _tag: 'Right' });
  });
});

describe('what it refuses', () => {
  it.each([
    ['no object', 'x', /must be an object/],
    ['an unknown channel', of('l2_data', {}), /unknown channel "l2_data"/],
    ['an element that is no object', of('market_trades', 5), /market_trades must be an object, got 5/],
    ['a price as a number', of('market_trades', { ...TRADE, price: 93_000.1 }), /price must be a price as text/],
    ['a price that is empty', of('market_trades', { ...TRADE, price: '' }), /price must be/],
    [
      'an absent price',
      of('market_trades', { ...TRADE, price: undefined }),
      /price must be a price as text, got nothing/,
    ],
    ['a price of 0', of('market_trades', { ...TRADE, price: '0' }), /price must be/],
    ['a size below 0', of('market_trades', { ...TRADE, size: '-1' }), /size must be/],
    ['no time', of('market_trades', { ...TRADE, time: '' }), /time must be an RFC 3339 time/],
    ['a time in milliseconds', of('market_trades', { ...TRADE, time: 1_767_623_401_797 }), /time must be/],
    ['an unknown side', of('market_trades', { ...TRADE, side: 'buy' }), /side must be BUY or SELL, got "buy"/],
    ['an id as a number', of('market_trades', { ...TRADE, trade_id: 1 }), /trade_id must be an id as text/],
    [
      'an id that a double cannot hold',
      of('market_trades', { ...TRADE, trade_id: '9'.repeat(17) }),
      /trade_id must be/,
    ],
    ['no product', of('market_trades', { ...TRADE, product_id: '' }), /product_id must be a product/],
    ['a ticker without a time', of('ticker', TICKER, { timestamp: 'soon' }), /timestamp must be an RFC 3339 time/],
    ['a ticker without a number', of('ticker', TICKER, { id: '' }), /message with a sequence_num/],
    ['a bid that is no number', of('ticker', { ...TICKER, best_bid: '1e5' }), /best_bid must be/],
    ['a bid of null', of('ticker', { ...TICKER, best_bid: null }), /best_bid must be a price as text, got null/],
    ['a start in milliseconds', of('candles', { ...CANDLE, start: '1767623400000' }), /start must be seconds/],
    ['a start as a number', of('candles', { ...CANDLE, start: 1_767_623_400 }), /start must be seconds/],
    ['a low of 0', of('candles', { ...CANDLE, low: '0' }), /low must be a price as text, above 0, got "0"/],
    ['a high below the low', of('candles', { ...CANDLE, high: '1' }), /high must be a price as text that is not below/],
    ['an open outside', of('candles', { ...CANDLE, open: '1' }), /open must be a price as text from 92990 to 93020/],
    ['a close that is no number', of('candles', { ...CANDLE, close: 'NaN' }), /close must be/],
    ['a volume below 0', of('candles', { ...CANDLE, volume: '-0.5' }), /volume must be/],
  ])('%s', (_, element, reason) => {
    const result = normaliseCoinbase(element);
    expect(result).toBeInstanceOf(Unreadable);
    expect((result as Unreadable).reason).toMatch(reason);
  });
});
