import { type Rows, toMicros } from './encode.js';
import type { Column, Table } from './tables.js';

/** A column's part of the key, as the table compares it. */
function keyPart<T>(column: Column<T>): (item: T) => string | number {
  // The version is no part of a key.
  const { of, type } = column;
  if (type === 'timestamptz') return (item) => toMicros(of(item, 0) as number);
  return (item) => of(item, 0) as string | number;
}

const words = new Int32Array(2);
const double = new Float64Array(words.buffer);

function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

function hashNumber(value: number): number {
  double[0] = value;
  const mixed = Math.imul(words[0]! ^ Math.imul(words[1]!, 0x9e3779b1), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

/**
 * Reduces rows with one key to the newest: the highest version, of equal ones the later. Postgres refuses to touch a
 * row twice in one upsert. Rows without a twin, nearly all, cost a look into a hash table and no memory.
 */
export function newestPerKey<T>(table: Table<T>): (rows: Rows<T>) => Rows<T> {
  const parts = table.key.map((name) => keyPart(table.columns.find((column) => column.name === name)!));
  const [first, ...rest] = parts;
  const lastValues: (string | number | undefined)[] = parts.map(() => undefined);
  const lastHashes = new Int32Array(parts.length);
  let slots = new Int32Array(0);
  let hashes = new Int32Array(0);

  const hashOf = (item: T): number => {
    let hash = 0;
    for (let p = 0; p < parts.length; p++) {
      const value = parts[p]!(item);
      // Vendor and timeframe seldom change from one row to the next.
      if (value !== lastValues[p]) {
        lastValues[p] = value;
        lastHashes[p] = typeof value === 'string' ? hashText(value) : hashNumber(value);
      }
      hash = Math.imul(hash, 31) + lastHashes[p]!;
    }
    return Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  };

  const sameKey = (a: T, b: T): boolean => first!(a) === first!(b) && rest.every((part) => part(a) === part(b));

  return (rows) => {
    const { items, seqs } = rows;
    const count = items.length;
    if (hashes.length < count) {
      const size = 2 ** Math.ceil(Math.log2(count * 2));
      slots = new Int32Array(size);
      hashes = new Int32Array(size / 2);
    }
    const mask = slots.length - 1;
    slots.fill(0);
    /** The place in `kept` of the row in each slot, counted from one. */
    let kept: T[] | undefined;
    let keptSeqs: Float64Array = seqs;
    let length = 0;

    for (let i = 0; i < count; i++) {
      const item = items[i]!;
      const hash = hashOf(item);
      let slot = hash & mask;
      let place = slots[slot]!;
      while (place > 0) {
        if (hashes[place - 1] === hash && sameKey((kept ?? items)[place - 1]!, item)) break;
        slot = (slot + 1) & mask;
        place = slots[slot]!;
      }
      if (place === 0) {
        slots[slot] = length + 1;
        hashes[length] = hash;
        if (kept) {
          kept.push(item);
          keptSeqs[length] = seqs[i]!;
        }
        length += 1;
        continue;
      }
      if (!kept) {
        kept = items.slice(0, length);
        keptSeqs = seqs.slice();
      }
      if (seqs[i]! >= keptSeqs[place - 1]!) {
        kept[place - 1] = item;
        keptSeqs[place - 1] = seqs[i]!;
      }
    }
    return kept ? { items: kept, seqs: keptSeqs.subarray(0, length) } : rows;
  };
}
