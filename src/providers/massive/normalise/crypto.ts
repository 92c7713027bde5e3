import type { Quote } from '../../../market/quote.js';
import type { Trade } from '../../../market/trade.js';
import { decimal } from '../../decode/decimal.js';
import { isSymbolText } from '../../decode/symbolText.js';
import { wrongField } from '../../decode/wrongField.js';
import type { Unreadable } from '../../session.js';
import { VENDOR } from '../markets.js';
import { quoteAt } from './quote.js';
import { tradeId } from './trade.js';
import { codeText, isAmount, isMs, isPrice, type Raw, versionOf } from './values.js';

/**
 * An `XT`. Its only condition says who took the price: 1 the seller, 2 the buyer.
 *
 * https://massive.com/docs/websocket/crypto/trades
 */
export function cryptoTradeOf(raw: Raw, receivedAt: number): Trade | Unreadable {
  const symbol = raw.pair;
  if (!isSymbolText(symbol)) return wrongField('pair', 'a pair', symbol);
  if (!isMs(raw.t)) return wrongField('t', 'a time in milliseconds', raw.t);
  const size = raw.ds === undefined ? raw.s : decimal(raw.ds);
  if (!isAmount(size))
    return raw.ds === undefined ? wrongField('s', 'a size', size) : wrongField('ds', 'a size as text', raw.ds);
  return cryptoTradeAt(symbol, raw.t, raw.p, size, raw.x, raw.i, raw.c, versionOf(receivedAt));
}

/** A trade from its parts, as the stream and REST have them. */
export function cryptoTradeAt(
  symbol: string,
  ts: number,
  price: unknown,
  size: number,
  x: unknown,
  i: unknown,
  c: unknown,
  seq: number,
): Trade | Unreadable {
  if (!isPrice(price) || price <= 0) return wrongField('p', 'a price', price);
  const venue = x === undefined ? null : codeText(x);
  if (venue === undefined) return wrongField('x', 'the number of an exchange', x);
  const id = tradeId(venue, i, undefined, undefined);
  if (id === undefined) return wrongField('i', 'the id of a trade', i);
  const side = sideOf(c);
  return { kind: 'trade', vendor: VENDOR, symbol, ts, price, size, id, venue, side, conditions: null, seq };
}

function sideOf(conditions: unknown): 'buy' | 'sell' | null {
  const condition = Array.isArray(conditions) ? conditions[0] : conditions;
  if (condition === 1) return 'sell';
  return condition === 2 ? 'buy' : null;
}

/** An `XQ`: the best bid and ask of one exchange, which is of both sides. */
export function cryptoQuoteOf(raw: Raw, receivedAt: number): Quote | Unreadable {
  const symbol = raw.pair;
  if (!isSymbolText(symbol)) return wrongField('pair', 'a pair', symbol);
  if (!isMs(raw.t)) return wrongField('t', 'a time in milliseconds', raw.t);
  return quoteAt(symbol, raw.t, 0, raw.bp, raw.bs, raw.x, raw.ap, raw.as, raw.x, undefined, receivedAt);
}
