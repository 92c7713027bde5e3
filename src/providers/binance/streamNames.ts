import type { Series } from '../session.js';

/** The intervals of klines, as the vendor names them. The first is the one that is meant where a request names none. */
export const BINANCE_TIMEFRAMES = [
  '1m',
  '1s',
  '3m',
  '5m',
  '15m',
  '30m',
  '1h',
  '2h',
  '4h',
  '6h',
  '8h',
  '12h',
  '1d',
  '3d',
  '1w',
  '1M',
] as const;

/** Single trades, or those that one order of a taker made at one price as one. */
export type BinanceTrades = 'raw' | 'aggregated';

/** The stream of a series, or what is wrong with the series. */
export type StreamChoice =
  | { readonly name: string; readonly problem?: undefined }
  | { readonly name?: undefined; readonly problem: string };

/** The stream that carries a series, such as `btcusdt@kline_1m`; symbols are lower case there and nowhere else. */
export function streamOf({ of, symbol, timeframe }: Series, trades: BinanceTrades): StreamChoice {
  const upper = symbol.toUpperCase();
  if (upper !== symbol) return { problem: `symbols are in upper case: ${upper} rather than ${symbol}` };
  if (/[\s@/]/.test(symbol) || symbol === '*' || symbol === '') {
    return { problem: `there is no symbol ${JSON.stringify(symbol)}` };
  }
  const wire = symbol.toLowerCase();
  if (of === 'trade') return { name: trades === 'raw' ? `${wire}@trade` : `${wire}@aggTrade` };
  if (of === 'quote') return { name: `${wire}@bookTicker` };
  if (of !== 'bar') return { problem: `there are no records of kind ${of}` };
  const interval = timeframe ?? BINANCE_TIMEFRAMES[0];
  if (!(BINANCE_TIMEFRAMES as readonly string[]).includes(interval)) {
    return { problem: `there are no klines of ${interval}` };
  }
  return { name: `${wire}@kline_${interval}` };
}
