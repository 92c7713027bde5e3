import { Ring } from '../primitives/ring.js';
import { Gate } from './gate.js';
import type { Bulk } from './operate.js';
import { type Weigh, weightOfAll } from './unit.js';

/** `soft` from the high watermark until the low one is reached again, `hard` when full, `ok` otherwise. */
export type Level = 'ok' | 'soft' | 'hard';

export interface GatedQueueConfig<T> {
  /** The most values that may wait. Default {@link MAX_WAITING}. */
  readonly capacity?: number | undefined;
  /** The gate closes when this many wait. Default 1. */
  readonly high?: number | undefined;
  /** The gate opens again when no more than this many are left. Default 0. */
  readonly low?: number | undefined;
  /** Takes an item on its way, or returns false if it cannot now: call {@link GatedQueue.flush} when that changes. */
  readonly offer: (item: T) => boolean;
  /** A faster way for many at once, used while it has room. It must not throw. */
  readonly bulk?: Bulk<T> | undefined;
  /**
   * Whether the next item would be taken, whatever it is: the gate is closed while it would not. `offer` calls
   * {@link GatedQueue.regulate} when the answer has become no.
   */
  readonly isReady?: (() => boolean) | undefined;
  /**
   * Receives what any of these functions throws during a flush, and what the end does that a flush has reached. While an item is
   * pushed it is thrown to the caller.
   */
  readonly fail: (error: unknown) => void;
  /** Called with an item that was being offered when the queue was stopped, once `offer` has returned or thrown. */
  readonly onLate?: ((item: T) => void) | undefined;
  /** Called when the level changes. */
  readonly onLevel?: ((level: Level) => void) | undefined;
}

/**
 * The most values that wait in front of a stage that is not a buffer. A source that obeys the gate leaves one at most; this
 * is room for operators that turn one item into several, and for sources that know no gate.
 */
export const MAX_WAITING = 1024;

/**
 * Items in front of a stage that cannot always take one, in order, with the gate that keeps the queue short.
 *
 * Nothing waits while the stage can take: an item then goes straight through. The queue is flushed by a loop and never by
 * recursion, and what arrives meanwhile (the gate, opening, wakes a source) queues behind.
 */
export class GatedQueue<T> {
  readonly gate = new Gate();
  readonly capacity: number;
  readonly #ring: Ring<T>;
  readonly #high: number;
  readonly #low: number;
  readonly #offer: (item: T) => boolean;
  readonly #bulk: Bulk<T> | undefined;
  readonly #isReady: (() => boolean) | undefined;
  readonly #fail: (error: unknown) => void;
  readonly #onLevel: ((level: Level) => void) | undefined;
  readonly #onLate: ((item: T) => void) | undefined;
  #level: Level = 'ok';
  #busy = false;
  #isStopped = false;
  #hasEnded = false;
  #finish: (() => void) | undefined;

  constructor(config: GatedQueueConfig<T>) {
    this.capacity = config.capacity ?? MAX_WAITING;
    this.#ring = new Ring(this.capacity);
    this.#high = config.high ?? 1;
    this.#low = config.low ?? 0;
    this.#offer = config.offer;
    this.#bulk = config.bulk;
    this.#isReady = config.isReady;
    this.#fail = config.fail;
    this.#onLevel = config.onLevel;
    this.#onLate = config.onLate;
  }

  get length(): number {
    return this.#ring.length;
  }

  /** Takes the item on its way, or queues it. False if there is no room: the item is then the caller's. */
  push(item: T): boolean {
    if (!this.#busy && this.#ring.length === 0) {
      this.#busy = true;
      let taken: boolean;
      try {
        taken = this.#take(item);
      } finally {
        this.#busy = false;
      }
      if (taken) {
        if (this.#ring.length > 0 || this.#finish) {
          if (this.#isStopped) this.#onLate?.(item);
          else this.flush();
        }
        // The item may already be finished, so reopen the gate that `offer` closed.
        else if (this.#isReady) this.regulate();
        return true;
      }
      if (this.#isStopped) this.#onLate?.(item);
    }
    if (this.#ring.isFull) return false;
    this.#ring.push(item);
    if (this.#ring.length >= this.#high) this.regulate();
    return true;
  }

  /** Takes the oldest waiting item out of the queue, to make room. */
  evict(): T | undefined {
    return this.#ring.shift();
  }

  /** Offers what waits, oldest first, until one is refused; then, at the end of the input, finishes. */
  flush(): void {
    if (this.#busy || this.#isStopped) return;
    this.#busy = true;
    try {
      let refused = false;
      while (this.#ring.length > 0 && !refused && !this.#isStopped) {
        if (this.#bulk && this.#offerMany(this.#bulk)) continue;
        const item = this.#ring.shift() as T;
        refused = !this.#take(item);
        if (refused) this.#ring.unshift(item);
        if (this.#isStopped) this.#onLate?.(item);
        else if (!refused) this.#refill();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#busy = false;
    }
    if (this.#isStopped) return;
    try {
      // An empty queue opens its gate only when it is through, so that what a source then sends goes straight on.
      this.regulate();
      this.#finishIfEmpty();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Opens the gate of a queue that is getting short while it is still being flushed: a source fills it up behind. */
  #refill(): void {
    const length = this.#ring.length;
    if ((length > 0 && length <= this.#low) || this.#level === 'hard') this.regulate();
  }

  /** False if what waits must go one by one. */
  #offerMany(bulk: Bulk<T>): boolean {
    const room = this.#level === 'hard' ? 0 : bulk.room();
    if (room === 0) return false;
    // At the low watermark the gate opens, which must happen before the items behind it are on their way.
    const aboveLow = this.#ring.length - this.#low;
    bulk.next(this.#ring.take(aboveLow > 0 ? Math.min(room, aboveLow) : room));
    this.#refill();
    return true;
  }

  /** How many items wait, where a value may be a batch of them. Nothing is kept for this: it looks at each value. */
  weight(weigh: Weigh | undefined): number {
    return weightOfAll(this.#ring, weigh);
  }

  /** Flushes nothing more, the gate stays as it is, and the end is not reached: what waits stays. */
  stop(): void {
    this.#isStopped = true;
    // Never called. A push asks for an end anyway, so that it need not ask for this too.
    this.#finish = nothing;
  }

  /**
   * The input has ended: calls `finish` once nothing waits any more. The gate stays as it is from here on: a source that has
   * not been unsubscribed yet must not be woken for a queue that takes nothing more.
   */
  end(finish: () => void): void {
    if (this.#finish) return;
    this.#finish = finish;
    this.#hasEnded = true;
    this.#finishIfEmpty();
  }

  /** Opens or closes the gate, according to the length of the queue and the readiness of the stage. */
  regulate(): void {
    const length = this.#ring.length;
    if (length >= this.#high) {
      this.#tell(length >= this.capacity ? 'hard' : 'soft');
      if (!this.#hasEnded) this.gate.close();
    } else if (this.#isReady && !this.#isReady()) {
      if (!this.#hasEnded) this.gate.close();
    } else if (length <= this.#low) {
      this.#tell('ok');
      if (!this.#hasEnded) this.gate.open();
    } else if (this.#level === 'hard') {
      this.#tell('soft');
    }
  }

  /** An item at which `offer` throws stays in the queue, so that the account of the failed stage is right. */
  #take(item: T): boolean {
    try {
      return this.#offer(item);
    } catch (error) {
      this.#ring.unshift(item);
      if (this.#isStopped) this.#onLate?.(item);
      throw error;
    }
  }

  #tell(level: Level): void {
    if (level === this.#level) return;
    this.#level = level;
    this.#onLevel?.(level);
  }

  #finishIfEmpty(): void {
    if (this.#finish && !this.#busy && this.#ring.length === 0) {
      const finish = this.#finish;
      this.#finish = undefined;
      finish();
    }
  }
}

const nothing = () => {};
