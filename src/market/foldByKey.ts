import { type Bar, barKey } from './bar.js';

/**
 * What a table holds after these items: per key, the version with the highest `seq` and, of equals, the earlier, so that
 * writing them again changes nothing. An item without a `seq` counts as newer than all before it.
 */
export function foldByKey<T extends { readonly seq?: number }, K>(
  items: Iterable<T>,
  keyOf: (item: T) => K,
): Map<K, T> {
  const folded = new Map<K, T>();
  for (const item of items) {
    const key = keyOf(item);
    const former = folded.get(key);
    if (former === undefined || item.seq === undefined || item.seq > (former.seq ?? Number.POSITIVE_INFINITY))
      folded.set(key, item);
  }
  return folded;
}

/** What a table holds after these bars: {@link foldByKey} by the key of a bar. */
export function foldBars(bars: Iterable<Bar>): Map<string, Bar> {
  return foldByKey(bars, barKey);
}
