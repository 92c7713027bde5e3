import type { Bar } from '../../market/bar.js';
import type { Quote } from '../../market/quote.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import type { Trade } from '../../market/trade.js';
import { decimal, wholeNumber } from '../decode/decimal.js';
import { rfc3339Ms } from '../decode/rfc3339.js';
import { isSymbolText } from '../decode/symbolText.js';
import { wrongField } from '../decode/wrongField.js';
import { Unreadable } from '../session.js';

/** The only timeframe of the channel `candles`. */
export const COINBASE_TIMEFRAME = '5m';

/** An object of the vendor, of which nothing is known yet. */
type Raw = Readonly<Record<string, unknown>>;

/** One candle, trade or ticker, with what only its envelope and its neighbours say. */
export interface CoinbaseElement {
  readonly channel: unknown;
  /** When the envelope was written. */
  readonly timestamp: unknown;
  /** Of a ticker: the `sequence_num` of the envelope, and its place in it from the second on: `7`, `7.1`. */
  readonly id: string;
  /** Of a candle: whether one with a later start has appeared. */
  readonly isFinal: boolean;
  readonly raw: unknown;
}

/**
 * Turns one element of a channel into its record. Prices and sizes are text on the wire.
 *
 * https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
 */
export function normaliseCoinbase(element: unknown): MarketEvent | Unreadable {
  if (typeof element !== 'object' || element === null) return new Unreadable('an element must be an object');
  const { channel, timestamp, id, isFinal, raw } = element as CoinbaseElement;
  if (channel !== 'market_trades' && channel !== 'ticker' && channel !== 'candles') {
    return new Unreadable(`unknown channel ${JSON.stringify(channel) ?? 'without a name'}`);
  }
  if (typeof raw !== 'object' || raw === null) return wrongField(channel, 'an object', raw);
  if (channel === 'market_trades') return trade(raw as Raw);
  const at = rfc3339Ms(timestamp);
  if (Number.isNaN(at)) return wrongField('timestamp', 'an RFC 3339 time', timestamp);
  if (channel === 'ticker') return quote(raw as Raw, at, id);
  const { product_id, start, open, high, low, close, volume } = raw as Raw;
  return candle(product_id, COINBASE_TIMEFRAME, start, open, high, low, close, volume, isFinal, Math.round(at * 1e3));
}

function trade(raw: Raw): Trade | Unreadable {
  const symbol = raw.product_id;
  const id = raw.trade_id;
  const ts = rfc3339Ms(raw.time);
  const price = decimal(raw.price);
  const size = decimal(raw.size);
  if (!isSymbolText(symbol)) return wrongField('product_id', 'a product', symbol);
  // Ids count up per product.
  const number = wholeNumber(id);
  if (Number.isNaN(number)) return wrongField('trade_id', 'an id as text', id);
  if (Number.isNaN(ts)) return wrongField('time', 'an RFC 3339 time', raw.time);
  if (!(price > 0)) return wrongField('price', 'a price as text', raw.price);
  if (!(size >= 0)) return wrongField('size', 'a size as text', raw.size);
  const side = aggressor(raw.side);
  if (side === undefined) return wrongField('side', 'BUY or SELL', raw.side);
  return { kind: 'trade', vendor: 'coinbase', symbol, ts, price, size, id: id as string, side, seq: number };
}

/**
 * The vendor names the side of the maker, whose order was in the book: the aggressor is on the other one. Coinbase says so of the
 * matches of its Exchange feed; of this channel its pages do not say it, and clients that compared the two found the same.
 *
 * https://docs.cdp.coinbase.com/exchange/websocket-feed/channels#match
 */
function aggressor(maker: unknown): 'buy' | 'sell' | null | undefined {
  if (maker === 'BUY') return 'sell';
  if (maker === 'SELL') return 'buy';
  return maker === 'UNKNOWN_ORDER_SIDE' ? null : undefined;
}

function quote(raw: Raw, ts: number, id: string): Quote | Unreadable {
  const symbol = raw.product_id;
  const bid = priceOrNone(raw.best_bid);
  const ask = priceOrNone(raw.best_ask);
  const bidSize = priceOrNone(raw.best_bid_quantity);
  const askSize = priceOrNone(raw.best_ask_quantity);
  if (!isSymbolText(symbol)) return wrongField('product_id', 'a product', symbol);
  if (id === '') return new Unreadable('a ticker must be in a message with a sequence_num');
  if (!(bid >= 0)) return wrongField('best_bid', 'a price as text', raw.best_bid);
  if (!(bidSize >= 0)) return wrongField('best_bid_quantity', 'a size as text', raw.best_bid_quantity);
  if (!(ask >= 0)) return wrongField('best_ask', 'a price as text', raw.best_ask);
  if (!(askSize >= 0)) return wrongField('best_ask_quantity', 'a size as text', raw.best_ask_quantity);
  return {
    kind: 'quote',
    vendor: 'coinbase',
    symbol,
    ts,
    bid: bid > 0 ? bid : null,
    bidSize: bid > 0 && bidSize > 0 ? bidSize : null,
    ask: ask > 0 ? ask : null,
    askSize: ask > 0 && askSize > 0 ? askSize : null,
    id,
    seq: Math.round(ts * 1e3),
  };
}

/** The vendor's "no value" is an absent member, an empty text or 0. */
function priceOrNone(text: unknown): number {
  return text === undefined || text === '' ? 0 : decimal(text);
}

/** A bar from its parts as the vendor writes them, here and in answers to requests. */
export function candle(
  symbol: unknown,
  timeframe: string,
  start: unknown,
  o: unknown,
  h: unknown,
  l: unknown,
  c: unknown,
  v: unknown,
  isFinal: boolean,
  seq: number,
): Bar | Unreadable {
  const ts = startMs(start);
  const open = decimal(o);
  const high = decimal(h);
  const low = decimal(l);
  const close = decimal(c);
  const volume = decimal(v);
  if (!isSymbolText(symbol)) return wrongField('product_id', 'a product', symbol);
  if (Number.isNaN(ts)) return wrongField('start', 'seconds since 1970 as text', start);
  if (!(low > 0)) return wrongField('low', 'a price as text, above 0', l);
  if (!(high >= low)) return wrongField('high', `a price as text that is not below the low of ${low}`, h);
  if (!(open >= low && open <= high)) return wrongField('open', `a price as text from ${low} to ${high}`, o);
  if (!(close >= low && close <= high)) return wrongField('close', `a price as text from ${low} to ${high}`, c);
  if (!(volume >= 0)) return wrongField('volume', 'a volume as text', v);
  return { kind: 'bar', vendor: 'coinbase', symbol, timeframe, ts, open, high, low, close, volume, isFinal, seq };
}

/** The start of a candle in milliseconds, from its seconds as text: ten digits until the year 2286. */
export function startMs(start: unknown): number {
  return typeof start === 'string' && start.length === 10 ? wholeNumber(start) * 1e3 : Number.NaN;
}
