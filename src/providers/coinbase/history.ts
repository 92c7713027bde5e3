import type { MarketEvent } from '../../market/recordKinds.js';
import type { HistoryRange } from '../provider.js';
import { ConnectionLost, UnknownInstrument } from '../providerErrors.js';
import { pages } from '../rest/pages.js';
import type { RestClient, RestRequest } from '../rest/restClient.js';
import { Unreadable } from '../session.js';
import { COINBASE_TIMEFRAME, candle } from './normalise.js';

/** How the vendor names the timeframes of the past, and their lengths in seconds. Of these, the stream has `5m` only. */
const GRANULARITY: Readonly<Record<string, readonly [string, number]>> = {
  '5m': ['FIVE_MINUTE', 300],
  '1m': ['ONE_MINUTE', 60],
  '15m': ['FIFTEEN_MINUTE', 900],
  '30m': ['THIRTY_MINUTE', 1_800],
  '1h': ['ONE_HOUR', 3_600],
  '2h': ['TWO_HOUR', 7_200],
  '4h': ['FOUR_HOUR', 14_400],
  '6h': ['SIX_HOUR', 21_600],
  '1d': ['ONE_DAY', 86_400],
};

/** The vendor answers with fewer than 350 candles. */
const CANDLES = 300;

export interface CoinbaseHistoryConfig {
  readonly client: RestClient;
  readonly now: () => number;
}

/**
 * Candles of the past, oldest first. A candle that is not over yet is left out: its stream has it.
 *
 * https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public/get-public-product-candles
 */
export function coinbaseHistory(
  range: HistoryRange,
  { client, now }: CoinbaseHistoryConfig,
): AsyncIterable<readonly MarketEvent[]> {
  const { of, symbol, timeframe = COINBASE_TIMEFRAME, from, to } = range;
  if (of !== 'bar')
    throw new UnknownInstrument('coinbase', `there is no history of kind ${of}: the vendor has candles`);
  const [granularity, seconds] = GRANULARITY[timeframe] ?? [];
  if (granularity === undefined || seconds === undefined) {
    const known = Object.keys(GRANULARITY).join(', ');
    throw new UnknownInstrument('coinbase', `there are no candles of ${timeframe} (there are: ${known})`);
  }
  const path = `/api/v3/brokerage/market/products/${encodeURIComponent(symbol)}/candles`;
  const last = Math.ceil(to / 1_000) - 1;
  const page = (start: number): RestRequest => {
    // Both ends are included.
    const end = Math.min(last, start + CANDLES * seconds - 1);
    return { path, query: { start, end, granularity, limit: CANDLES } };
  };
  return pages({
    client,
    range,
    first: page(Math.ceil(from / 1_000)),
    next: (_, { query }) => {
      const end = Number(query?.end);
      return end < last ? page(end + 1) : undefined;
    },
    read: (answer) => {
      const at = now();
      const bars: MarketEvent[] = [];
      for (const row of rowsOf(answer, path)) {
        const { start, open, high, low, close, volume } = (row ?? {}) as Readonly<Record<string, unknown>>;
        const bar = candle(symbol, timeframe, start, open, high, low, close, volume, true, Math.round(at * 1e3));
        if (bar instanceof Unreadable) {
          // A history with a hole that nobody sees would be worse.
          throw new ConnectionLost('coinbase', `GET ${path}: an answer cannot be read: ${bar.reason}`, { cause: row });
        }
        if (bar.ts >= from && bar.ts < to && bar.ts + seconds * 1e3 <= at) bars.push(bar);
      }
      // The newest comes first.
      return bars.sort((a, b) => (a as { ts: number }).ts - (b as { ts: number }).ts);
    },
  });
}

function rowsOf(answer: unknown, path: string): readonly unknown[] {
  const candles = (answer as { readonly candles?: unknown } | null)?.candles;
  if (Array.isArray(candles)) return candles;
  throw new ConnectionLost('coinbase', `GET ${path} was answered without candles`, { cause: answer });
}
