import type { MarketCalendar } from '../marketCalendar.js';

/** A span in which a market is open: from `from` on, until before `to`. Unix epoch milliseconds. */
export interface OpenSpan {
  readonly from: number;
  readonly to: number;
}

/** Longer than any history, and short enough to be walked through: a hundred years. */
const MAX_SPAN_MS = 100 * 366 * 86_400_000;

/**
 * When a market is open between `from` and before `to`, in epoch milliseconds, in order and cut off at both ends. The spans are computed one
 * by one, as they are asked for.
 *
 * Throws a `RangeError` for a time that is none, a `to` before `from`, and more than a hundred years; while it is iterated, for a calendar
 * whose next change is not later than the time that it was asked about.
 *
 * @example
 * ```ts
 * import { openSpans, usEquities } from 'sluice/policies';
 *
 * const day = { from: Date.parse('2026-11-27T00:00:00Z'), to: Date.parse('2026-11-28T00:00:00Z') };
 * for (const { from, to } of openSpans(usEquities(), day.from, day.to)) console.log((to - from) / 60_000); // 210: a half-day
 * ```
 */
export function openSpans(calendar: MarketCalendar, from: number, to: number): Iterable<OpenSpan> {
  checkSpan('openSpans', from, to);
  return { [Symbol.iterator]: () => walk(calendar, from, to) };
}

export function checkSpan(owner: string, from: number, to: number): void {
  if (!Number.isFinite(from)) throw new RangeError(`${owner}: from must be a time in epoch milliseconds, got ${from}`);
  if (!Number.isFinite(to) || to < from) {
    throw new RangeError(`${owner}: to must be a time in epoch milliseconds that is not before ${from}, got ${to}`);
  }
  if (to - from > MAX_SPAN_MS) throw new RangeError(`${owner}: from ${from} to ${to} is more than a hundred years`);
}

function* walk(calendar: MarketCalendar, from: number, to: number): Generator<OpenSpan, void, undefined> {
  let at = from;
  while (at < to) {
    const isOpen = calendar.isOpen(at);
    const change = calendar.nextChange(at);
    if (!(change > at)) {
      throw new RangeError(`the next change of a calendar after ${at} must be later than that, got ${change}`);
    }
    const end = Math.min(change, to);
    if (isOpen) yield { from: at, to: end };
    at = end;
  }
}
