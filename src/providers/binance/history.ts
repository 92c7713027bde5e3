import type { MarketEvent } from '../../market/recordKinds.js';
import type { HistoryRange } from '../provider.js';
import { ConnectionLost, UnknownInstrument } from '../providerErrors.js';
import { pages } from '../rest/pages.js';
import type { RestClient, RestRequest } from '../rest/restClient.js';
import { Unreadable } from '../session.js';
import { candle, instant, isCount, micros, normaliseBinance } from './normalise.js';
import { BINANCE_TIMEFRAMES, type BinanceTrades, streamOf } from './streamNames.js';

/** Rows in one answer, at most. */
const LIMIT = 1_000;

export interface BinanceHistoryConfig {
  readonly client: RestClient;
  readonly trades: BinanceTrades;
  readonly now: () => number;
}

/**
 * Klines and trades of the past, oldest first. A kline that is not closed yet is left out: its stream has it.
 *
 * https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
 */
export function binanceHistory(
  range: HistoryRange,
  { client, trades, now }: BinanceHistoryConfig,
): AsyncIterable<readonly MarketEvent[]> {
  const { problem } = streamOf(range, trades);
  if (problem !== undefined) throw new UnknownInstrument('binance', problem);
  if (range.of === 'bar') return klines(range, client, now);
  if (range.of === 'trade') return trades === 'raw' ? rawTrades(range, client) : aggregatedTrades(range, client);
  throw new UnknownInstrument('binance', `there is no history of kind ${range.of}: the vendor has none of quotes`);
}

function klines(range: HistoryRange, client: RestClient, now: () => number): AsyncIterable<readonly MarketEvent[]> {
  const { symbol, from, to, timeframe: interval = BINANCE_TIMEFRAMES[0] } = range;
  const path = '/api/v3/klines';
  const endTime = Math.ceil(to) - 1;
  const query = (startTime: number) => ({ symbol, interval, startTime, endTime, limit: LIMIT });
  return pages({
    client,
    range,
    first: { path, query: query(Math.ceil(from)) },
    next: (answer) => {
      const rows = rowsOf(answer, path);
      const last = rows.at(-1) as readonly unknown[] | undefined;
      return last && rows.length === LIMIT ? { path, query: query(instant(last[0]) + 1) } : undefined;
    },
    read: (answer) => {
      const at = now();
      return rowsOf(answer, path).flatMap((row) => {
        const [openTime, o, h, l, c, v, closeTime, q, n] = (Array.isArray(row) ? row : []) as readonly unknown[];
        if (instant(closeTime) >= at) return [];
        return record(candle(symbol, interval, instant(openTime), o, h, l, c, v, q, n, true, micros(at)), row, path);
      });
    },
  });
}

function aggregatedTrades(range: HistoryRange, client: RestClient): AsyncIterable<readonly MarketEvent[]> {
  const { symbol, from, to } = range;
  const path = '/api/v3/aggTrades';
  return pages({
    client,
    range,
    first: { path, query: { symbol, startTime: Math.ceil(from), limit: LIMIT } },
    // Ids have no holes: the page after this one begins with the next.
    next: (answer) => {
      const last = rowsOf(answer, path).at(-1) as TradeRow | undefined;
      if (!last || !(instant(last.T) < to)) return undefined;
      return { path, query: { symbol, fromId: idOf(last.a, path) + 1, limit: LIMIT } };
    },
    read: (answer) => {
      const rows = rowsOf(answer, path).map((row) => ({ ...(row as TradeRow), e: 'aggTrade', s: symbol }));
      return rows.flatMap((row) => within(row, range, path));
    },
  });
}

/** Single trades are found by their ids only: the aggregated trade at the start of the range names the first. */
function rawTrades(range: HistoryRange, client: RestClient): AsyncIterable<readonly MarketEvent[]> {
  const { symbol, from, to } = range;
  const aggregated = '/api/v3/aggTrades';
  const path = '/api/v3/historicalTrades';
  const following = (fromId: number): RestRequest => ({ path, query: { symbol, fromId, limit: LIMIT } });
  return pages({
    client,
    range,
    first: { path: aggregated, query: { symbol, startTime: Math.ceil(from), limit: 1 } },
    next: (answer, request) => {
      const last = rowsOf(answer, path).at(-1) as TradeRow | undefined;
      if (!last) return undefined;
      if (request.path === aggregated) return following(idOf(last.f, path));
      return instant(last.time) < to ? following(idOf(last.id, path) + 1) : undefined;
    },
    read: (answer) =>
      rowsOf(answer, path).flatMap((row) => {
        const { id, price, qty, time, isBuyerMaker } = row as TradeRow;
        // The aggregated trade that was asked first.
        if (id === undefined) return [];
        const raw = { e: 'trade', s: symbol, t: id, p: price, q: qty, T: time, m: isBuyerMaker };
        return within(raw, range, path);
      }),
  });
}

type TradeRow = Readonly<Record<string, unknown>>;

function within(row: TradeRow, { from, to }: HistoryRange, path: string): readonly MarketEvent[] {
  const ts = instant(row.T);
  return ts < from || ts >= to ? [] : record(normaliseBinance(row, 0), row, path);
}

/** One row that cannot be read makes the answer useless: a history with a hole that nobody sees would be worse. */
function record(made: MarketEvent | Unreadable, row: unknown, path: string): readonly MarketEvent[] {
  if (!(made instanceof Unreadable)) return [made];
  throw new ConnectionLost('binance', `GET ${path}: an answer cannot be read: ${made.reason}`, { cause: row });
}

function rowsOf(answer: unknown, path: string): readonly unknown[] {
  if (Array.isArray(answer)) return answer;
  throw new ConnectionLost('binance', `GET ${path} was answered with what is no array`, { cause: answer });
}

function idOf(id: unknown, path: string): number {
  if (isCount(id)) return id;
  throw new ConnectionLost('binance', `GET ${path}: an answer has no id of a trade`, { cause: id });
}
