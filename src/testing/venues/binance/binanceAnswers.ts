import type { Bar } from '../../../market/bar.js';
import type { MarketEvent } from '../../../market/recordKinds.js';
import type { Trade } from '../../../market/trade.js';
import { klineAmounts, numberOf, SPAN_MS, terms } from './binanceFrames.js';

/** An answer of the REST interface: its status and its body. */
export interface BinanceAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** What a request weighs. https://developers.binance.com/docs/binance-spot-api-docs/rest-api */
export const WEIGHTS: Readonly<Record<string, number>> = {
  '/api/v3/klines': 2,
  '/api/v3/aggTrades': 4,
  '/api/v3/historicalTrades': 25,
};

const MAX_ROWS = 1_000;
const DEFAULT_ROWS = 500;

/** Answers a request for history from these records. */
export function answerOf({ pathname, searchParams }: URL, records: readonly MarketEvent[]): BinanceAnswer {
  if (WEIGHTS[pathname] === undefined) return { status: 404, body: { code: -1, msg: 'Not found' } };
  const symbol = searchParams.get('symbol');
  if (symbol === null) return bad(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.");
  const limit = numberIn(searchParams, 'limit', DEFAULT_ROWS);
  if (!(limit >= 1 && limit <= MAX_ROWS)) return bad(-1100, "Illegal characters found in parameter 'limit'.");
  const from = numberIn(searchParams, 'startTime', Number.NEGATIVE_INFINITY);
  const to = numberIn(searchParams, 'endTime', Number.POSITIVE_INFINITY);
  const ofSymbol = records.filter((record) => 'symbol' in record && record.symbol === symbol);
  if (ofSymbol.length === 0) return bad(-1121, 'Invalid symbol.');
  if (pathname === '/api/v3/klines') {
    const interval = searchParams.get('interval') ?? '';
    if (SPAN_MS[interval] === undefined) return bad(-1120, 'Invalid interval.');
    const bars = ofSymbol.filter(
      (record): record is Bar =>
        record.kind === 'bar' && record.timeframe === interval && record.ts >= from && record.ts <= to,
    );
    return { status: 200, body: bars.sort(byTime).slice(0, limit).map(klineRow) };
  }
  const fromId = numberIn(searchParams, 'fromId', 0);
  const trades = ofSymbol
    .filter((record): record is Trade => record.kind === 'trade')
    .filter(({ ts, id }) => ts >= from && ts <= to && numberOf(id) >= fromId)
    .sort((a, b) => numberOf(a.id) - numberOf(b.id))
    .slice(0, limit);
  return { status: 200, body: trades.map(pathname === '/api/v3/aggTrades' ? aggregatedRow : tradeRow) };
}

function klineRow(bar: Bar): readonly unknown[] {
  const { o, h, l, c, v, q, n, V, Q } = klineAmounts(bar);
  return [bar.ts, o, h, l, c, v, bar.ts + SPAN_MS[bar.timeframe]! - 1, q, n, V, Q, '0'];
}

function aggregatedRow(trade: Trade): object {
  const { p, q, m } = terms(trade);
  const id = numberOf(trade.id);
  return { a: id, p, q, f: id, l: id, T: Math.floor(trade.ts), m, M: true };
}

function tradeRow(trade: Trade): object {
  const { p, q, m } = terms(trade);
  const time = Math.floor(trade.ts);
  return { id: numberOf(trade.id), price: p, qty: q, quoteQty: '0', time, isBuyerMaker: m, isBestMatch: true };
}

function byTime(a: Bar, b: Bar): number {
  return a.ts - b.ts;
}

function numberIn(parameters: URLSearchParams, name: string, fallback: number): number {
  const text = parameters.get(name);
  return text === null ? fallback : Number(text);
}

function bad(code: number, msg: string): BinanceAnswer {
  return { status: 400, body: { code, msg } };
}
