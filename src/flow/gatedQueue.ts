import { Ring } from '../primitives/ring.js';
import { BufferOverflowError } from './errors.js';
import { Gate } from './gate.js';
import type { Bulk, Operation } from './operate.js';

/** `soft` from the high watermark until the low one is reached again, `hard` when full, `ok` otherwise. */
export type Level = 'ok' | 'soft' | 'hard';

export interface GatedQueueConfig<T> {
  /** The most items that may wait. Default {@link MAX_WAITING}. */
  readonly capacity?: number;
  /** The gate closes when so many wait. Default 1. */
  readonly high?: number;
  /** The gate opens again when so few are left. Default 0. */
  readonly low?: number;
  /** Takes an item on its way, or returns false if it cannot now: call {@link GatedQueue.drain} when that changes. */
  readonly offer: (item: T) => boolean;
  /** A shorter way for many at once, taken while it has room. It must not throw. */
  readonly bulk?: Bulk<T> | undefined;
  /**
   * Whether the next item would be taken, whatever it is: the gate is closed while it would not. `offer` calls
   * {@link GatedQueue.regulate} when its answer has become no.
   */
  readonly isReady?: (() => boolean) | undefined;
  /** What `offer` throws while the line is drained; while an item is pushed it is thrown to the caller. */
  readonly fail: (error: unknown) => void;
  /** Told when the level changes. */
  readonly onLevel?: ((level: Level) => void) | undefined;
}

/**
 * How many items wait, at most, in front of a stage that is not a buffer. A source that obeys the gate leaves one at
 * most; this is room for operators that turn one item into several, and for sources in tests that know no gate.
 */
export const MAX_WAITING = 1024;

/**
 * Items in front of a stage that cannot always take one, in order, with the gate that keeps the line short.
 *
 * Nothing waits while the stage can take: an item then goes straight through. The line is drained by a loop and never
 * by recursion, and what arrives meanwhile (the gate, opening, wakes a source) queues behind.
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
  #level: Level = 'ok';
  #busy = false;
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
  }

  get length(): number {
    return this.#ring.length;
  }

  /** Takes the item on its way, or queues it. False if there is no room: the item is the caller's again. */
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
        if (this.#ring.length > 0 || this.#finish) this.drain();
        // What was taken may be done with already, and the gate that `offer` closed is to open again.
        else if (this.#isReady) this.regulate();
        return true;
      }
    }
    if (this.#ring.isFull) return false;
    this.#ring.push(item);
    if (this.#ring.length >= this.#high) this.regulate();
    return true;
  }

  /** Takes the oldest waiting item out of the line, to make room. */
  evict(): T | undefined {
    return this.#ring.shift();
  }

  /** Offers what waits, oldest first, until one is refused; then, at the end of the input, finishes. */
  drain(): void {
    if (this.#busy) return;
    this.#busy = true;
    try {
      let refused = false;
      while (this.#ring.length > 0 && !refused) {
        if (this.#bulk && this.#offerMany(this.#bulk)) continue;
        const item = this.#ring.shift() as T;
        refused = !this.#take(item);
        if (refused) this.#ring.unshift(item);
        else this.#refill();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#busy = false;
    }
    // An empty line opens its gate when it is through, and not before: what a source then sends goes straight on.
    this.regulate();
    this.#finishIfEmpty();
  }

  /** Opens the gate of a line that is getting short while it is still being drained: a source fills it up behind. */
  #refill(): void {
    const length = this.#ring.length;
    if ((length > 0 && length <= this.#low) || this.#level === 'hard') this.regulate();
  }

  /** False if what waits must go one by one. */
  #offerMany(bulk: Bulk<T>): boolean {
    const room = this.#level === 'hard' ? 0 : bulk.room();
    if (room === 0) return false;
    // At the low watermark the gate opens, and that is to happen before the items behind it are on their way.
    const aboveLow = this.#ring.length - this.#low;
    bulk.next(this.#ring.take(aboveLow > 0 ? Math.min(room, aboveLow) : room));
    this.#refill();
    return true;
  }

  /** The input has ended: calls `finish` once nothing waits any more. */
  end(finish: () => void): void {
    if (this.#finish) return;
    this.#finish = finish;
    this.#finishIfEmpty();
  }

  /** Opens or closes the gate, as the length of the line and the readiness of the stage have it. */
  regulate(): void {
    const length = this.#ring.length;
    if (length >= this.#high) {
      this.#tell(length >= this.capacity ? 'hard' : 'soft');
      this.gate.close();
    } else if (this.#isReady && !this.#isReady()) {
      this.gate.close();
    } else if (length <= this.#low) {
      this.#tell('ok');
      this.gate.open();
    } else if (this.#level === 'hard') {
      this.#tell('soft');
    }
  }

  /** An item that `offer` throws at stays in the line, so that the account of a stage that fails by it is right. */
  #take(item: T): boolean {
    try {
      return this.#offer(item);
    } catch (error) {
      this.#ring.unshift(item);
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

/**
 * Pushes an item, and where there is no room for it lets go of the source, lets what waits pass, and then fails with a
 * {@link BufferOverflowError}: `endWith` is how the stage ends once its line is empty, `weight` how many items are lost
 * with what was pushed. False if there was no room.
 */
export function admit<T>(
  line: GatedQueue<T>,
  item: T,
  { stage, detach, destination }: Pick<Operation<never>, 'stage' | 'detach' | 'destination'>,
  endWith: (finish: () => void) => void = (finish) => line.end(finish),
  weight = 1,
): boolean {
  if (line.push(item)) return true;
  stage.drop('overflow', weight);
  detach();
  const remedy = `What is upstream does not obey its gate: put boundedBuffer() before ${stage.kind}.`;
  endWith(() => destination.error(new BufferOverflowError(stage.name, line.capacity, remedy)));
  return false;
}
