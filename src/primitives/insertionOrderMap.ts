/**
 * A map that knows its oldest entry at no cost, where "oldest" is the one that was put the longest ago.
 *
 * A plain `Map` has that order too, but to begin at its front anew each time steps over everything deleted there before.
 */
export class InsertionOrderMap<K, V> {
  readonly #entries = new Map<K, V>();
  /** Everything that it has passed is deleted, but for the front. */
  #iterator = this.#entries.entries();
  #front: [K, V] | undefined;

  get size(): number {
    return this.#entries.size;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /** Adds an entry, or puts one that is there at the end. */
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
      // An iterator that has come to the end once stays there.
      this.#iterator = this.#entries.entries();
      this.#front = this.#iterator.next().value;
    }
    return this.#front;
  }
}
