import type { Bar } from '../../../market/bar.js';
import type { MarketEvent } from '../../../market/recordKinds.js';
import { plainDecimal } from '../plainDecimal.js';

/** The channels that carry records, and the name of their list in an event. */
export const LISTS: Readonly<Record<string, string>> = {
  candles: 'candles',
  market_trades: 'trades',
  ticker: 'tickers',
};

/** One record as a channel has it. */
export interface CoinbaseItem {
  readonly channel: string;
  readonly product: string;
  /** When the envelope is written, in epoch milliseconds. */
  readonly at: number;
  readonly data: object;
}

export function itemOf(record: MarketEvent): CoinbaseItem | undefined {
  if (record.kind === 'trade') {
    const { symbol, ts, price, size, side, id } = record;
    const data = {
      trade_id: id,
      product_id: symbol,
      price: plainDecimal(price),
      size: plainDecimal(size),
      // The side of the maker, whom the aggressor came to.
      side: side === 'buy' ? 'SELL' : side === 'sell' ? 'BUY' : 'UNKNOWN_ORDER_SIDE',
      time: timeText(ts),
    };
    return { channel: 'market_trades', product: symbol, at: ts, data };
  }
  if (record.kind === 'quote') {
    const { symbol, ts, bid, bidSize, ask, askSize } = record;
    const price = plainDecimal(ask ?? bid ?? 0);
    const data = {
      type: 'ticker',
      product_id: symbol,
      price,
      volume_24_h: '1000',
      low_24_h: price,
      high_24_h: price,
      price_percent_chg_24_h: '0.1',
      best_bid: textOrNone(bid),
      best_bid_quantity: textOrNone(bidSize),
      best_ask: textOrNone(ask),
      best_ask_quantity: textOrNone(askSize),
    };
    return { channel: 'ticker', product: symbol, at: ts, data };
  }
  // The only candles of this vendor.
  if (record.kind !== 'bar' || record.timeframe !== '5m') return undefined;
  const at = record.seq !== undefined && record.seq > 1e15 ? record.seq / 1e3 : record.ts + 300_000;
  return { channel: 'candles', product: record.symbol, at, data: { ...candleRow(record), product_id: record.symbol } };
}

export function candleRow({ ts, open, high, low, close, volume }: Bar) {
  return {
    start: String(Math.floor(ts / 1_000)),
    high: plainDecimal(high),
    low: plainDecimal(low),
    open: plainDecimal(open),
    close: plainDecimal(close),
    volume: plainDecimal(volume),
  };
}

/** RFC 3339 with nanoseconds, as the vendor writes it. */
export function timeText(ms: number): string {
  const micros = Math.round(ms * 1e3);
  const seconds = Math.floor(micros / 1e6);
  const fraction = String(micros - seconds * 1e6).padStart(6, '0');
  return `${new Date(seconds * 1e3).toISOString().slice(0, 19)}.${fraction}000Z`;
}

function textOrNone(value: number | null): string {
  return value === null ? '' : plainDecimal(value);
}
