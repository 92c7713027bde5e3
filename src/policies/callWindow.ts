import { duration, integer, oneOf, readOptions } from '../primitives/options.js';

/** Which calls a breaker judges by: the last `size`, or those of the last `ms` milliseconds. */
export type CallWindowConfig =
  | { readonly kind: 'count'; readonly size: number }
  | { readonly kind: 'time'; readonly ms: number };

const KIND = { kind: oneOf(['count', 'time']).required() };
const COUNT = { ...KIND, size: integer({ min: 1, max: 1_000_000 }).required() };
const TIME = { ...KIND, ms: duration({ min: 1 }).required() };

/** How many calls there were, and how many of them failed or were slow. */
class CallCounts {
  calls = 0;
  failures = 0;
  slowCalls = 0;

  add(calls: number, failures: number, slowCalls: number): void {
    this.calls += calls;
    this.failures += failures;
    this.slowCalls += slowCalls;
  }

  clear(): void {
    this.add(-this.calls, -this.failures, -this.slowCalls);
  }
}

/**
 * The calls that a breaker judges by: at most `size` of them, which is `Infinity` if it holds any number. The time of a record
 * never goes back.
 */
export type CallWindow = CountWindow | TimeWindow;

export function callWindow(owner: string, config: CallWindowConfig): CallWindow {
  return config?.kind === 'time'
    ? new TimeWindow(readOptions(owner, config, TIME).ms)
    : new CountWindow(readOptions(owner, config, COUNT).size);
}

const FAILED = 1;
const SLOW = 2;

/** The last `size` calls, in a byte each. */
export class CountWindow extends CallCounts {
  readonly size: number;
  readonly #results: Uint8Array;
  #next = 0;

  constructor(size: number) {
    super();
    this.size = size;
    this.#results = new Uint8Array(size);
  }

  record(hasFailed: boolean, wasSlow: boolean): void {
    const { size } = this;
    if (this.calls === size) this.#count(this.#results[this.#next]!, -1);
    const result = (hasFailed ? FAILED : 0) | (wasSlow ? SLOW : 0);
    this.#results[this.#next] = result;
    this.#count(result, 1);
    this.#next = (this.#next + 1) % size;
  }

  override clear(): void {
    super.clear();
    this.#next = 0;
  }

  #count(result: number, by: number): void {
    this.add(by, result & FAILED ? by : 0, result & SLOW ? by : 0);
  }
}

export const BUCKETS = 10;

/**
 * The calls of the last `ms` milliseconds, summed in ten buckets of a tenth of that, so that memory does not grow with the
 * rate. Whole buckets expire: a call counts for at least nine tenths of `ms`, and for less than all of it.
 */
export class TimeWindow extends CallCounts {
  readonly size = Number.POSITIVE_INFINITY;
  readonly #bucketMs: number;
  readonly #buckets = Array.from({ length: BUCKETS }, () => new CallCounts());
  /** The number of the current bucket, counted since time 0. */
  #newest = 0;

  constructor(ms: number) {
    super();
    this.#bucketMs = ms / BUCKETS;
  }

  record(hasFailed: boolean, wasSlow: boolean, time: number): void {
    this.#forgetUntil(Math.floor(time / this.#bucketMs));
    for (const counts of [this, this.#bucket(this.#newest)]) counts.add(1, Number(hasFailed), Number(wasSlow));
  }

  override clear(): void {
    super.clear();
    for (const bucket of this.#buckets) bucket.clear();
  }

  #forgetUntil(newest: number): void {
    for (let number = Math.max(this.#newest, newest - BUCKETS) + 1; number <= newest; number++) {
      const { calls, failures, slowCalls } = this.#bucket(number);
      this.add(-calls, -failures, -slowCalls);
      this.#bucket(number).clear();
    }
    this.#newest = newest;
  }

  #bucket(number: number): CallCounts {
    return this.#buckets[number % BUCKETS]!;
  }
}
