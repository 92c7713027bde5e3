/**
 * What a table holds after these items: one a key, of its versions the one with the highest `seq`, and of equals the
 * earlier, so that writing them again changes nothing. One without a `seq` counts as newer than any before it.
 */
export function foldByKey<T extends { readonly seq?: number }, K>(
  items: Iterable<T>,
  keyOf: (item: T) => K,
): Map<K, T> {
  const folded = new Map<K, T>();
  for (const item of items) {
    const key = keyOf(item);
    const former = folded.get(key);
    if (former === undefined || item.seq === undefined || item.seq > version(former)) folded.set(key, item);
  }
  return folded;
}

function version(item: { readonly seq?: number }): number {
  return item.seq ?? Number.POSITIVE_INFINITY;
}
