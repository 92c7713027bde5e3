import type { SchedulerLike } from 'rxjs';
import { Timer } from '../primitives/timer.js';
import { isUnderVirtualTime } from '../primitives/virtualTime.js';
import { Wait } from '../primitives/wait.js';

const MIN_ITEMS_PER_CHECK = 1;
/** Reading the clock costs about as much as emitting an item. */
const MAX_ITEMS_PER_CHECK = 256;
/** A source of fewer items never yields, and even slow items do not add up to much. */
const FIRST_ITEMS_PER_CHECK = 32;
/** How long the items between two readings of the clock should take. */
const CHECK_EVERY_MS = 2;
/** How many nested sources may start before the clock is read again. */
const NESTED_PER_CHECK = 32;

const slices = new WeakMap<SchedulerLike, TimeSlice>();

/**
 * The time that all synchronous sources on one scheduler share before the event loop gets a turn: however many sources
 * there are, it waits for one slice. A source that has used up the slice is queued. One action of the scheduler per turn
 * runs the queued sources, first come, first served, until the next slice is used up.
 */
export class TimeSlice {
  /** The slice that all sources on this scheduler share. */
  static of(scheduler: SchedulerLike): TimeSlice {
    const slice = slices.get(scheduler) ?? new TimeSlice(scheduler);
    slices.set(scheduler, slice);
    return slice;
  }

  readonly scheduler: SchedulerLike;
  /** The source that is running: the innermost, where one source runs inside another. */
  running: SourceTurn | undefined;
  /** How many sources have started inside the outermost running source. */
  nested = 0;
  /** How many slices there have been. */
  turns = 0;
  /** When the latest slice began. */
  since = 0;
  /** The latest `itemsPerCheck` of any source: a new source starts with it. */
  itemsPerCheck = FIRST_ITEMS_PER_CHECK;
  /** How to resume each source, and its `yieldAfterMs`. */
  readonly #queue = new Map<() => void, number>();
  readonly #timer: Timer;
  #isTimerVirtual = false;
  #serving = false;
  #again = false;

  constructor(scheduler: SchedulerLike) {
    this.scheduler = scheduler;
    this.#timer = new Timer(scheduler, () => this.#serve());
  }

  /** How many sources are queued. While any is, the slice is used up for everyone. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Calls `resume` once, in a later slice. Returns how to withdraw, which is harmless afterwards. */
  wait(resume: () => void, yieldAfterMs: number): () => void {
    this.#queue.set(resume, yieldAfterMs);
    if (!this.#serving) this.#setTimer();
    return () => {
      if (this.#queue.delete(resume) && this.#queue.size === 0) this.#timer.cancel();
    };
  }

  #setTimer(): void {
    const isVirtual = isUnderVirtualTime(this.scheduler);
    // A virtual time may have ended, with the test that it belonged to, before the timer fired.
    if (!this.#timer.isSet || isVirtual || this.#isTimerVirtual) this.#timer.set(0);
    this.#isTimerVirtual = isVirtual;
  }

  #serve(): void {
    if (this.#serving) {
      this.#again = true;
      return;
    }
    do {
      this.#again = false;
      this.#serving = true;
      try {
        this.#serveSlice();
      } finally {
        if (this.#queue.size > 0) this.#setTimer();
        this.#serving = false;
      }
    } while (this.#again);
  }

  #serveSlice(): void {
    this.turns += 1;
    this.since = this.scheduler.now();
    // At least one, whatever the clock says.
    let first = true;
    for (const [resume, yieldAfterMs] of this.#queue) {
      if (!first && isOver(this.scheduler.now() - this.since, yieldAfterMs)) return;
      first = false;
      this.#queue.delete(resume);
      resume();
    }
  }
}

/** A negative age means that the clock was set back: how long it has been is unknown. */
const isOver = (ageMs: number, yieldAfterMs: number): boolean => ageMs < 0 || ageMs >= yieldAfterMs;

/** One source's share of the {@link TimeSlice} of its scheduler: says when to yield, and queues the source. */
export class SourceTurn {
  /** Items since the clock was last read. Count here, and ask {@link isOver} once it reaches {@link itemsPerCheck}. */
  items = 0;
  /** How many items to emit between two readings of the clock: fewer when they take long. */
  itemsPerCheck: number;
  readonly #slice: TimeSlice;
  readonly #yieldAfterMs: number;
  readonly #queued = new Wait();
  #since: number | undefined;
  #turn = 0;
  #checkedAt: number | undefined;

  constructor(scheduler: SchedulerLike, yieldAfterMs: number) {
    this.#slice = TimeSlice.of(scheduler);
    this.#yieldAfterMs = yieldAfterMs;
    this.itemsPerCheck = Math.min(FIRST_ITEMS_PER_CHECK, this.#slice.itemsPerCheck);
  }

  /** Whether the slice is used up, so that the source must {@link wait} before it produces anything. */
  get mustWait(): boolean {
    const slice = this.#slice;
    if (slice.waiting > 0) return true;
    const outer = slice.running;
    if (!outer || outer.#since === undefined || ++slice.nested % NESTED_PER_CHECK !== 0) return false;
    return isOver(slice.scheduler.now() - outer.#since, this.#yieldAfterMs);
  }

  /** Queues the source. `resume` runs it without asking {@link mustWait} again. */
  wait(resume: () => void): void {
    this.#queued.begin((serve) => this.#slice.wait(serve, this.#yieldAfterMs), resume);
  }

  /** Leaves the queue. */
  cancel(): void {
    this.#queued.cancel();
  }

  /** Runs the source. Sources that start inside it share its time. */
  run(work: () => void): void {
    const slice = this.#slice;
    const outer = slice.running;
    if (outer) {
      this.#since = outer.#since;
    } else {
      slice.nested = 0;
      if (this.#since === undefined) {
        this.#since = slice.scheduler.now();
      } else if (this.#turn !== slice.turns) {
        // It has yielded, or others have in its place.
        this.#since = slice.since;
        this.#checkedAt = slice.since;
      }
    }
    this.#checkedAt ??= this.#since;
    this.#turn = slice.turns;
    slice.running = this;
    try {
      work();
    } finally {
      slice.running = outer;
    }
  }

  /** Reads the clock: whether the source must yield now. */
  isOver(): boolean {
    const now = this.#slice.scheduler.now();
    const tookMs = now - (this.#checkedAt ?? now);
    this.#checkedAt = now;
    this.items = 0;
    // Down at once, because each late check delays the event loop; up again step by step.
    if (tookMs > CHECK_EVERY_MS) {
      this.itemsPerCheck = Math.max(MIN_ITEMS_PER_CHECK, Math.floor((this.itemsPerCheck * CHECK_EVERY_MS) / tookMs));
    } else if (tookMs < CHECK_EVERY_MS) {
      this.itemsPerCheck = Math.min(MAX_ITEMS_PER_CHECK, this.itemsPerCheck * 2);
    }
    this.#slice.itemsPerCheck = this.itemsPerCheck;
    return isOver(now - (this.#since ?? now), this.#yieldAfterMs);
  }
}
