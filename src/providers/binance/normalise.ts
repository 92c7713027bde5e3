import type { Bar } from '../../market/bar.js';
import type { Quote } from '../../market/quote.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import type { Trade } from '../../market/trade.js';
import { decimal } from '../decode/decimal.js';
import { isSymbolText } from '../decode/symbolText.js';
import { wrongField } from '../decode/wrongField.js';
import { Unreadable } from '../session.js';

/** An object of the vendor, of which nothing is known yet. */
type Raw = Readonly<Record<string, unknown>>;

/**
 * Turns one payload of a stream (`data` of a combined frame) into its record. Prices and quantities are text on the wire; a time is
 * in milliseconds, or in microseconds where the connection asked for `timeUnit=MICROSECOND`: its digits say which.
 *
 * https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
 */
export function normaliseBinance(element: unknown, receivedAt: number): MarketEvent | Unreadable {
  if (typeof element !== 'object' || element === null) return new Unreadable('an event must be an object');
  const raw = element as Raw;
  const event = raw.e;
  if (event === 'trade') return trade(raw, raw.t);
  if (event === 'aggTrade') return trade(raw, raw.a);
  if (event === 'kline') return bar(raw);
  // A book ticker is the only event without a name, and without a time.
  if (event === undefined && raw.u !== undefined) return quote(raw, receivedAt);
  return new Unreadable(`unknown event ${JSON.stringify(event) ?? 'without a name'}`);
}

function trade(raw: Raw, id: unknown): Trade | Unreadable {
  const symbol = raw.s;
  const ts = instant(raw.T);
  const price = decimal(raw.p);
  const size = decimal(raw.q);
  if (!isSymbolText(symbol)) return wrongField('s', 'a symbol', symbol);
  if (Number.isNaN(ts)) return wrongField('T', 'a time', raw.T);
  if (!isCount(id)) return wrongField(raw.e === 'trade' ? 't' : 'a', 'the id of a trade', id);
  if (!(price > 0)) return wrongField('p', 'a price as text', raw.p);
  if (!(size >= 0)) return wrongField('q', 'a quantity as text', raw.q);
  if (typeof raw.m !== 'boolean') return wrongField('m', 'true or false', raw.m);
  // A buyer who is the maker was there first: the seller came to him.
  const side = raw.m ? 'sell' : 'buy';
  return { kind: 'trade', vendor: 'binance', symbol, ts, price, size, id: String(id), side, seq: id };
}

function bar(raw: Raw): Bar | Unreadable {
  if (typeof raw.k !== 'object' || raw.k === null) return wrongField('k', 'an object', raw.k);
  const kline = raw.k as Raw;
  const symbol = raw.s;
  const timeframe = kline.i;
  const ts = instant(kline.t);
  const at = instant(raw.E);
  if (!isSymbolText(symbol)) return wrongField('s', 'a symbol', symbol);
  if (typeof timeframe !== 'string' || timeframe === '') return wrongField('k.i', 'an interval', timeframe);
  if (Number.isNaN(ts)) return wrongField('k.t', 'a time', kline.t);
  if (Number.isNaN(at)) return wrongField('E', 'a time', raw.E);
  const isFinal = kline.x;
  if (typeof isFinal !== 'boolean') return wrongField('k.x', 'true or false', isFinal);
  const { o, h, l, c, v, q, n } = kline;
  // A later update has a later time of event.
  return candle(symbol, timeframe, ts, o, h, l, c, v, q, n, isFinal, micros(at));
}

/** A bar from its parts as the vendor writes them, here and in answers to requests. */
export function candle(
  symbol: string,
  timeframe: string,
  ts: number,
  o: unknown,
  h: unknown,
  l: unknown,
  c: unknown,
  v: unknown,
  q: unknown,
  trades: unknown,
  isFinal: boolean,
  seq: number,
): Bar | Unreadable {
  const open = decimal(o);
  const high = decimal(h);
  const low = decimal(l);
  const close = decimal(c);
  const volume = decimal(v);
  const turnover = decimal(q);
  if (!(low > 0)) return wrongField('low', 'a price as text, above 0', l);
  if (!(high >= low)) return wrongField('high', `a price as text that is not below the low of ${low}`, h);
  if (!(open >= low && open <= high)) return wrongField('open', `a price as text from ${low} to ${high}`, o);
  if (!(close >= low && close <= high)) return wrongField('close', `a price as text from ${low} to ${high}`, c);
  if (!(volume >= 0)) return wrongField('volume', 'a quantity as text', v);
  if (!(turnover >= 0)) return wrongField('quote volume', 'a quantity as text', q);
  if (!isCount(trades)) return wrongField('number of trades', 'a count', trades);
  const vwap = volume > 0 ? turnover / volume : null;
  return {
    kind: 'bar',
    vendor: 'binance',
    symbol,
    timeframe,
    ts,
    open,
    high,
    low,
    close,
    volume,
    isFinal,
    trades,
    vwap,
    seq,
  };
}

function quote(raw: Raw, receivedAt: number): Quote | Unreadable {
  const symbol = raw.s;
  const id = raw.u;
  const bidSize = decimal(raw.B);
  const askSize = decimal(raw.A);
  const bid = decimal(raw.b);
  const ask = decimal(raw.a);
  if (!isSymbolText(symbol)) return wrongField('s', 'a symbol', symbol);
  if (!isCount(id)) return wrongField('u', 'an update id', id);
  if (!(bid >= 0)) return wrongField('b', 'a price as text', raw.b);
  if (!(bidSize >= 0)) return wrongField('B', 'a quantity as text', raw.B);
  if (!(ask >= 0)) return wrongField('a', 'a price as text', raw.a);
  if (!(askSize >= 0)) return wrongField('A', 'a quantity as text', raw.A);
  // A side of the book that is empty has a price of 0.
  return {
    kind: 'quote',
    vendor: 'binance',
    symbol,
    ts: receivedAt,
    bid: bid > 0 ? bid : null,
    bidSize: bid > 0 ? bidSize : null,
    ask: ask > 0 ? ask : null,
    askSize: ask > 0 ? askSize : null,
    id: String(id),
    seq: id,
  };
}

/** The vendor has no trade before 2017: 13 digits are milliseconds, 16 are microseconds, and nothing else is a time. */
export function instant(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return Number.NaN;
  if (value >= 1e12 && value < 1e13) return value;
  return value >= 1e15 && value < 1e16 ? value / 1e3 : Number.NaN;
}

export function micros(ms: number): number {
  return Math.round(ms * 1e3);
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isSafeInteger(value);
}
