/**
 * Isolates the items of a batch that a sink refuses, by writing parts of it, strictly from left to right.
 *
 * A part that is known to hold a bad item is halved: its left half is written next. When that is committed, the bad item is
 * in the other half; when it is refused, it is in this one. What is refused all alone is the bad item, and what stands to
 * the right of it, of which nothing is known, is written whole next. So a part that was refused is never written again,
 * every other item is written exactly once and in order, and no item is condemned that was not refused by itself. That
 * last point costs a write where the bad item turns out to be the last of its part, and it keeps good items good where a
 * batch was refused for what its items are together.
 *
 * One bad item of n takes at most ⌈log₂ n⌉ + 2 writes, the rest included: 13 for a batch of 2,000.
 *
 * ```text
 * for (let part = bisection.next(); part; part = bisection.next()) {
 *   if (isTaken(part)) bisection.written();
 *   else divert(bisection.poisoned());
 * }
 * ```
 */
export class Bisection<T> {
  readonly #items: readonly T[];
  /** All to the left of it is settled. */
  #from = 0;
  /** From `#from` to here there is a bad item; `undefined` where nothing is known of what is left. */
  #badTo: number | undefined;
  /** Where the part ends that is being written; `undefined` while none is. */
  #partTo: number | undefined;

  /** The whole is known to hold at least one bad item: it was refused. */
  constructor(items: readonly T[]) {
    this.#items = items;
    this.#badTo = items.length > 0 ? items.length : undefined;
  }

  /** The next part to write, never empty; the same again until its result is told. `undefined` when all is settled. */
  next(): readonly T[] | undefined {
    const from = this.#from;
    if (from === this.#items.length) return undefined;
    this.#partTo = this.#badTo === undefined ? this.#items.length : from + Math.ceil((this.#badTo - from) / 2);
    return this.#items.slice(from, this.#partTo);
  }

  /** The part was committed. */
  written(): void {
    this.#from = this.#settled();
    // Where nothing is left of what was bad together, it was bad only together.
    if (this.#from === this.#badTo) this.#badTo = undefined;
  }

  /** The part was refused. Gives the item if it was all alone: it is settled then, and not to be written again. */
  poisoned(): T | undefined {
    const partTo = this.#settled();
    if (partTo - this.#from > 1) {
      this.#badTo = partTo;
      return undefined;
    }
    const isolated = this.#items[this.#from];
    this.#from = partTo;
    this.#badTo = undefined;
    return isolated;
  }

  #settled(): number {
    const partTo = this.#partTo;
    if (partTo === undefined)
      throw new Error('Bisection: next() gives the part whose result is told, and was not called');
    this.#partTo = undefined;
    return partTo;
  }
}
