import type { RecordKind } from '../../market/recordKinds.js';
import type { Series } from '../session.js';
import { COINBASE_TIMEFRAME } from './normalise.js';

/** The channels that carry records. */
export type DataChannel = 'candles' | 'market_trades' | 'ticker';

export const DATA_CHANNELS: readonly DataChannel[] = ['candles', 'market_trades', 'ticker'];

export const CHANNEL_OF: Readonly<Partial<Record<RecordKind, DataChannel>>> = {
  bar: 'candles',
  trade: 'market_trades',
  quote: 'ticker',
};

/** Where the elements of a channel are in an event. */
export const LIST_OF: Readonly<Record<DataChannel, string>> = {
  candles: 'candles',
  market_trades: 'trades',
  ticker: 'tickers',
};

/** Why the vendor has no such series; `undefined` if it may have it. */
export function problemOf({ of, symbol, timeframe = COINBASE_TIMEFRAME }: Series): string | undefined {
  if (CHANNEL_OF[of] === undefined) return `there are no records of kind ${of}`;
  if (of === 'bar' && timeframe !== COINBASE_TIMEFRAME) {
    return `candles are of ${COINBASE_TIMEFRAME} only, not of ${timeframe}`;
  }
  const upper = symbol.toUpperCase();
  if (upper !== symbol) return `products are in upper case: ${upper} rather than ${symbol}`;
  const isProduct = symbol !== '' && symbol !== '*' && !/\s/.test(symbol);
  return isProduct ? undefined : `there is no product ${JSON.stringify(symbol)}`;
}
