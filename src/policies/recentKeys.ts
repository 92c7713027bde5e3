import { SteadyTime } from './steadyTime.js';

export interface RecentKeysConfig {
  /** How long a key is remembered, in milliseconds. Default: until `max` others have come. */
  readonly windowMs?: number | undefined;
  /** The most keys remembered; beyond it the oldest is forgotten. */
  readonly max: number;
}

/**
 * Which keys were met lately. A key is remembered from the first time it is met, and meeting it again does not prolong
 * that: a key that comes without end is new once a window.
 *
 * Without timers: a key is found to be over when another arrives. Memory: a map entry (key and time) for each of at most
 * `max` keys.
 */
export class RecentKeys {
  readonly #windowMs: number;
  readonly #max: number;
  /** Oldest first, by the time at which they were first met. */
  readonly #metAt = new Map<string | number, number>();
  readonly #time = new SteadyTime();

  constructor({ windowMs = Number.POSITIVE_INFINITY, max }: RecentKeysConfig) {
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
    for (const [oldest, metAt] of this.#metAt) {
      if (time - metAt < this.#windowMs) break;
      this.#metAt.delete(oldest);
    }
    if (this.#metAt.has(key)) return true;
    if (this.#metAt.size >= this.#max) {
      for (const oldest of this.#metAt.keys()) {
        this.#metAt.delete(oldest);
        break;
      }
    }
    this.#metAt.set(key, time);
    return false;
  }
}
