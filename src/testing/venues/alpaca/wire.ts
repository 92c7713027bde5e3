import { decode, ExtData, encode, encodeTimeSpecToTimestamp } from '@msgpack/msgpack';
import type { Bar } from '../../../market/bar.js';
import type { Quote } from '../../../market/quote.js';
import type { MarketEvent } from '../../../market/recordKinds.js';
import type { Trade } from '../../../market/trade.js';
import type { Frame } from '../../../providers/session.js';

export type Encoding = 'json' | 'msgpack';

/** An element before it is encoded: its time is in epoch milliseconds, and identifiers are whole numbers of any length. */
export type WireElement = Readonly<Record<string, unknown>> & { readonly t: number };

/** A channel of the stream and the elements that it carries. */
export const CHANNEL_OF: Readonly<Record<string, string>> = {
  t: 'trades',
  c: 'trades',
  q: 'quotes',
  b: 'bars',
  u: 'updatedBars',
  d: 'dailyBars',
};

/** The element of a record; undefined for a kind that Alpaca does not stream. */
export function elementOf(record: MarketEvent, isRevision: boolean): WireElement | undefined {
  if (record.kind === 'trade') return tradeElement(record);
  if (record.kind === 'quote') return quoteElement(record);
  if (record.kind === 'bar') return barElement(record, isRevision);
  return undefined;
}

/** The digits of an identifier, which may have its exchange before them: `V:123`. */
export function digitsOf(id: string): bigint {
  const digits = /\d+$/.exec(id)?.[0];
  return BigInt(digits ?? 0);
}

function tradeElement({ symbol, ts, price, size, id, venue, side, conditions }: Trade): WireElement {
  const of = { T: 't', S: symbol, i: digitsOf(id), p: price, s: size, t: ts };
  if (symbol.includes('/')) return { ...of, tks: side === 'sell' ? 'S' : 'B' };
  return { ...of, x: venue ?? 'V', c: conditions ?? ['@'], z: 'C' };
}

/** What `corrected` says of the trade that was sent as `original`. */
export function correctionElement(original: Trade, corrected: Trade): WireElement {
  return {
    T: 'c',
    S: original.symbol,
    x: original.venue ?? 'V',
    oi: digitsOf(original.id),
    op: original.price,
    os: original.size,
    oc: original.conditions ?? ['@'],
    // A correction has a number of its own.
    ci: digitsOf(original.id) + 1_000_000_000n,
    cp: corrected.price,
    cs: corrected.size,
    cc: corrected.conditions ?? ['@'],
    z: 'C',
    t: original.ts,
  };
}

/** A price of 0 says that there is none. */
function quoteElement({ symbol, ts, bid, bidSize, ask, askSize, bidVenue, askVenue }: Quote): WireElement {
  const of = { T: 'q', S: symbol, bp: bid ?? 0, bs: bidSize ?? 0, ap: ask ?? 0, as: askSize ?? 0, t: ts };
  if (symbol.includes('/')) return of;
  return { ...of, bx: bidVenue ?? ' ', ax: askVenue ?? ' ', c: ['R'], z: 'C' };
}

function barElement(bar: Bar, isRevision: boolean): WireElement | undefined {
  const { symbol, timeframe, ts, open, high, low, close, volume, trades, vwap } = bar;
  if (timeframe !== '1m' && timeframe !== '1d') return undefined;
  const T = timeframe === '1d' ? 'd' : isRevision ? 'u' : 'b';
  const of = { T, S: symbol, o: open, h: high, l: low, c: close, v: volume, t: ts };
  return { ...of, n: trades ?? 1, vw: vwap ?? close };
}

/** Several elements, or one control message, as one frame. */
export function frameOf(elements: readonly Readonly<Record<string, unknown>>[], encoding: Encoding): Frame {
  if (encoding === 'json') return `[${elements.map(jsonOf).join(',')}]`;
  const timed = elements.map((one) => (typeof one.t === 'number' ? { ...one, t: timestampOf(one.t) } : one));
  return encode(timed, { useBigInt64: true });
}

/** With times as RFC 3339, and with identifiers as the digits that they are, however many. */
export function jsonOf(element: Readonly<Record<string, unknown>>): string {
  const fields = Object.entries(element).map(([name, value]) => {
    const text =
      typeof value === 'bigint'
        ? String(value)
        : name === 't' && typeof value === 'number'
          ? `"${rfc3339Of(value)}"`
          : JSON.stringify(value);
    return `${JSON.stringify(name)}:${text}`;
  });
  return `{${fields.join(',')}}`;
}

/** To the microsecond, without zeros at its end, as Alpaca writes it. */
export function rfc3339Of(ts: number): string {
  const micros = Math.round(ts * 1_000);
  const seconds = Math.floor(micros / 1_000_000);
  const fraction = String(micros - seconds * 1_000_000)
    .padStart(6, '0')
    .replace(/0+$/, '');
  const whole = new Date(seconds * 1_000).toISOString().slice(0, 19);
  return fraction === '' ? `${whole}Z` : `${whole}.${fraction}Z`;
}

function timestampOf(ts: number): ExtData {
  const micros = Math.round(ts * 1_000);
  const sec = Math.floor(micros / 1_000_000);
  return new ExtData(-1, encodeTimeSpecToTimestamp({ sec, nsec: (micros - sec * 1_000_000) * 1_000 }));
}

/** What a client says; undefined if it cannot be read. */
export function messageOf(frame: Frame, encoding: Encoding): Readonly<Record<string, unknown>> | undefined {
  try {
    const message: unknown =
      typeof frame === 'string'
        ? JSON.parse(frame)
        : encoding === 'msgpack'
          ? decode(frame)
          : JSON.parse(new TextDecoder().decode(frame));
    return typeof message === 'object' && message !== null ? (message as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
