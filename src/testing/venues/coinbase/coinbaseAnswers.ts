import type { Bar } from '../../../market/bar.js';
import type { MarketEvent } from '../../../market/recordKinds.js';
import { candleRow } from './coinbaseFrames.js';

/** An answer of the REST interface: its status and its body. */
export interface CoinbaseAnswer {
  readonly status: number;
  readonly body: unknown;
}

const PATH = /^\/api\/v3\/brokerage\/market\/products\/([^/]+)\/candles$/;

/** How the vendor names timeframes. */
const TIMEFRAME_OF: Readonly<Record<string, readonly [string, number]>> = {
  ONE_MINUTE: ['1m', 60],
  FIVE_MINUTE: ['5m', 300],
  FIFTEEN_MINUTE: ['15m', 900],
  THIRTY_MINUTE: ['30m', 1_800],
  ONE_HOUR: ['1h', 3_600],
  TWO_HOUR: ['2h', 7_200],
  FOUR_HOUR: ['4h', 14_400],
  SIX_HOUR: ['6h', 21_600],
  ONE_DAY: ['1d', 86_400],
};

const MAX_CANDLES = 350;

/** Answers a request for candles from these records, the newest first. */
export function answerOf({ pathname, searchParams }: URL, records: readonly MarketEvent[]): CoinbaseAnswer {
  const product = PATH.exec(decodeURI(pathname))?.[1];
  if (product === undefined) return { status: 404, body: { error: 'NOT_FOUND', message: 'no such path' } };
  const [timeframe, seconds] = TIMEFRAME_OF[searchParams.get('granularity') ?? ''] ?? [];
  const start = Number(searchParams.get('start') ?? Number.NaN);
  const end = Number(searchParams.get('end') ?? Number.NaN);
  if (seconds === undefined) return bad('granularity is not one of the accepted values');
  if (!(start <= end)) return bad('start and end must be UNIX timestamps');
  if ((end - start) / seconds >= MAX_CANDLES)
    return bad(`number of candles requested should be less than ${MAX_CANDLES}`);
  const known = records.filter((record): record is Bar => record.kind === 'bar' && record.symbol === product);
  if (known.length === 0) return { status: 404, body: { error: 'NOT_FOUND', message: 'product not found' } };
  const candles = known
    .filter((bar) => bar.timeframe === timeframe && bar.ts >= start * 1e3 && bar.ts <= end * 1e3)
    .sort((a, b) => b.ts - a.ts)
    .slice(0, MAX_CANDLES)
    .map(candleRow);
  return { status: 200, body: { candles } };
}

function bad(message: string): CoinbaseAnswer {
  return { status: 400, body: { error: 'INVALID_ARGUMENT', error_details: message, message } };
}
