import type { PacingProfile } from '../../policies/pacingProfile.js';
import type { HistoryRange } from '../provider.js';
import type { Frame } from '../session.js';
import type { BinanceTrades } from './streamNames.js';

/**
 * Messages: five per second and connection, among them the pongs to the vendor's pings and the pings of ours, one each in 20
 * seconds (https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams). Three are used.
 */
export const BINANCE_MESSAGES: PacingProfile<Frame> = { windows: [{ limit: 3, perMs: 1_000 }] };

/**
 * Requests: 6,000 of weight per minute and address; 2 for klines, 4 for aggregated trades, 25 for single ones
 * (https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits and …/market-data-endpoints). Four fifths are used, as others may share the
 * address. Whoever asks for more is answered with 429, and with 418 and a ban from two minutes to three days if that does not
 * stop it; both name the time in `Retry-After`.
 */
export function binancePacing(trades: BinanceTrades = 'raw'): PacingProfile<HistoryRange> {
  return { windows: [{ limit: 4_800, perMs: 60_000, weight: ({ of }) => weightOf(of, trades) }] };
}

function weightOf(of: HistoryRange['of'], trades: BinanceTrades): number {
  if (of === 'bar') return 2;
  return trades === 'raw' ? 25 : 4;
}

/** Weight per minute of the clock at which requests wait for the next: others may share the address. */
const MAX_WEIGHT = 5_400;

/** How long all requests wait after an answer that says how much weight is used. */
export function weightCooldown(headers: Headers, now: number): number {
  const used = Number(headers.get('x-mbx-used-weight-1m') ?? 0);
  return used >= MAX_WEIGHT ? 60_000 - (now % 60_000) : 0;
}
