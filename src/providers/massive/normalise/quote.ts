import type { Quote } from '../../../market/quote.js';
import { isSymbolText } from '../../decode/symbolText.js';
import { wrongField } from '../../decode/wrongField.js';
import type { Unreadable } from '../../session.js';
import { VENDOR } from '../markets.js';
import { codeText, isCount, isMs, type Raw, versionOf } from './values.js';

/**
 * A `Q` of stocks, options and futures. A side without a price, or with a price of 0, is one where nobody is. Sizes are as the vendor
 * has them: those of stocks in round lots or in shares, depending on the feed.
 *
 * https://massive.com/docs/websocket/stocks/quotes
 */
export function quoteOf(raw: Raw, receivedAt: number, lowest: number): Quote | Unreadable {
  const symbol = raw.sym;
  const ts = raw.t;
  if (!isSymbolText(symbol)) return wrongField('sym', 'a ticker', symbol);
  if (!isMs(ts)) return wrongField('t', 'a time in milliseconds', ts);
  return quoteAt(symbol, ts, lowest, raw.bp, raw.bs, raw.bx, raw.ap, raw.as, raw.ax, raw.q, receivedAt);
}

/** A quote from its parts, as the stream and REST have them. */
export function quoteAt(
  symbol: string,
  ts: number,
  lowest: number,
  bp: unknown,
  bs: unknown,
  bx: unknown,
  ap: unknown,
  as: unknown,
  ax: unknown,
  q: unknown,
  receivedAt: number,
): Quote | Unreadable {
  if (bp === undefined && ap === undefined) return wrongField('bp', 'a price, or ap', bp);
  const bid = priceOf(bp, lowest);
  const ask = priceOf(ap, lowest);
  if (bid === undefined) return wrongField('bp', 'a price', bp);
  if (ask === undefined) return wrongField('ap', 'a price', ap);
  const bidSize = bid === null ? null : sizeOf(bs);
  const askSize = ask === null ? null : sizeOf(as);
  if (bidSize === undefined) return wrongField('bs', 'a size', bs);
  if (askSize === undefined) return wrongField('as', 'a size', as);
  const bidVenue = bx === undefined ? null : codeText(bx);
  const askVenue = ax === undefined ? null : codeText(ax);
  if (bidVenue === undefined) return wrongField('bx', 'the number of an exchange', bx);
  if (askVenue === undefined) return wrongField('ax', 'the number of an exchange', ax);
  if (q !== undefined && !isCount(q)) return wrongField('q', 'a sequence number', q);
  const id = q === undefined ? contentId(bidVenue, bid, bidSize, askVenue, ask, askSize) : String(q);
  const seq = versionOf(receivedAt);
  return {
    kind: 'quote',
    vendor: VENDOR,
    symbol,
    ts,
    bid,
    bidSize,
    ask,
    askSize,
    id,
    bidVenue,
    askVenue,
    seq,
  };
}

type Part = string | number | null;

/** Where the vendor numbers nothing: two quotes of one instant are one only if they say the same. */
function contentId(bidVenue: Part, bid: Part, bidSize: Part, askVenue: Part, ask: Part, askSize: Part): string {
  return `${bidVenue ?? ''}:${bid ?? ''}:${bidSize ?? ''}:${askVenue ?? ''}:${ask ?? ''}:${askSize ?? ''}`;
}

/** `null` without a price; `undefined` if it is none. */
function priceOf(value: unknown, lowest: number): number | null | undefined {
  if (value === undefined || value === null || value === 0) return null;
  return typeof value === 'number' && value > lowest && value < Infinity ? value : undefined;
}

/** `null` without a size; `undefined` if it is none. */
function sizeOf(value: unknown): number | null | undefined {
  if (value === undefined || value === null) return null;
  return typeof value === 'number' && value >= 0 && value < Infinity ? value : undefined;
}
