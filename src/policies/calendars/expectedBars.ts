import { DAY_MS } from '../../primitives/calendarDate.js';
import { timeframeMs } from '../../primitives/timeframe.js';
import type { MarketCalendar } from '../marketCalendar.js';
import { checkSpan, type OpenSpan, openSpans } from './openSpans.js';

/** The starts of the bars of a span, in epoch milliseconds, in order. Each is computed when it is asked for. */
export interface ExpectedBars extends Iterable<number> {
  /** How many there are. Takes time by the sessions of the span rather than by its bars. */
  count(): number;
}

const OWNER = 'expectedBars';

/** Weeks begin on Monday, as that of 1969-12-29 did. */
const FIRST_MONDAY_MS = -3 * DAY_MS;

/**
 * The bars of a timeframe that the sessions of a market call for, from `from` on and before `to`, in epoch milliseconds: what gaps and reports
 * compare with what there is. Bars are taken by their start.
 *
 * - Bars of less than a day begin at multiples of their length, counted from 1970-01-01 UTC; each that has a moment of open market in it is
 *   expected. So a market that opens at 09:30 has a bar of `1h` that begins at 09:00.
 * - Bars of days begin at midnight UTC of their date, and those of weeks on Monday. One is expected if a session belongs to one of its days;
 *   of a calendar that cannot tell, such as one of your own without `hasSessionOn`, if the market is open at some moment of them.
 * - A symbol that is not traded for the length of a bar has none at most venues: for a quiet one the count is an upper bound.
 *
 * Pure, and bounded by a hundred years; a bar is computed only when it is asked for. Throws a `RangeError` for a wrong timeframe, a time that
 * is none, and a `to` before `from`.
 *
 * @example
 * ```ts
 * import { expectedBars, usEquities } from 'sluice/policies';
 *
 * const [from, to] = [Date.parse('2026-11-26T00:00:00Z'), Date.parse('2026-11-28T00:00:00Z')];
 * const bars = expectedBars(usEquities(), '1m', from, to);
 * bars.count(); // 210: Thanksgiving, and 09:30 to 13:00 of the day after
 * const [first] = bars; // 2026-11-27T14:30:00Z
 * ```
 */
export function expectedBars(calendar: MarketCalendar, timeframe: string, from: number, to: number): ExpectedBars {
  checkSpan(OWNER, from, to);
  const lengthMs = timeframeMs(timeframe);
  const unit = timeframe.at(-1);
  if (unit !== 'd' && unit !== 'w') {
    return {
      [Symbol.iterator]: () => barsOf(runsOf(calendar, lengthMs, from, to), lengthMs),
      count: () => countOf(runsOf(calendar, lengthMs, from, to), lengthMs),
    };
  }
  const anchor = unit === 'w' ? FIRST_MONDAY_MS : 0;
  const days = () => daysOf(calendar, lengthMs, anchor, from, to);
  return {
    [Symbol.iterator]: days,
    count() {
      let count = 0;
      for (const _ of days()) count++;
      return count;
    },
  };
}

/** A row of bars without a hole: the first start, and the end of the last bar. */
type Run = OpenSpan;

/** The rows of bars that begin in the span. */
function* runsOf(
  calendar: MarketCalendar,
  lengthMs: number,
  from: number,
  to: number,
): Generator<Run, void, undefined> {
  let first = ceilTo(from, lengthMs, 0);
  const end = ceilTo(to, lengthMs, 0);
  // The last bar that begins before the end may meet its session after it.
  for (const span of first < end ? openSpans(calendar, first, end) : []) {
    const begins = Math.max(first, floorTo(span.from, lengthMs, 0));
    const ends = ceilTo(span.to, lengthMs, 0);
    // Two sessions may meet the same bar.
    if (begins >= ends) continue;
    yield { from: begins, to: ends };
    first = ends;
  }
}

function* barsOf(runs: Iterable<Run>, lengthMs: number): Generator<number, void, undefined> {
  for (const { from, to } of runs) {
    for (let start = from; start < to; start += lengthMs) yield start;
  }
}

function countOf(runs: Iterable<Run>, lengthMs: number): number {
  let count = 0;
  for (const { from, to } of runs) count += (to - from) / lengthMs;
  return count;
}

function* daysOf(
  calendar: MarketCalendar,
  lengthMs: number,
  anchor: number,
  from: number,
  to: number,
): Generator<number, void, undefined> {
  for (let start = ceilTo(from, lengthMs, anchor); start < to; start += lengthMs) {
    if (hasSession(calendar, start, start + lengthMs)) yield start;
  }
}

function hasSession(calendar: MarketCalendar, from: number, to: number): boolean {
  if (!calendar.hasSessionOn) return calendar.isOpen(from) || calendar.nextChange(from) < to;
  for (let at = from; at < to; at += DAY_MS) {
    if (calendar.hasSessionOn(at / DAY_MS)) return true;
  }
  return false;
}

const floorTo = (at: number, step: number, anchor: number) => Math.floor((at - anchor) / step) * step + anchor;
const ceilTo = (at: number, step: number, anchor: number) => Math.ceil((at - anchor) / step) * step + anchor;
