import type { Table } from '../table.js';
import { badValue } from './encode.js';

/**
 * Assigns versions to items without one: the time of receipt in microseconds, strictly increasing, so that versions grow across
 * restarts too.
 */
export class VersionStamper<T> {
  readonly #table: Table<T>;
  readonly #now: () => number;
  /** The versions assigned to a batch, so that it keeps them when it is written again. */
  readonly #numbered = new WeakMap<readonly T[], Float64Array>();
  #last = 0;

  /** `now` is in epoch milliseconds. */
  constructor(table: Table<T>, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /**
   * The items, each with a version: items without one are copied with one. The same array if all have one.
   * An item that cannot be read stays as it is: the write reports what is wrong with it.
   */
  stamp(items: readonly T[]): readonly T[] {
    let stamped: T[] | undefined;
    let now: number | undefined;
    for (let i = 0; i < items.length; i++) {
      const item = items[i] as T;
      let copy = item;
      if (this.#lacksVersion(item)) {
        now ??= this.#micros();
        copy = this.#copy(item, this.#next(now));
        stamped ??= items.slice(0, i);
      }
      stamped?.push(copy);
    }
    return stamped ?? items;
  }

  /** The version of each item; an unstamped batch keeps its versions while it is in use. */
  seqsOf(batch: readonly T[]): Float64Array {
    const known = this.#numbered.get(batch);
    if (known) return known;
    const { version, versionOf } = this.#table;
    const seqs = new Float64Array(batch.length);
    let now: number | undefined;
    for (let i = 0; i < batch.length; i++) {
      const seq = versionOf(batch[i]!);
      if (isVersion(seq)) {
        if (!Number.isSafeInteger(seq)) throw badValue(version, 'a safe integer', seq, '22003');
        seqs[i] = seq;
        continue;
      }
      now ??= this.#micros();
      seqs[i] = this.#next(now);
    }
    if (now !== undefined) this.#numbered.set(batch, seqs);
    return seqs;
  }

  #lacksVersion(item: T): boolean {
    try {
      return typeof item === 'object' && item !== null && !isVersion(this.#table.versionOf(item));
    } catch {
      return false;
    }
  }

  #copy(item: T, seq: number): T {
    try {
      return this.#table.numbered(item, seq);
    } catch {
      return item;
    }
  }

  #micros(): number {
    return Math.round(this.#now() * 1000);
  }

  #next(now: number): number {
    this.#last = Math.max(this.#last + 1, now);
    return this.#last;
  }
}

/** Unchecked data may hold null for a missing version. */
function isVersion(seq: number | null | undefined): seq is number {
  return seq !== undefined && seq !== null;
}
