/**
 * A first-in, first-out queue of at most `capacity` items that never moves an item.
 *
 * Storage grows by doubling, so a generous capacity costs nothing until it is used. A slot is cleared when its item is taken,
 * so that the item can be collected.
 */
export class Ring<T> {
  readonly capacity: number;
  #slots: (T | undefined)[];
  #mask: number;
  #head = 0;
  #length = 0;

  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`capacity must be a positive integer, got ${capacity}`);
    }
    this.capacity = capacity;
    this.#slots = Array.from({ length: 16 }, () => undefined);
    this.#mask = 15;
  }

  get length(): number {
    return this.#length;
  }

  get isFull(): boolean {
    return this.#length >= this.capacity;
  }

  /** The item at this place, counted from the oldest; `undefined` beyond the newest. */
  at(place: number): T | undefined {
    return place < this.#length ? this.#slots[(this.#head + place) & this.#mask] : undefined;
  }

  /** Adds `item` at the back. Throws `RangeError` when full: ask {@link isFull} first. */
  push(item: T): void {
    if (this.#length >= this.capacity) throw new RangeError(`the ring is full: it holds ${this.capacity} items`);
    if (this.#length > this.#mask) this.#grow();
    this.#slots[(this.#head + this.#length) & this.#mask] = item;
    this.#length += 1;
  }

  /** Puts back the item that {@link shift} has just taken. */
  unshift(item: T): void {
    if (this.#length > this.#mask) this.#grow();
    this.#head = (this.#head - 1) & this.#mask;
    this.#slots[this.#head] = item;
    this.#length += 1;
  }

  /** Takes the oldest item; `undefined` when empty. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & this.#mask;
    this.#length -= 1;
    return item;
  }

  /** Takes up to `max` items at once, oldest first: many times cheaper than one by one. */
  take(max: number): T[] {
    const count = Math.min(max, this.#length);
    const end = this.#head + count;
    const size = this.#slots.length;
    const items = this.#slots.slice(this.#head, end);
    this.#slots.fill(undefined, this.#head, end);
    if (end > size) {
      for (let i = 0; i < end - size; i++) items.push(this.#slots[i]);
      this.#slots.fill(undefined, 0, end - size);
    }
    this.#head = end & this.#mask;
    this.#length -= count;
    return items as T[];
  }

  /** Iterates over the items, oldest first, without taking them. */
  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.#length; i++) yield this.#slots[(this.#head + i) & this.#mask] as T;
  }

  /** Pushes slots rather than allocating the new size: an array with holes, and a slice of it, is slower to read. */
  #grow(): void {
    const size = this.#slots.length * 2;
    const length = this.#length;
    const slots: (T | undefined)[] = this.take(length);
    while (slots.length < size) slots.push(undefined);
    this.#slots = slots;
    this.#mask = size - 1;
    this.#head = 0;
    this.#length = length;
  }
}
