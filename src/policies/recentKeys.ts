import { InsertionOrderMap } from '../primitives/insertionOrderMap.js';
import { MonotonicClock } from '../primitives/monotonicClock.js';

/**
 * Which keys were seen lately. A key is remembered from the first time it is seen, and seeing it again does not prolong that: a
 * key that keeps coming is new once per window.
 *
 * There are no timers: keys expire when another one arrives. Memory: a map entry (key and time) for each of at most `max` keys.
 */
export class RecentKeys {
  readonly #windowMs: number;
  readonly #max: number;
  /** Oldest first, by the time at which they were first seen. */
  readonly #metAt = new InsertionOrderMap<string | number, number>();
  readonly #time = new MonotonicClock();

  /**
   * Remembers at most `max` keys, and forgets the oldest beyond that; each for `windowMs` milliseconds, by default until `max`
   * other keys have come.
   */
  constructor(max: number, windowMs = Number.POSITIVE_INFINITY) {
    this.#windowMs = windowMs;
    this.#max = max;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#metAt.size;
  }

  /** Whether `key` is remembered; if not, it is from now on. */
  isRepeated(key: string | number, now: number): boolean {
    const time = this.#time.at(now);
    for (let oldest = this.#metAt.oldest(); oldest; oldest = this.#metAt.oldest()) {
      if (time - oldest[1] < this.#windowMs) break;
      this.#metAt.delete(oldest[0]);
    }
    if (this.#metAt.has(key)) return true;
    const oldest = this.#metAt.oldest();
    if (oldest && this.#metAt.size >= this.#max) this.#metAt.delete(oldest[0]);
    this.#metAt.put(key, time);
    return false;
  }
}
