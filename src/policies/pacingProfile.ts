import { InsertionOrderMap } from '../primitives/insertionOrderMap.js';
import { MonotonicClock } from '../primitives/monotonicClock.js';
import {
  func,
  integer,
  type Option,
  type OptionsOf,
  type Read,
  readOptions,
  unchecked,
} from '../primitives/options.js';

/** One rule of a profile: in no window of `perMs` may more than `limit` pass. */
export interface PacingWindow<T> {
  /** The most weight in any half-open window of `perMs`. Integer of at least 1. */
  readonly limit: number;
  /** The length of the window in milliseconds. Integer of at least 1. */
  readonly perMs: number;
  /** Whose windows these are: each key has its own. Default: one window for all items. */
  readonly by?: (item: T) => string | number;
  /** What an item weighs in this window. An integer from 0 to `limit`; default 1. */
  readonly weight?: (item: T) => number;
  /** The most keys remembered; with more in use, an item of a new key waits. Integer of at least 1, default 100,000. */
  readonly maxKeys?: number;
}

/** Rules that hold all at once, such as a provider prints them. */
export interface PacingProfile<T> {
  /** At least one. */
  readonly windows: readonly PacingWindow<T>[];
}

/** What an item costs in each window of a profile. */
export type PacingCost = readonly { readonly key: string | number | undefined; readonly weight: number }[];

/**
 * Strict sliding windows: an item passes when every window has room for its weight, and its weight is given back
 * `perMs` after it has passed. The clock is read in whole milliseconds.
 *
 * Memory: for each key in use, one entry a millisecond in which something passed, at most `limit` of them and none older
 * than `perMs`; at most `maxKeys` keys a window.
 */
export class ProfilePacer<T> {
  readonly #windows: readonly SlidingWindow<T>[];
  readonly #time = new MonotonicClock();

  constructor(profile: PacingProfile<T>, owner = 'PacingProfile') {
    const { windows } = readOptions(owner, profile, { windows: unchecked().required() });
    if (!Array.isArray(windows) || windows.length === 0) {
      throw new RangeError(`${owner}: windows must be an array of at least one window, got ${describe(windows)}`);
    }
    this.#windows = windows.map((window, index) => new SlidingWindow(window, `${owner}.windows[${index}]`));
  }

  /** How many keys are remembered, over all windows. */
  get keys(): number {
    return this.#windows.reduce((sum, window) => sum + window.keys, 0);
  }

  /** Asks `by` and `weight` of every window, once. Throws a `RangeError` at a weight that can never pass. */
  price(item: T): PacingCost {
    return this.#windows.map((window) => window.price(item));
  }

  /** Lets pass and returns 0, or changes nothing and returns how many milliseconds it is until that succeeds. */
  take(now: number, cost: PacingCost): number {
    const time = this.#time.at(Math.floor(now));
    let waitMs = 0;
    this.#windows.forEach((window, index) => {
      const { key, weight } = cost[index]!;
      waitMs = Math.max(waitMs, window.waitMs(time, key, weight));
    });
    if (waitMs > 0) return waitMs;
    this.#windows.forEach((window, index) => {
      const { key, weight } = cost[index]!;
      window.add(time, key, weight);
    });
    return 0;
  }

  /** How many milliseconds it is until the windows that all items share have room for a weight of 1. */
  readyInMs(now: number): number {
    const time = this.#time.at(Math.floor(now));
    return Math.max(0, ...this.#windows.map((window) => (window.isShared ? window.waitMs(time, undefined, 1) : 0)));
  }
}

/** What has passed in the last `perMs`, oldest first, for one key. */
interface Passed {
  readonly times: number[];
  readonly weights: number[];
  /** The entries before this one are over. */
  start: number;
  total: number;
}

const WINDOW = {
  limit: integer({ min: 1 }).required(),
  perMs: integer({ min: 1 }).required(),
  by: func(),
  weight: func(),
  maxKeys: integer({ min: 1 }).default(100_000),
} satisfies OptionsOf<PacingWindow<unknown>>;

class SlidingWindow<T> {
  readonly #owner: string;
  readonly #rule: Read<PacingWindow<T>, typeof WINDOW>;
  readonly #weight: Option<number, 'required'>;
  /** In the order of their latest passage, so that those in front are the first to be over. */
  readonly #byKey = new InsertionOrderMap<string | number | undefined, Passed>();

  constructor(window: PacingWindow<T>, owner: string) {
    this.#owner = owner;
    this.#rule = readOptions(owner, window, WINDOW);
    this.#weight = integer({ min: 0, max: this.#rule.limit }).required();
  }

  get isShared(): boolean {
    return this.#rule.by === undefined;
  }

  get keys(): number {
    return this.#byKey.size;
  }

  price(item: T): PacingCost[number] {
    const { by, weight } = this.#rule;
    return { key: by?.(item), weight: weight ? this.#weight.read(this.#owner, 'weight', weight(item)) : 1 };
  }

  waitMs(time: number, key: string | number | undefined, weight: number): number {
    if (weight === 0) return 0;
    this.#forget(time);
    const passed = this.#byKey.get(key);
    if (!passed) return this.#byKey.size < this.#rule.maxKeys ? 0 : this.#untilForgotten(time);
    expire(passed, time - this.#rule.perMs);
    let excess = passed.total + weight - this.#rule.limit;
    if (excess <= 0) return 0;
    let last = passed.start;
    for (excess -= passed.weights[last]!; excess > 0; excess -= passed.weights[last]!) last += 1;
    return passed.times[last]! + this.#rule.perMs - time;
  }

  add(time: number, key: string | number | undefined, weight: number): void {
    if (weight === 0) return;
    const passed = this.#byKey.get(key) ?? { times: [], weights: [], start: 0, total: 0 };
    const latest = passed.times.length - 1;
    if (latest >= passed.start && passed.times[latest] === time) {
      passed.weights[latest]! += weight;
    } else {
      passed.times.push(time);
      passed.weights.push(weight);
    }
    passed.total += weight;
    this.#byKey.put(key, passed);
  }

  #forget(time: number): void {
    for (let oldest = this.#byKey.oldest(); oldest; oldest = this.#byKey.oldest()) {
      const [key, passed] = oldest;
      if (passed.times.at(-1)! > time - this.#rule.perMs) return;
      this.#byKey.delete(key);
    }
  }

  #untilForgotten(time: number): number {
    const [, first] = this.#byKey.oldest()!;
    return first.times.at(-1)! + this.#rule.perMs - time;
  }
}

function expire(passed: Passed, until: number): void {
  while (passed.start < passed.times.length && passed.times[passed.start]! <= until) {
    passed.total -= passed.weights[passed.start]!;
    passed.start += 1;
  }
  // Moved together now and then: an expired entry costs one move in all, not one each time.
  if (passed.start > 32 && passed.start * 2 > passed.times.length) {
    passed.times.splice(0, passed.start);
    passed.weights.splice(0, passed.start);
    passed.start = 0;
  }
}

function describe(value: unknown): string {
  return Array.isArray(value) ? 'an empty array' : typeof value === 'object' ? 'an object' : String(value);
}
