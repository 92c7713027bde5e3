import type { Bar } from '../../../market/bar.js';
import type { Quote } from '../../../market/quote.js';
import type { MarketEvent } from '../../../market/recordKinds.js';
import type { Trade } from '../../../market/trade.js';
import { plainDecimal } from '../plainDecimal.js';

/** Times on the wire per millisecond: 1, or 1000 where the client asked for microseconds. */
export type TimeScale = 1 | 1000;

/** The streams that carry a record, each with the payload that it has there. */
export function payloadsOf(record: MarketEvent, scale: TimeScale): readonly (readonly [string, object])[] {
  if (record.kind === 'trade') {
    const symbol = record.symbol.toLowerCase();
    return [
      [`${symbol}@trade`, tradePayload(record, scale)],
      [`${symbol}@aggTrade`, aggregatedPayload(record, scale)],
    ];
  }
  if (record.kind === 'quote') return [[`${record.symbol.toLowerCase()}@bookTicker`, tickerPayload(record)]];
  if (record.kind === 'bar') {
    return [[`${record.symbol.toLowerCase()}@kline_${record.timeframe}`, klinePayload(record, scale)]];
  }
  return [];
}

function tradePayload(trade: Trade, scale: TimeScale): object {
  const T = onWire(trade.ts, scale);
  const { p, q, m } = terms(trade);
  return { e: 'trade', E: T, s: trade.symbol, t: numberOf(trade.id), p, q, T, m, M: true };
}

function aggregatedPayload(trade: Trade, scale: TimeScale): object {
  const T = onWire(trade.ts, scale);
  const { p, q, m } = terms(trade);
  const id = numberOf(trade.id);
  return { e: 'aggTrade', E: T, s: trade.symbol, a: id, p, q, f: id, l: id, T, m, M: true };
}

/** The terms of a trade as streams and answers have them. */
export function terms({ price, size, side }: Trade): { readonly p: string; readonly q: string; readonly m: boolean } {
  return { p: plainDecimal(price), q: plainDecimal(size), m: side === 'sell' };
}

function tickerPayload(quote: Quote): object {
  return {
    u: numberOf(quote.id),
    s: quote.symbol,
    b: plainDecimal(quote.bid ?? 0),
    B: plainDecimal(quote.bidSize ?? 0),
    a: plainDecimal(quote.ask ?? 0),
    A: plainDecimal(quote.askSize ?? 0),
  };
}

function klinePayload(bar: Bar, scale: TimeScale): object {
  const { symbol, timeframe, ts, isFinal = true } = bar;
  const end = ts + (SPAN_MS[timeframe] ?? 60_000);
  // The version of a bar is the time of the event; a bar without one is as old as its span allows.
  const at = bar.seq !== undefined && bar.seq > 1e15 ? bar.seq / 1e3 : end;
  const amounts = klineAmounts(bar);
  const k = {
    t: onWire(ts, scale),
    T: onWire(end, scale) - 1,
    s: symbol,
    i: timeframe,
    f: 0,
    L: Math.max(0, amounts.n - 1),
    ...amounts,
    x: isFinal,
    B: '0',
  };
  return { e: 'kline', E: onWire(at, scale), s: symbol, k };
}

/** Prices, volumes and the number of trades, as streams and answers have them. */
export function klineAmounts(bar: Bar) {
  const { open, high, low, close, volume, vwap, trades } = bar;
  const n = trades ?? (volume > 0 ? 1 : 0);
  const turnover = volume * (vwap ?? close);
  return {
    o: plainDecimal(open),
    c: plainDecimal(close),
    h: plainDecimal(high),
    l: plainDecimal(low),
    v: plainDecimal(volume),
    n,
    q: plainDecimal(turnover),
    V: plainDecimal(volume / 2),
    Q: plainDecimal(turnover / 2),
  };
}

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

/** Of months, the 30 days that a fake can do with. */
export const SPAN_MS: Readonly<Record<string, number>> = {
  '1s': 1_000,
  '1m': MINUTE,
  '3m': 3 * MINUTE,
  '5m': 5 * MINUTE,
  '15m': 15 * MINUTE,
  '30m': 30 * MINUTE,
  '1h': HOUR,
  '2h': 2 * HOUR,
  '4h': 4 * HOUR,
  '6h': 6 * HOUR,
  '8h': 8 * HOUR,
  '12h': 12 * HOUR,
  '1d': DAY,
  '3d': 3 * DAY,
  '1w': 7 * DAY,
  '1M': 30 * DAY,
};

function onWire(ms: number, scale: TimeScale): number {
  return scale === 1 ? Math.floor(ms) : Math.round(ms * scale);
}

/** Ids are numbers at this vendor; another text gives a number that is always the same. */
export function numberOf(id: string): number {
  const number = Number(id);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  let hash = 0;
  for (let i = 0; i < id.length; i += 1) hash = (hash * 31 + id.charCodeAt(i)) % 0x7fff_ffff;
  return hash;
}
