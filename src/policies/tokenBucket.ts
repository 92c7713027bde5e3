import { integer, readArgument } from '../primitives/options.js';

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
 * drifts: at 3 per 10 ms tokens are there at 0, 4, 7, 10, 14, 17, 20 ms. What a token was early within its millisecond
 * (less than `rate` of credit) is kept beyond `burst` for that reason. Hence, for tokens taken one at a time: no
 * half-open window of `perMs` holds more than `rate + burst − 1`, exactly `rate` with a burst of 1.
 *
 * The algorithm is the leaky bucket as a meter (ITU-T I.371, GCRA) with credit counted up instead of down.
 */
export class TokenBucket {
  readonly #rate: number;
  readonly #perMs: number;
  readonly #burst: number;
  readonly #most: number;
  #credit: number;
  #countedTo: number | undefined;

  constructor(config: TokenBucketConfig, owner = 'TokenBucket') {
    this.#rate = readArgument(owner, 'rate', config.rate, integer({ min: 1 }));
    this.#perMs = readArgument(owner, 'perMs', config.perMs, integer({ min: 1 }));
    // Credit must stay a safe integer, or the arithmetic is not exact any more.
    const max = Math.max(1, Math.floor((Number.MAX_SAFE_INTEGER - this.#rate) / this.#perMs));
    this.#burst = integer({ min: 1, max }).default(1).read(owner, 'burst', config.burst);
    this.#credit = this.#burst * this.#perMs;
    this.#most = this.#credit + this.#rate - 1;
  }

  /**
   * Takes `tokens` and returns 0, or takes nothing and returns how many milliseconds it is until that succeeds.
   *
   * More than `burst` at once are taken as soon as the bucket is full, and leave a debt that the next ones wait for.
   */
  take(now: number, tokens = 1): number {
    const waitMs = this.#waitMs(now, tokens);
    if (waitMs === 0) this.#credit -= tokens * this.#perMs;
    return waitMs;
  }

  /** How many milliseconds it is until a token is there; 0 if one is. */
  readyInMs(now: number): number {
    return this.#waitMs(now, 1);
  }

  /**
   * Whoever waited for a token was woken `lateMs` too late: what came in that time is credited, beyond `burst` too, for
   * one `perMs` at most. Otherwise a busy machine would lower the rate. What is not taken at once is lost again.
   */
  makeUpFor(lateMs: number, now: number): void {
    this.#count(Math.floor(now), Math.min(lateMs, this.#perMs) * this.#rate);
  }

  #waitMs(now: number, tokens: number): number {
    this.#count(Math.floor(now));
    const missing = Math.min(tokens, this.#burst) * this.#perMs - this.#credit;
    return tokens === 0 || missing <= 0 ? 0 : Math.ceil(missing / this.#rate);
  }

  /** A clock that is set back brings no credit, and takes none. */
  #count(now: number, beyond = 0): void {
    if (this.#countedTo === undefined) this.#countedTo = now;
    const passed = now - this.#countedTo;
    this.#countedTo = now;
    if (passed > 0) this.#credit = Math.min(this.#most + beyond, this.#credit + passed * this.#rate);
  }
}
