import {
  requireDuration,
  requireFunction,
  requireKnownOptions,
  requireNumber,
  requireOneOf,
} from '../primitives/validate.js';

/** How waits are spread, so that those who failed together do not come back together. */
export type Jitter = 'full' | 'equal' | 'decorrelated' | 'none';

const JITTERS = ['full', 'equal', 'decorrelated', 'none'] as const;

export interface BackoffConfig {
  /** The limit of the first wait, in milliseconds. 0 or more, default 50; 0 never waits. */
  readonly initialMs?: number | undefined;
  /** The longest wait, in milliseconds. At least `initialMs`, default 2,000, or `initialMs` where that is more. */
  readonly maxMs?: number | undefined;
  /** By what the limit grows with each wait. At least 1, default 2; 3 where `jitter` is `'decorrelated'`. */
  readonly multiplier?: number | undefined;
  /**
   * With the limit `cap` of a wait: `'full'`, from 0 to `cap`; `'equal'`, from half of `cap` to `cap`; `'none'`, `cap`;
   * `'decorrelated'`, from `initialMs` to the last wait times `multiplier`. Default `'full'`.
   */
  readonly jitter?: Jitter | undefined;
  /** Chance: a number from 0, below 1. */
  readonly random: () => number;
}

/**
 * How long to wait before each new attempt.
 *
 * The limit of the n-th wait, counted from 0, is `min(maxMs, initialMs × multiplierⁿ)`. The kinds of jitter are those of
 * "Exponential Backoff And Jitter" (M. Brooker, AWS Architecture Blog, 2015). No wait is ever `NaN`, below 0 or above
 * `maxMs`, after however many attempts.
 */
export class Backoff {
  readonly #initialMs: number;
  readonly #maxMs: number;
  readonly #multiplier: number;
  readonly #jitter: Jitter;
  readonly #random: () => number;
  /** The limit of the next wait; with decorrelated jitter, the last wait. */
  #reachMs: number;

  constructor(config: BackoffConfig, owner = 'Backoff') {
    requireKnownOptions(owner, config, ['initialMs', 'maxMs', 'multiplier', 'jitter', 'random']);
    this.#jitter = requireOneOf(owner, 'jitter', config.jitter ?? 'full', JITTERS);
    this.#initialMs = requireDuration(owner, 'initialMs', config.initialMs ?? 50);
    this.#maxMs = requireDuration(owner, 'maxMs', config.maxMs ?? Math.max(2_000, this.#initialMs), this.#initialMs);
    const usual = this.#jitter === 'decorrelated' ? 3 : 2;
    // An endless multiplier would make NaN of an initialMs of 0.
    this.#multiplier = requireNumber(owner, 'multiplier', config.multiplier ?? usual, 1, Number.MAX_VALUE);
    this.#random = requireFunction(owner, 'random', config.random);
    this.#reachMs = this.#initialMs;
  }

  /** How long to wait before the next attempt, in milliseconds, not rounded. */
  nextMs(): number {
    // A product that is no finite number any more is as good as the largest one: it is cut to maxMs all the same.
    const grown = Math.min(Number.MAX_VALUE, this.#reachMs * this.#multiplier);
    if (this.#jitter === 'decorrelated') {
      this.#reachMs = Math.min(this.#maxMs, this.#initialMs + this.#chance() * (grown - this.#initialMs));
      return this.#reachMs;
    }
    const capMs = this.#reachMs;
    this.#reachMs = Math.min(this.#maxMs, grown);
    if (this.#jitter === 'none') return capMs;
    if (this.#jitter === 'full') return this.#chance() * capMs;
    // Halves of the smallest numbers are rounded up.
    return Math.min(capMs, capMs / 2 + (this.#chance() * capMs) / 2);
  }

  /** The next wait is the first again. */
  reset(): void {
    this.#reachMs = this.#initialMs;
  }

  /** A `random` that leaves its range must not make a timer of `NaN`, which fires at once. */
  #chance(): number {
    const chance = this.#random();
    return chance >= 0 ? Math.min(chance, 1) : 0;
  }
}
