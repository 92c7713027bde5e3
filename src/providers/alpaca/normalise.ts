import type { Bar } from '../../market/bar.js';
import type { Quote } from '../../market/quote.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import type { Trade } from '../../market/trade.js';
import { timeframeMs } from '../../primitives/timeframe.js';
import { rfc3339Ms } from '../decode/rfc3339.js';
import { isSymbolText } from '../decode/symbolText.js';
import { type Normalise, Unreadable } from '../session.js';
import { VENDOR } from './alpacaErrors.js';

type Element = Readonly<Record<string, unknown>>;

const NONE: readonly MarketEvent[] = [];

/**
 * Elements of Alpaca's stock and crypto streams, and the rows of its REST answers, to which `T` was added. The fields are those of
 * https://docs.alpaca.markets/docs/real-time-stock-pricing-data and …/real-time-crypto-pricing-data (read 2026-01). Numbers are
 * numbers: one that is written as text is unreadable. Only identifiers may be either.
 *
 * - Identifiers of trades are those of an exchange: `D:96921`. Crypto has one exchange, which is not named.
 * - Quotes have no identifier. Theirs is made of what they say, so that a quote that is asked again is the same quote, and two
 *   that differ are two, even at one instant.
 * - A price of 0 in a quote means that there is none (the vendor's JavaScript client 4.0.2, `StockQuote`).
 * - A correction (`c`) is the corrected trade under the identifier of the original one.
 * - Cancellations, statuses, price bands, imbalances, order books and news make no record.
 */
export const normalise: Normalise = (element, receivedAt) => {
  if (typeof element !== 'object' || element === null || Array.isArray(element)) {
    return new Unreadable('an element is not an object');
  }
  const fields = element as Element;
  const seq = Math.round(receivedAt * 1_000);
  switch (fields.T) {
    case 't':
      return tradeOf(fields, fields.i, fields.p, fields.s, fields.c, seq);
    case 'q':
      return quoteOf(fields, seq);
    case 'b':
      return barOf(fields, '1m', true, seq);
    // Of a bar and its revision that come in one millisecond, the revision wins.
    case 'u':
      return barOf(fields, '1m', true, seq + 1);
    case 'd':
      return barOf(fields, '1d', false, seq);
    case 'c':
      return tradeOf(fields, fields.oi, fields.cp, fields.cs, fields.cc, seq + 1);
    case 'x':
    case 's':
    case 'l':
    case 'i':
    case 'o':
    case 'n':
      return NONE;
    default:
      return new Unreadable(`T must be a known type of message, got ${quote(fields.T)}`);
  }
};

/** A row of the past, of any timeframe. It is final once its span is over. */
export function historicBar(fields: Element, timeframe: string, receivedAt: number): Bar | Unreadable {
  const bar = barOf(fields, timeframe, true, Math.round(receivedAt * 1_000));
  if (bar instanceof Unreadable) return bar;
  return bar.ts + timeframeMs(timeframe) <= receivedAt ? bar : { ...bar, isFinal: false };
}

function tradeOf(
  fields: Element,
  rawId: unknown,
  rawPrice: unknown,
  rawSize: unknown,
  rawConditions: unknown,
  seq: number,
): Trade | Unreadable {
  const { S: symbol } = fields;
  if (!isSymbolText(symbol)) return unreadable('S', 'a symbol without blanks', symbol);
  const ts = rfc3339Ms(fields.t);
  if (Number.isNaN(ts)) return unreadable('t', 'a time of RFC 3339', fields.t);
  const id = idOf(rawId);
  if (id === undefined) return unreadable('the id', 'an integer', rawId);
  const price = numberOf(rawPrice);
  if (!(price > 0 && price < Infinity)) return unreadable('the price', 'a number above 0', rawPrice);
  const size = numberOf(rawSize);
  if (!(size >= 0 && size < Infinity)) return unreadable('the size', 'a number of at least 0', rawSize);
  const conditions = conditionsOf(rawConditions);
  if (conditions instanceof Unreadable) return conditions;
  const venue = venueOf(fields.x);
  return {
    kind: 'trade',
    vendor: VENDOR,
    symbol,
    ts,
    price,
    size,
    id: venue === null ? id : `${venue}:${id}`,
    venue,
    side: fields.tks === 'B' ? 'buy' : fields.tks === 'S' ? 'sell' : null,
    conditions,
    seq,
  };
}

function quoteOf(fields: Element, seq: number): Quote | Unreadable {
  const { S: symbol } = fields;
  if (!isSymbolText(symbol)) return unreadable('S', 'a symbol without blanks', symbol);
  const ts = rfc3339Ms(fields.t);
  if (Number.isNaN(ts)) return unreadable('t', 'a time of RFC 3339', fields.t);
  const bid = numberOf(fields.bp);
  if (!(bid >= 0 && bid < Infinity)) return unreadable('bp', 'a number of at least 0', fields.bp);
  const bidSize = numberOf(fields.bs);
  if (!(bidSize >= 0 && bidSize < Infinity)) return unreadable('bs', 'a number of at least 0', fields.bs);
  const ask = numberOf(fields.ap);
  if (!(ask >= 0 && ask < Infinity)) return unreadable('ap', 'a number of at least 0', fields.ap);
  const askSize = numberOf(fields.as);
  if (!(askSize >= 0 && askSize < Infinity)) return unreadable('as', 'a number of at least 0', fields.as);
  const bidVenue = venueOf(fields.bx);
  const askVenue = venueOf(fields.ax);
  return {
    kind: 'quote',
    vendor: VENDOR,
    symbol,
    ts,
    bid: bid === 0 ? null : bid,
    bidSize: bid === 0 ? null : bidSize,
    ask: ask === 0 ? null : ask,
    askSize: ask === 0 ? null : askSize,
    id: `${bidVenue ?? ''}${bid}x${bidSize}/${askVenue ?? ''}${ask}x${askSize}`,
    bidVenue,
    askVenue,
    seq,
  };
}

function barOf(fields: Element, timeframe: string, isFinal: boolean, seq: number): Bar | Unreadable {
  const { S: symbol } = fields;
  if (!isSymbolText(symbol)) return unreadable('S', 'a symbol without blanks', symbol);
  const ts = rfc3339Ms(fields.t);
  if (Number.isNaN(ts)) return unreadable('t', 'a time of RFC 3339', fields.t);
  const open = numberOf(fields.o);
  if (!Number.isFinite(open)) return unreadable('o', 'a number', fields.o);
  const high = numberOf(fields.h);
  if (!Number.isFinite(high)) return unreadable('h', 'a number', fields.h);
  const low = numberOf(fields.l);
  if (!(low > 0 && low < Infinity)) return unreadable('l', 'a number above 0', fields.l);
  const close = numberOf(fields.c);
  if (!Number.isFinite(close)) return unreadable('c', 'a number', fields.c);
  if (low > high || open > high || open < low || close > high || close < low) {
    return new Unreadable(`the prices of a bar contradict each other: o ${open}, h ${high}, l ${low}, c ${close}`);
  }
  const volume = numberOf(fields.v);
  if (!(volume >= 0 && volume < Infinity)) return unreadable('v', 'a number of at least 0', fields.v);
  const trades = fields.n === undefined || fields.n === null ? null : numberOf(fields.n);
  if (trades !== null && !(Number.isSafeInteger(trades) && trades >= 0)) return unreadable('n', 'a count', fields.n);
  const vwap = fields.vw === undefined || fields.vw === null ? null : numberOf(fields.vw);
  if (vwap !== null && !Number.isFinite(vwap)) return unreadable('vw', 'a number', fields.vw);
  return {
    kind: 'bar',
    vendor: VENDOR,
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

/** MessagePack has integers of 64 bits, which are `bigint`. `NaN` for what is no number. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'bigint' ? Number(value) : Number.NaN;
}

const DIGITS = /^\d{1,20}$/;

function idOf(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined;
  if (typeof value === 'bigint') return value >= 0n ? String(value) : undefined;
  return typeof value === 'string' && DIGITS.test(value) ? value : undefined;
}

/** A blank stands for no exchange. */
function venueOf(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}

function conditionsOf(value: unknown): readonly string[] | null | Unreadable {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value) || !value.every(isCode)) {
    return unreadable('the conditions', 'an array of codes', value);
  }
  return value as readonly string[];
}

function isCode(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

const MAX_QUOTED = 80;

function unreadable(field: string, expected: string, value: unknown): Unreadable {
  return new Unreadable(`${field} must be ${expected}, got ${quote(value)}`);
}

function quote(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
}
