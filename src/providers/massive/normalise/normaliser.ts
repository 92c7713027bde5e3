import type { MarketEvent } from '../../../market/recordKinds.js';
import { type Normalise, Unreadable } from '../../session.js';
import { lowestPrice, type MassiveMarket } from '../markets.js';
import { barOf } from './bar.js';
import { cryptoQuoteOf, cryptoTradeOf } from './crypto.js';
import { forexQuoteOf } from './forex.js';
import { quoteOf } from './quote.js';
import { tradeOf } from './trade.js';
import type { Raw } from './values.js';

const NONE: readonly MarketEvent[] = [];

/**
 * Turns one element of a frame into its record. Index values (`V`), price bands (`LULD`), imbalances (`NOI`) and fair values (`FMV`)
 * make none. Times of the last three have 19 digits, which `JSON.parse` rounds: nothing of them is used.
 */
export function massiveNormaliser(market: MassiveMarket): Normalise {
  const lowest = lowestPrice(market);
  const hasVolume = market !== 'indices';
  return (element, receivedAt) => {
    if (typeof element !== 'object' || element === null) return new Unreadable('an event must be an object');
    const raw = element as Raw;
    switch (raw.ev) {
      case 'T':
        return tradeOf(raw, receivedAt, lowest);
      case 'Q':
        return quoteOf(raw, receivedAt, lowest);
      case 'AM':
        return barOf(raw, raw.sym, '1m', hasVolume, lowest, receivedAt);
      case 'A':
        return barOf(raw, raw.sym, '1s', hasVolume, lowest, receivedAt);
      case 'XT':
        return cryptoTradeOf(raw, receivedAt);
      case 'XQ':
        return cryptoQuoteOf(raw, receivedAt);
      case 'C':
        return forexQuoteOf(raw, receivedAt);
      case 'XA':
      case 'CA':
        return barOf(raw, raw.pair, '1m', true, lowest, receivedAt);
      case 'XAS':
      case 'CAS':
        return barOf(raw, raw.pair, '1s', true, lowest, receivedAt);
      case 'V':
      case 'LULD':
      case 'NOI':
      case 'FMV':
        return NONE;
      default:
        return new Unreadable(`unknown event ${JSON.stringify(raw.ev)?.slice(0, 80) ?? 'without a name'}`);
    }
  };
}
