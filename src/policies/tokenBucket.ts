import { integer } from '../primitives/options.js';

const COUNT = integer({ min: 1 }).required();

export interface TokenBucketConfig {
  /** How many tokens come in `perMs`. Integer of at least 1. */
  readonly rate: number;
  /** The span in which `rate` tokens come, in milliseconds. Integer of at least 1. */
  readonly perMs: number;
  /** How many tokens silence can save up. Integer of at least 1, default 1. */
  readonly burst?: number;
}

/**
 * A token bucket in whole numbers, for a clock in whole milliseconds. It starts full.
 *
 * A token costs `perMs` of credit and each millisecond brings `rate` of it, so no fraction is ever rounded and nothing
 * drifts: at 3 per 10 ms there are tokens at 0, 4, 7, 10, 14, 17, 20 ms. For that reason the credit by which a token was early
 * within its millisecond (less than `rate`) is kept even beyond `burst`. Hence, for tokens taken one at a time, no half-open
 * window of `perMs` holds more than `rate + burst − 1`: exactly `rate` with a burst of 1.
 *
 * The algorithm is the leaky bucket as a meter (ITU-T I.371, GCRA) with credit counted up rather than down.
 */
export class TokenBucket {
  readonly #rate: number;
  readonly #perMs: number;
  readonly #burst: number;
  readonly #most: number;
  #credit: number;
  /** Nothing has passed before the first look at the clock. */
  #countedTo = Number.POSITIVE_INFINITY;

  constructor(config: TokenBucketConfig, owner = 'TokenBucket') {
    this.#rate = COUNT.read(owner, 'rate', config.rate);
    this.#perMs = COUNT.read(owner, 'perMs', config.perMs);
    // Credit must stay a safe integer for the arithmetic to be exact.
    const roomiest = Math.max(1, Math.floor((Number.MAX_SAFE_INTEGER - this.#rate) / this.#perMs));
    this.#burst = integer({ min: 1, max: roomiest }).default(1).read(owner, 'burst', config.burst);
    this.#credit = this.#burst * this.#perMs;
    this.#most = this.#credit + this.#rate - 1;
  }

  /**
   * Takes `tokens` and returns 0, or takes nothing and returns in how many milliseconds that will succeed.
   *
   * More than `burst` at a time are taken as soon as the bucket is full, and leave a debt for which the next ones wait.
   */
  take(now: number, tokens = 1): number {
    const waitMs = this.#waitMs(now, tokens);
    if (waitMs === 0) this.#credit -= tokens * this.#perMs;
    return waitMs;
  }

  /** In how many milliseconds there will be a token; 0 if there is one. */
  readyInMs(now: number): number {
    return this.#waitMs(now, 1);
  }

  /**
   * The caller that waited for a token was woken `lateMs` too late. The tokens of that time are credited, even beyond `burst`, for
   * at most one `perMs`: otherwise a busy machine would lower the rate. What is not taken immediately is lost again.
   */
  makeUpFor(lateMs: number, now: number): void {
    this.#count(Math.floor(now), Math.min(lateMs, this.#perMs) * this.#rate);
  }

  #waitMs(now: number, tokens: number): number {
    this.#count(Math.floor(now));
    const missing = Math.min(tokens, this.#burst) * this.#perMs - this.#credit;
    return tokens === 0 ? 0 : Math.max(0, Math.ceil(missing / this.#rate));
  }

  /** A clock that is set back neither brings credit nor takes any. */
  #count(now: number, beyond = 0): void {
    const passed = now - this.#countedTo;
    this.#countedTo = now;
    if (passed > 0) this.#credit = Math.min(this.#most + beyond, this.#credit + passed * this.#rate);
  }
}
