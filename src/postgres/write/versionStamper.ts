import type { Table } from '../table.js';
import { badValue } from './encode.js';

/**
 * Assigns versions to items without one: the time of receipt in microseconds, strictly increasing, so that versions grow across
 * restarts too.
 */
export class VersionStamper<T> {
  readonly #table: Table<T>;
  readonly #now: () => number;
  /** The versions of a batch: each is read once, and a batch that is written again keeps those that it was given. */
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
    const seqs = new Float64Array(items.length);
    let isNumbered = true;
    let stamped: T[] | undefined;
    let now: number | undefined;
    for (let i = 0; i < items.length; i++) {
      const item = items[i] as T;
      let copy = item;
      let seq = this.#versionOf(item);
      if (seq === undefined) {
        now ??= this.#micros();
        seq = this.#next(now);
        copy = this.#copy(item, seq);
        stamped ??= items.slice(0, i);
        isNumbered &&= copy !== item;
      }
      stamped?.push(copy);
      isNumbered &&= Number.isSafeInteger(seq);
      seqs[i] = seq;
    }
    const batch = stamped ?? items;
    // The write need not read the versions again.
    if (isNumbered) this.#numbered.set(batch, seqs);
    else this.#numbered.delete(batch);
    return batch;
  }

  /** The version of each item; an unstamped batch keeps its versions while it is in use. */
  seqsOf(batch: readonly T[]): Float64Array {
    const known = this.#numbered.get(batch);
    if (known) return known;
    const { version, versionOf } = this.#table;
    const seqs = new Float64Array(batch.length);
    let now: number | undefined;
    for (let i = 0; i < batch.length; i++) {
      // Unchecked data may hold null for a missing version.
      const seq = versionOf(batch[i]!) ?? undefined;
      if (seq !== undefined) {
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

  /** `undefined` if the item lacks a version, NaN if it cannot be read. */
  #versionOf(item: T): number | undefined {
    if (typeof item !== 'object' || item === null) return Number.NaN;
    try {
      return this.#table.versionOf(item) ?? undefined;
    } catch {
      return Number.NaN;
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
