import { duration, integer, oneOf, readOptions } from '../primitives/options.js';

/** Which calls a breaker judges by: the last `size`, or those of the last `ms` milliseconds. */
export type CallWindowConfig =
  | { readonly kind: 'count'; readonly size: number }
  | { readonly kind: 'time'; readonly ms: number };

const KIND = { kind: oneOf(['count', 'time']).required() };
const COUNT = { ...KIND, size: integer({ min: 1, max: 1_000_000 }).required() };
const TIME = { ...KIND, ms: duration({ min: 1 }).required() };

/** The calls that a breaker judges by: how many there were lately, and how many of them failed or were slow. */
export interface CallWindow {
  /** The most calls that it holds; `Infinity` if any number. */
  readonly size: number;
  readonly calls: number;
  readonly failures: number;
  readonly slowCalls: number;
  /** `time` never goes back. */
  record(hasFailed: boolean, wasSlow: boolean, time: number): void;
  clear(): void;
}

export function callWindow(owner: string, config: CallWindowConfig): CallWindow {
  return config?.kind === 'time'
    ? new TimeWindow(readOptions(owner, config, TIME).ms)
    : new CountWindow(readOptions(owner, config, COUNT).size);
}

const FAILED = 1;
const SLOW = 2;

/** The last `size` calls, in a byte each. */
export class CountWindow implements CallWindow {
  readonly size: number;
  calls = 0;
  failures = 0;
  slowCalls = 0;
  readonly #outcomes: Uint8Array;
  #next = 0;

  constructor(size: number) {
    this.size = size;
    this.#outcomes = new Uint8Array(size);
  }

  record(hasFailed: boolean, wasSlow: boolean): void {
    const outcomes = this.#outcomes;
    const at = this.#next;
    if (this.calls < outcomes.length) {
      this.calls += 1;
    } else {
      const oldest = outcomes[at]!;
      if (oldest & FAILED) this.failures -= 1;
      if (oldest & SLOW) this.slowCalls -= 1;
    }
    outcomes[at] = (hasFailed ? FAILED : 0) | (wasSlow ? SLOW : 0);
    if (hasFailed) this.failures += 1;
    if (wasSlow) this.slowCalls += 1;
    this.#next = at + 1 === outcomes.length ? 0 : at + 1;
  }

  clear(): void {
    this.calls = 0;
    this.failures = 0;
    this.slowCalls = 0;
    this.#next = 0;
  }
}

export const BUCKETS = 10;

/**
 * The calls of the last `ms` milliseconds, summed in ten buckets of a tenth of that, so that memory does not grow with the
 * rate. Whole buckets expire: a call counts for at least nine tenths of `ms`, and for less than all of it.
 */
export class TimeWindow implements CallWindow {
  readonly size = Number.POSITIVE_INFINITY;
  calls = 0;
  failures = 0;
  slowCalls = 0;
  readonly #bucketMs: number;
  readonly #calls = new Float64Array(BUCKETS);
  readonly #failures = new Float64Array(BUCKETS);
  readonly #slowCalls = new Float64Array(BUCKETS);
  /** The number of the bucket that is filled now, counted since time 0. */
  #newest = 0;

  constructor(ms: number) {
    this.#bucketMs = ms / BUCKETS;
  }

  record(hasFailed: boolean, wasSlow: boolean, time: number): void {
    this.#forgetUntil(Math.floor(time / this.#bucketMs));
    const at = this.#newest % BUCKETS;
    this.calls += 1;
    this.#calls[at]! += 1;
    if (hasFailed) {
      this.failures += 1;
      this.#failures[at]! += 1;
    }
    if (wasSlow) {
      this.slowCalls += 1;
      this.#slowCalls[at]! += 1;
    }
  }

  clear(): void {
    this.calls = 0;
    this.failures = 0;
    this.slowCalls = 0;
    this.#calls.fill(0);
    this.#failures.fill(0);
    this.#slowCalls.fill(0);
  }

  #forgetUntil(newest: number): void {
    if (newest - this.#newest >= BUCKETS) this.clear();
    else {
      for (let bucket = this.#newest + 1; bucket <= newest; bucket++) {
        const at = bucket % BUCKETS;
        this.calls -= this.#calls[at]!;
        this.failures -= this.#failures[at]!;
        this.slowCalls -= this.#slowCalls[at]!;
        this.#calls[at] = 0;
        this.#failures[at] = 0;
        this.#slowCalls[at] = 0;
      }
    }
    this.#newest = newest;
  }
}
