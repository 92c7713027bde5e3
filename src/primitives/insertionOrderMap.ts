/**
 * A map that finds its oldest entry, the one that was put the longest ago, in constant time.
 *
 * A plain `Map` has the same order, but a new iterator each time would step over all entries deleted at its front.
 */
export class InsertionOrderMap<K, V> {
  readonly #entries = new Map<K, V>();
  /** Every entry that it has passed is deleted, except the front. */
  #iterator = this.#entries.entries();
  #front: [K, V] | undefined;

  get size(): number {
    return this.#entries.size;
  }

  /** All entries, oldest first. */
  entries(): IterableIterator<[K, V]> {
    return this.#entries.entries();
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /** Adds an entry, or moves an existing one to the end. */
  put(key: K, value: V): void {
    this.delete(key);
    this.#entries.set(key, value);
  }

  delete(key: K): void {
    this.#entries.delete(key);
    if (this.#front && Object.is(this.#front[0], key)) this.#front = undefined;
  }

  oldest(): readonly [K, V] | undefined {
    this.#front ??= this.#iterator.next().value;
    if (!this.#front && this.#entries.size > 0) {
      // An iterator that has reached the end stays there.
      this.#iterator = this.#entries.entries();
      this.#front = this.#iterator.next().value;
    }
    return this.#front;
  }
}
