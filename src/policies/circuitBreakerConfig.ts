import { duration, integer, number, type OptionsOf, unchecked } from '../primitives/options.js';
import type { CallWindowConfig } from './callWindow.js';

export interface CircuitBreakerConfig {
  /**
   * The calls that it judges by: the last `size` (1 to 1,000,000), or those of the last `ms` milliseconds (1 or more), which
   * are counted in ten buckets, so that a call counts for nine to ten tenths of that. Default the last 5.
   */
  readonly window?: CallWindowConfig | undefined;
  /** It does not open before this many calls are in the window. 1 or more; default `size`, or 5 with a time window. */
  readonly minimumCalls?: number | undefined;
  /** It opens when at least this part of the calls failed. Above 0, at most 1, default 1. */
  readonly failureRate?: number | undefined;
  /** A call that took this many milliseconds or longer is slow. 1 or more; default: none is. */
  readonly slowCallMs?: number | undefined;
  /** It opens when at least this part of the calls was slow. Above 0, at most 1, default 1; less requires `slowCallMs`. */
  readonly slowCallRate?: number | undefined;
  /** The longest that it stays open before it lets probes through, in milliseconds. 0 or more, default 60,000. */
  readonly openMs?: number | undefined;
  /**
   * How long it stays open at first, in milliseconds. With each probe that fails it stays open a tenth longer than before, up to
   * `openMs`. From 0 to `openMs`, default 1,000, or `openMs` where that is less.
   */
  readonly firstOpenMs?: number | undefined;
  /** How many probes may be in flight at once while it is half-open. 1 or more, default 1. */
  readonly halfOpenPermits?: number | undefined;
  /** How many probes in a row must succeed to close it. 1 or more, default 1. One that fails or is slow opens it again. */
  readonly halfOpenSuccesses?: number | undefined;
  /**
   * It opens again after it has been half-open for this many milliseconds, so that a probe that never answers does not hold
   * everybody else. 1 or more, or `Infinity` to wait for as long as the probe takes; default 60,000.
   */
  readonly maxHalfOpenMs?: number | undefined;
}

/** All of the calls. */
export const DEFAULT_RATE = 1;

const rate = () => number({ above: 0, max: 1 }).default(DEFAULT_RATE);

/** Their specs. How some of them depend on each other is checked by the breaker. */
export const BREAKER_OPTIONS = {
  // Checked by callWindow(), and against its size.
  window: unchecked(),
  minimumCalls: unchecked(),
  failureRate: rate(),
  slowCallMs: duration({ min: 1 }),
  slowCallRate: rate(),
  openMs: duration().default(60_000),
  firstOpenMs: duration(),
  halfOpenPermits: integer({ min: 1 }).default(1),
  halfOpenSuccesses: integer({ min: 1 }).default(1),
  maxHalfOpenMs: duration({ min: 1 }).or(Number.POSITIVE_INFINITY).default(60_000),
} satisfies OptionsOf<CircuitBreakerConfig>;
