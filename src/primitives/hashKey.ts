/**
 * Hashes a key to choose its lane: the same key gives the same number in every process.
 *
 * Strings by FNV-1a over UTF-16 code units (Fowler, Noll and Vo), integers by the finaliser of MurmurHash3 (Appleby), so
 * that neither alphabetical nor consecutive keys crowd one lane.
 */
export function hashKey(key: string | number): number {
  if (typeof key === 'number') return mix32(key) >>> 0;
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  }
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** The finaliser of MurmurHash3. */
export function mix32(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
