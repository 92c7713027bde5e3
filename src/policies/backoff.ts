import { duration, func, number, type OptionsOf, oneOf, readOptions, reject } from '../primitives/options.js';

/** How waits are spread, so that callers that failed together do not come back together. */
export type Jitter = 'full' | 'equal' | 'decorrelated' | 'none';

/** How long to wait between attempts: what every option of a retry has in common. */
export interface BackoffOptions {
  /** The limit of the first wait, in milliseconds. 0 or more, default 50. With 0 there is no wait. */
  readonly initialMs?: number | undefined;
  /** The longest wait, in milliseconds. At least `initialMs`, default 2,000, or `initialMs` where that is more. */
  readonly maxMs?: number | undefined;
  /** The factor by which the limit grows with each wait. At least 1, default 2, or 3 with jitter `'decorrelated'`. */
  readonly multiplier?: number | undefined;
  /**
   * With the limit `cap` of a wait: `'full'`, from 0 to `cap`; `'equal'`, from half of `cap` to `cap`; `'none'`, `cap`;
   * `'decorrelated'`, from `initialMs` to the last wait times `multiplier`. Default `'full'`.
   */
  readonly jitter?: Jitter | undefined;
}

export interface BackoffConfig extends BackoffOptions {
  /** A number from 0, below 1. */
  readonly random: () => number;
}

/** The spec of the options of {@link BackoffOptions}, for configs that have them among others. */
export const BACKOFF = {
  initialMs: duration().default(50),
  maxMs: duration(),
  // An endless multiplier would make NaN of an initialMs of 0.
  multiplier: number({ min: 1, max: Number.MAX_VALUE }),
  jitter: oneOf(['full', 'equal', 'decorrelated', 'none']).default('full'),
} satisfies OptionsOf<BackoffOptions>;

const OPTIONS = { ...BACKOFF, random: func().required() } satisfies OptionsOf<BackoffConfig>;

/**
 * How long to wait before each new attempt.
 *
 * The limit of the n-th wait, counted from 0, is `min(maxMs, initialMs × multiplierⁿ)`. The kinds of jitter are those of
 * "Exponential Backoff And Jitter" (M. Brooker, AWS Architecture Blog, 2015). No wait is ever `NaN`, below 0 or above
 * `maxMs`, after however many attempts.
 */
export class Backoff {
  readonly #settings: { readonly [K in keyof BackoffConfig]-?: NonNullable<BackoffConfig[K]> };
  /** The limit of the next wait; with decorrelated jitter, the last wait. */
  #reachMs: number;

  constructor(config: BackoffConfig, owner = 'Backoff') {
    const read = readOptions(owner, config, OPTIONS);
    const {
      initialMs,
      jitter,
      maxMs = Math.max(2_000, initialMs),
      multiplier = jitter === 'decorrelated' ? 3 : 2,
    } = read;
    if (maxMs < initialMs) {
      reject(owner, 'maxMs', `a finite number of milliseconds of at least ${initialMs}`, maxMs);
    }
    this.#settings = { ...read, maxMs, multiplier };
    this.#reachMs = initialMs;
  }

  /** How long to wait before the next attempt, in milliseconds, not rounded. */
  nextMs(): number {
    const { initialMs, maxMs, multiplier, jitter } = this.#settings;
    // A product that overflows counts as the largest finite number, and is cut to maxMs.
    const grown = Math.min(Number.MAX_VALUE, this.#reachMs * multiplier);
    if (jitter === 'decorrelated') {
      this.#reachMs = Math.min(maxMs, initialMs + this.#chance() * (grown - initialMs));
      return this.#reachMs;
    }
    const capMs = this.#reachMs;
    this.#reachMs = Math.min(maxMs, grown);
    if (jitter === 'none') return capMs;
    if (jitter === 'full') return this.#chance() * capMs;
    // Halves of the smallest numbers are rounded up.
    return Math.min(capMs, capMs / 2 + (this.#chance() * capMs) / 2);
  }

  /** The next wait is the first again. */
  reset(): void {
    this.#reachMs = this.#settings.initialMs;
  }

  /** A `random` outside its range must not make a timer of `NaN`, which fires immediately. */
  #chance(): number {
    const chance = this.#settings.random();
    return chance >= 0 ? Math.min(chance, 1) : 0;
  }
}
