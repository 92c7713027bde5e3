import type { Quote } from '../../../market/quote.js';
import { isSymbolText } from '../../decode/symbolText.js';
import { wrongField } from '../../decode/wrongField.js';
import type { Unreadable } from '../../session.js';
import { quoteAt } from './quote.js';
import { isMs, type Raw } from './values.js';

/**
 * A `C`: the best bid and ask of a pair of currencies, without sizes. The pair is in `p`.
 *
 * https://massive.com/docs/websocket/forex/quotes
 */
export function forexQuoteOf(raw: Raw, receivedAt: number): Quote | Unreadable {
  const symbol = raw.p;
  if (!isSymbolText(symbol)) return wrongField('p', 'a pair', symbol);
  if (!isMs(raw.t)) return wrongField('t', 'a time in milliseconds', raw.t);
  return quoteAt(symbol, raw.t, 0, raw.b, undefined, raw.x, raw.a, undefined, raw.x, undefined, receivedAt);
}
