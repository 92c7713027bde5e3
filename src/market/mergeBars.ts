import type { Bar } from './bar.js';

/**
 * Merges two successive pieces of a bar: the start and the open of the older, the close of the newer, the extremes and the
 * volume of both.
 *
 * Use it for pieces that each report what was traded since the last one, such as the per-second bars of a minute or the
 * increments of a provider. It is not for revisions: a revision restates the whole bar, so adding the volumes would count
 * trades twice.
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
