import { InsertionOrderMap } from '../primitives/insertionOrderMap.js';
import { MonotonicClock } from '../primitives/monotonicClock.js';
import { func, integer, listOf, type OptionsOf, type Read, readOptions, unchecked } from '../primitives/options.js';
import { Ring } from '../primitives/ring.js';

/** One rule of a profile: no more than `limit` may pass in any window of `perMs`. */
export interface PacingWindow<T> {
  /** The most weight in any half-open window of `perMs`. Integer of at least 1. */
  readonly limit: number;
  /** The length of the window in milliseconds. Integer of at least 1. */
  readonly perMs: number;
  /** The key of an item: each key has a window of its own. Default: one window for all items. */
  readonly by?: (item: T) => string | number;
  /** What an item weighs in this window. An integer from 0 to `limit`; default 1. */
  readonly weight?: (item: T) => number;
  /** The most keys remembered. With more in use, an item of a new key waits. Integer of at least 1, default 100,000. */
  readonly maxKeys?: number;
}

/** Rules that hold at the same time, as a provider prints them. */
export interface PacingProfile<T> {
  /** At least one, unless `maxOpen` is given. */
  readonly windows: readonly PacingWindow<T>[];
  /** The most items that may be open at a time: each from its passage until it is given back. Integer of at least 1; default: any number. */
  readonly maxOpen?: number;
  /** Which items count as open. Default: all. */
  readonly opens?: (item: T) => boolean;
}

const WINDOW = {
  limit: integer({ min: 1 }).required(),
  perMs: integer({ min: 1 }).required(),
  by: func(),
  weight: func(),
  maxKeys: integer({ min: 1 }).default(100_000),
} satisfies OptionsOf<PacingWindow<unknown>>;

const PROFILE = {
  // Its length is checked below.
  windows: listOf(unchecked(), { min: 0 }).required(),
  maxOpen: integer({ min: 1 }),
  opens: func(),
} satisfies OptionsOf<PacingProfile<unknown>>;
const SOME_WINDOWS = listOf(unchecked(), { min: 1 }).required();

/** What an item costs in a window, and in which. */
export interface WindowCost {
  readonly window: CostWindow;
  readonly key: string | number | undefined;
  readonly weight: number;
}

/** A window, as far as a cost has to do with it. Times are those of {@link ProfilePacer.timeAt}. */
interface CostWindow {
  /** Whether all items share it, rather than those of one key. */
  readonly isShared: boolean;
  /** In how many milliseconds there will be room. */
  waitMs(time: number, key: string | number | undefined, weight: number): number;
  add(time: number, key: string | number | undefined, weight: number): void;
  /** Counts something for an unknown time: until it is settled. */
  begin(key: string | number | undefined, weight: number): void;
  /** What was begun counts as of now. */
  settle(time: number, key: string | number | undefined, weight: number): void;
}

/** What an item costs: in each window, and whether it counts as open. */
export interface PacingCost {
  readonly windows: readonly WindowCost[];
  readonly isOpening: boolean;
}

/**
 * Strict sliding windows: an item passes when every window has room for its weight, which is given back `perMs` later, and when
 * fewer than `maxOpen` are open. The clock is read in whole milliseconds.
 *
 * Memory: for each key in use, one entry per millisecond in which something passed, at most `limit` of them and none older than
 * `perMs`; at most `maxKeys` keys per window.
 */
export class ProfilePacer<T> {
  readonly #windows: readonly SlidingWindow<T>[];
  readonly #time = new MonotonicClock();
  readonly #maxOpen: number;
  readonly #opens: ((item: T) => boolean) | undefined;
  #open = 0;

  constructor(profile: PacingProfile<T>, owner = 'PacingProfile') {
    if (profile?.maxOpen === undefined) SOME_WINDOWS.read(owner, 'windows', profile?.windows);
    const { windows, maxOpen, opens } = readOptions(owner, profile, PROFILE);
    this.#maxOpen = maxOpen ?? Number.POSITIVE_INFINITY;
    this.#opens = opens as ((item: T) => boolean) | undefined;
    this.#windows = windows.map((window, index) => {
      const name = `${owner}: windows[${index}]`;
      return new SlidingWindow<T>(readOptions<PacingWindow<T>, typeof WINDOW>(name, window, WINDOW), name);
    });
  }

  /** How many keys are remembered, over all windows. */
  get keys(): number {
    return this.#windows.reduce((sum, window) => sum + window.keys, 0);
  }

  /** How many items are open. */
  get open(): number {
    return this.#open;
  }

  /** Whether as many items are open as may be. */
  get isFull(): boolean {
    return this.#open >= this.#maxOpen;
  }

  /** The elapsed time by which the windows count, in whole milliseconds. It stands still when the clock is set back. */
  timeAt(now: number): number {
    return this.#time.at(Math.floor(now));
  }

  /** Calls `by` and `weight` of every window, and `opens`, once. Throws a `RangeError` at a weight that can never pass. */
  price(item: T): PacingCost {
    const isOpening = this.#maxOpen < Number.POSITIVE_INFINITY && (this.#opens?.(item) ?? true);
    return { windows: this.#windows.map((window) => window.price(item)), isOpening };
  }

  /**
   * Lets the item pass and returns 0, or changes nothing and returns in how many milliseconds that will succeed: `Infinity` where
   * something must be given back first.
   */
  take(now: number, cost: PacingCost): number {
    const time = this.timeAt(now);
    let waitMs = cost.isOpening && this.isFull ? Number.POSITIVE_INFINITY : 0;
    for (const { window, key, weight } of cost.windows) waitMs = Math.max(waitMs, window.waitMs(time, key, weight));
    if (waitMs === 0) this.add(time, cost);
    return waitMs;
  }

  /** Counts an item as passed, whether there is room or not. */
  add(time: number, cost: PacingCost): void {
    for (const { window, key, weight } of cost.windows) window.add(time, key, weight);
    if (cost.isOpening) this.#open += 1;
  }

  /** Counts an item that passes and may reach the vendor at any time from now on: it counts until it is settled, and `perMs` longer. */
  begin(cost: PacingCost): void {
    for (const { window, key, weight } of cost.windows) window.begin(key, weight);
    if (cost.isOpening) this.#open += 1;
  }

  /** An item that was begun has reached the vendor by now. Call it once for each. */
  settle(time: number, cost: PacingCost): void {
    for (const { window, key, weight } of cost.windows) window.settle(time, key, weight);
  }

  /** An item that has passed is over. Call it once for each. */
  giveBack(cost: PacingCost): void {
    if (cost.isOpening) this.#open -= 1;
  }

  /** In how many milliseconds the windows that all items share will have room for a weight of 1. */
  readyInMs(now: number): number {
    const time = this.timeAt(now);
    let waitMs = 0;
    for (const window of this.#windows)
      if (window.isShared) waitMs = Math.max(waitMs, window.waitMs(time, undefined, 1));
    return waitMs;
  }
}

interface Entry {
  readonly time: number;
  weight: number;
}

/** What has passed in the last `perMs`, for one key. */
interface Passed {
  /** Oldest first. Bounded because all that does not expire has passed in the last `perMs`. */
  readonly entries: Ring<Entry>;
  latest: Entry | undefined;
  /** With what is pending. */
  total: number;
  /** What was begun and not settled. */
  pending: number;
}

class SlidingWindow<T> implements CostWindow {
  readonly #owner: string;
  readonly #window: Read<PacingWindow<T>, typeof WINDOW>;
  readonly #weight: typeof WINDOW.limit;
  /** In the order in which something last passed, so that those in front are the first to expire. */
  readonly #byKey = new InsertionOrderMap<string | number | undefined, Passed>();

  constructor(window: Read<PacingWindow<T>, typeof WINDOW>, owner: string) {
    this.#owner = owner;
    this.#window = window;
    this.#weight = integer({ min: 0, max: window.limit }).required();
  }

  get isShared(): boolean {
    return this.#window.by === undefined;
  }

  get keys(): number {
    return this.#byKey.size;
  }

  price(item: T): WindowCost {
    const { by, weight } = this.#window;
    return {
      window: this,
      key: by?.(item),
      weight: weight ? this.#weight.read(this.#owner, 'weight', weight(item)) : 1,
    };
  }

  waitMs(time: number, key: string | number | undefined, weight: number): number {
    if (weight === 0) return 0;
    this.#forget(time);
    const passed = this.#byKey.get(key);
    if (!passed) return this.#byKey.size < this.#window.maxKeys ? 0 : this.#untilForgotten(time);
    expire(passed, time - this.#window.perMs);
    let excess = passed.total + weight - this.#window.limit;
    if (excess <= 0) return 0;
    let last: Entry | undefined;
    for (let at = 0; excess > 0; at += 1) {
      last = passed.entries.at(at);
      // The rest is pending.
      if (!last) return Number.POSITIVE_INFINITY;
      excess -= last.weight;
    }
    return last!.time + this.#window.perMs - time;
  }

  add(time: number, key: string | number | undefined, weight: number): void {
    if (weight === 0) return;
    const passed = this.#passedOf(key);
    if (passed.latest?.time === time) {
      passed.latest.weight += weight;
    } else {
      passed.latest = { time, weight };
      passed.entries.push(passed.latest);
    }
    passed.total += weight;
    this.#byKey.put(key, passed);
  }

  begin(key: string | number | undefined, weight: number): void {
    if (weight === 0) return;
    const passed = this.#passedOf(key);
    passed.total += weight;
    passed.pending += weight;
    this.#byKey.put(key, passed);
  }

  settle(time: number, key: string | number | undefined, weight: number): void {
    if (weight === 0) return;
    const passed = this.#passedOf(key);
    passed.total -= weight;
    passed.pending -= weight;
    this.add(time, key, weight);
  }

  #passedOf(key: string | number | undefined): Passed {
    const passed = this.#byKey.get(key);
    return passed ?? { entries: new Ring(Number.MAX_SAFE_INTEGER), latest: undefined, total: 0, pending: 0 };
  }

  #forget(time: number): void {
    for (let oldest = this.#byKey.oldest(); oldest; oldest = this.#byKey.oldest()) {
      const [key, passed] = oldest;
      if (this.#endsAt(passed) > time) return;
      this.#byKey.delete(key);
    }
  }

  #untilForgotten(time: number): number {
    const [, first] = this.#byKey.oldest()!;
    return this.#endsAt(first) - time;
  }

  /** When nothing of it counts any more. */
  #endsAt({ latest, pending }: Passed): number {
    return pending > 0 || !latest ? Number.POSITIVE_INFINITY : latest.time + this.#window.perMs;
  }
}

function expire(passed: Passed, until: number): void {
  for (let first = passed.entries.at(0); first && first.time <= until; first = passed.entries.at(0)) {
    passed.total -= first.weight;
    passed.entries.shift();
  }
}
