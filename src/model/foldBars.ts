import { type Bar, barKey } from './bar.js';

/**
 * What a table holds after these bars: one bar a key, of its versions the one with the highest `seq`, and of equals the
 * earlier, so that writing them again changes nothing. A bar without a `seq` counts as newer than any before it.
 */
export function foldBars(bars: Iterable<Bar>): Map<string, Bar> {
  const folded = new Map<string, Bar>();
  for (const bar of bars) {
    const key = barKey(bar);
    const former = folded.get(key);
    if (former === undefined || bar.seq === undefined || bar.seq > version(former)) folded.set(key, bar);
  }
  return folded;
}

function version(bar: Bar): number {
  return bar.seq ?? Number.POSITIVE_INFINITY;
}
