import { type Bar, barKey } from './bar.js';
import { foldByKey } from './foldByKey.js';

/** What a table holds after these bars: {@link foldByKey} by the key of a bar. */
export function foldBars(bars: Iterable<Bar>): Map<string, Bar> {
  return foldByKey(bars, barKey);
}
