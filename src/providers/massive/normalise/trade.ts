import type { Trade } from '../../../market/trade.js';
import { decimal } from '../../decode/decimal.js';
import { isSymbolText } from '../../decode/symbolText.js';
import { wrongField } from '../../decode/wrongField.js';
import type { Unreadable } from '../../session.js';
import { VENDOR } from '../markets.js';
import { codeText, codeTexts, isAmount, isCount, isMs, type Raw, versionOf } from './values.js';

/**
 * A `T` of stocks, options and futures. A price must be above `lowest`: spreads of futures may be negative, nothing else is.
 * `ds`, a decimal text, has the fraction of a share that `s` has not.
 *
 * https://massive.com/docs/websocket/stocks/trades
 */
export function tradeOf(raw: Raw, receivedAt: number, lowest: number): Trade | Unreadable {
  const symbol = raw.sym;
  const ts = raw.t;
  const price = raw.p;
  const size = raw.ds === undefined ? raw.s : decimal(raw.ds);
  if (!isSymbolText(symbol)) return wrongField('sym', 'a ticker', symbol);
  if (!isMs(ts)) return wrongField('t', 'a time in milliseconds', ts);
  if (typeof price !== 'number' || !(price > lowest && price < Infinity)) return wrongField('p', 'a price', price);
  if (!isAmount(size))
    return raw.ds === undefined ? wrongField('s', 'a size', size) : wrongField('ds', 'a size as text', raw.ds);
  const venue = raw.x === undefined ? null : codeText(raw.x);
  if (venue === undefined) return wrongField('x', 'the number of an exchange', raw.x);
  const id = tradeId(venue, raw.i, raw.trfi, raw.q);
  if (id === undefined) return wrongField(raw.i === undefined ? 'q' : 'i', 'the id of a trade', raw.i ?? raw.q);
  const conditions = codeTexts(raw.c);
  if (conditions === undefined) return wrongField('c', 'a list of conditions', raw.c);
  const seq = versionOf(receivedAt);
  return { kind: 'trade', vendor: VENDOR, symbol, ts, price, size, id, venue, side: null, conditions, seq };
}

/**
 * The identity of a trade among those of its symbol and instant, the same from the stream and from REST. The vendor's ids are unique
 * for one exchange and one reporting facility only, so both are part of it: `4:71675577320245:202`. Without an id, it is the
 * sequence number: `q1061`. `undefined` if there is neither, or if it is a number that `JSON.parse` has rounded.
 *
 * https://massive.com/docs/rest/stocks/trades-quotes/trades, `id`
 */
export function tradeId(venue: string | null, id: unknown, facility: unknown, sequence: unknown): string | undefined {
  const text = typeof id === 'string' ? id : isCount(id) ? String(id) : undefined;
  if (text !== undefined && text !== '') {
    const own = venue === null ? text : `${venue}:${text}`;
    return isCount(facility) && facility > 0 ? `${own}:${facility}` : own;
  }
  if (id !== undefined && id !== null && text === undefined) return undefined;
  return isCount(sequence) ? `q${sequence}` : undefined;
}
