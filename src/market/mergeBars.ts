import type { Bar } from './bar.js';

/**
 * One bar of two successive pieces: the open and the start of the older, the close of the newer, the extremes and the
 * volume of both.
 *
 * For pieces that each report what was traded since the last one: per-second bars of one minute, or a provider that
 * sends increments. Not for revisions: a revision restates the whole bar, so the newer one replaces the older and adding
 * their volumes would count trades twice.
 */
export function mergeBars(older: Bar, newer: Bar): Bar {
  return {
    ...older,
    ...newer,
    ts: older.ts,
    open: older.open,
    high: Math.max(older.high, newer.high),
    low: Math.min(older.low, newer.low),
    volume: older.volume + newer.volume,
  };
}
