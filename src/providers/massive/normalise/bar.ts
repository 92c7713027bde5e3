import type { Bar } from '../../../market/bar.js';
import { decimal } from '../../decode/decimal.js';
import { isSymbolText } from '../../decode/symbolText.js';
import { wrongField } from '../../decode/wrongField.js';
import type { Unreadable } from '../../session.js';
import { VENDOR } from '../markets.js';
import { isAmount, isCount, isMs, isPrice, type Raw, versionOf } from './values.js';

/**
 * The version of a bar, where the session has given it one: the vendor sends a bar again when a late trade changes it, also within one
 * frame, and the later one must win. A symbol, so that a dead letter has the element as it came.
 */
export const VERSION: unique symbol = Symbol('version of a bar');

export interface VersionedRaw extends Raw {
  [VERSION]?: number;
}

/**
 * A bar of the stream. `dv`, a decimal text, has the fraction of a share that `v` has not; in futures `dv` is a number, the value that
 * was traded. Indices have no volume, and forex counts quotes. Prices must be above `lowest`.
 *
 * https://massive.com/docs/websocket/stocks/aggregates-per-minute
 */
export function barOf(
  raw: VersionedRaw,
  symbol: unknown,
  timeframe: string,
  hasVolume: boolean,
  lowest: number,
  receivedAt: number,
): Bar | Unreadable {
  if (!isSymbolText(symbol)) return wrongField('sym', 'a ticker', symbol);
  const volume = typeof raw.dv === 'string' ? decimal(raw.dv) : raw.v === undefined && !hasVolume ? 0 : raw.v;
  if (!isAmount(volume)) return wrongField('v', 'a volume', typeof raw.dv === 'string' ? raw.dv : raw.v);
  const { s, o, h, l, c, vw, n } = raw;
  return barAt(symbol, timeframe, lowest, s, o, h, l, c, volume, vw, n, true, raw[VERSION] ?? versionOf(receivedAt));
}

/** A bar from its parts, as the stream and REST have them. */
export function barAt(
  symbol: string,
  timeframe: string,
  lowest: number,
  ts: unknown,
  open: unknown,
  high: unknown,
  low: unknown,
  close: unknown,
  volume: number,
  average: unknown,
  count: unknown,
  isFinal: boolean,
  seq: number,
): Bar | Unreadable {
  if (!isMs(ts)) return wrongField('s', 'a time in milliseconds', ts);
  if (!isPrice(low) || low <= lowest) return wrongField('l', 'a price', low);
  if (!isPrice(high) || high < low) return wrongField('h', `a price that is not below the low of ${low}`, high);
  if (!isPrice(open) || open < low || open > high) return wrongField('o', `a price from ${low} to ${high}`, open);
  if (!isPrice(close) || close < low || close > high) return wrongField('c', `a price from ${low} to ${high}`, close);
  const vwap = average === undefined || average === null ? null : average;
  if (vwap !== null && !isPrice(vwap)) return wrongField('vw', 'a price', vwap);
  const trades = count === undefined || count === null ? null : count;
  if (trades !== null && !isCount(trades)) return wrongField('n', 'a number of trades', trades);
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

export function isBarEvent(ev: unknown): boolean {
  return ev === 'AM' || ev === 'A' || ev === 'XA' || ev === 'XAS' || ev === 'CA' || ev === 'CAS';
}
