import { DAY_MS } from '../../../primitives/calendarDate.js';
import { timeframeMs } from '../../../primitives/timeframe.js';

/** More bars in one answer block the event loop: the client decodes them in time that grows with their square. */
export const MAX_BARS = 2_000;

const HOUR_MS = 3_600_000;

/** The longest duration by the size of bars (https://interactivebrokers.github.io/tws-api/historical_bars.html). */
const LONGEST: readonly (readonly [upToMs: number, spanMs: number])[] = [
  [1_000, HOUR_MS / 2],
  [5_000, HOUR_MS],
  [15_000, 4 * HOUR_MS],
  [30_000, 8 * HOUR_MS],
  [60_000, DAY_MS],
  [120_000, 2 * DAY_MS],
  [1_200_000, 7 * DAY_MS],
  [8 * HOUR_MS, 30 * DAY_MS],
  [Number.POSITIVE_INFINITY, 365 * DAY_MS],
];

/** How much of the past one request may ask for. Above a day it is whole days, as durations are. */
export function longestSpan(timeframe: string): number {
  const ms = timeframeMs(timeframe);
  const [, allowed] = LONGEST.find(([upTo]) => ms <= upTo)!;
  const full = Math.min(allowed, MAX_BARS * ms);
  return full > DAY_MS ? Math.floor(full / DAY_MS) * DAY_MS : full;
}
