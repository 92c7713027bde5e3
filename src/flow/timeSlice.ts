import type { SchedulerLike, Subscription } from 'rxjs';

/** Withdraws a wait; harmless once the wait is over. */
type Withdraw = () => void;

interface Waiter {
  readonly resume: () => void;
  readonly yieldAfterMs: number;
}

const MIN_ITEMS_PER_CHECK = 1;
/** A look at the clock costs about as much as an item. */
const MAX_ITEMS_PER_CHECK = 256;
/** Where it begins: a source of fewer items never yields, and slow items do not add up to much. */
const FIRST_ITEMS_A_LOOK = 32;
/** How long the items between two looks may take. */
const CHECK_EVERY_MS = 2;
/** How many sources may be set going inside one another's run between two looks. */
const NESTED_PER_CHECK = 32;

const slices = new WeakMap<SchedulerLike, TimeSlice>();

/**
 * The time that synchronous sources on one scheduler may take together before the event loop turns: however many they
 * are, it waits for one slice. A source that has used it up stands in line, and one action of the scheduler a turn runs
 * those in line, first come, first served, for as long as the next slice lasts.
 */
export class TimeSlice {
  /** The slice that everyone on this scheduler shares. */
  static of(scheduler: SchedulerLike): TimeSlice {
    let slice = slices.get(scheduler);
    if (!slice) {
      slice = new TimeSlice(scheduler);
      slices.set(scheduler, slice);
    }
    return slice;
  }

  /** The source that runs now, the innermost where one has set another going. */
  running: SourceTurn | undefined;
  /** How many sources were set going by the one that runs outermost. */
  nested = 0;
  /** How many slices there have been. */
  turns = 0;
  /** When the latest of them began. */
  since = 0;
  /** How many items to a look the source had that looked last: what those that come to it begin with. */
  itemsPerCheck = FIRST_ITEMS_A_LOOK;
  readonly #scheduler: SchedulerLike;
  readonly #line = new Set<Waiter>();
  #serving = false;
  #again = false;
  #action: Subscription | undefined;

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  now(): number {
    return this.#scheduler.now();
  }

  /** How many stand in line. While somebody does, the slice is used up for everyone. */
  get waiting(): number {
    return this.#line.size;
  }

  /** Calls `resume` once, in a later slice. */
  wait(resume: () => void, yieldAfterMs: number): Withdraw {
    const waiter: Waiter = { resume, yieldAfterMs };
    this.#line.add(waiter);
    if (!this.#serving && !this.#action) this.#arm();
    return () => {
      if (!this.#line.delete(waiter) || this.#line.size > 0) return;
      this.#action?.unsubscribe();
      this.#action = undefined;
    };
  }

  #arm(): void {
    let served = false;
    const action = this.#scheduler.schedule(() => {
      served = true;
      this.#action = undefined;
      this.#serve();
    });
    // Some schedulers run it right here; an action that has run is not one to cancel.
    if (!served) this.#action = action;
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
        if (this.#line.size > 0) this.#arm();
        this.#serving = false;
      }
    } while (this.#again);
  }

  #serveSlice(): void {
    this.turns += 1;
    this.since = this.now();
    // One at least, whatever the clock says.
    let first = true;
    for (const waiter of this.#line) {
      if (!first && isOver(this.now() - this.since, waiter.yieldAfterMs)) return;
      first = false;
      this.#line.delete(waiter);
      waiter.resume();
    }
  }
}

/** An age below 0 is that of a clock which was set back: how long it has been cannot be known. */
const isOver = (ageMs: number, yieldAfterMs: number): boolean => ageMs < 0 || ageMs >= yieldAfterMs;

/** One source's part in the {@link TimeSlice} of its scheduler: says when to yield, and stands in line for it. */
export class SourceTurn {
  /** Items since the last look at the clock. Count here, and ask {@link isOver} when {@link itemsPerCheck} is reached. */
  items = 0;
  /** How many items to the next look: fewer when they take long. */
  itemsPerCheck: number;
  readonly #slice: TimeSlice;
  readonly #yieldAfterMs: number;
  #since: number | undefined;
  #turn = 0;
  #lookedAt: number | undefined;
  #withdraw: Withdraw | undefined;

  constructor(scheduler: SchedulerLike, yieldAfterMs: number) {
    this.#slice = TimeSlice.of(scheduler);
    this.#yieldAfterMs = yieldAfterMs;
    this.itemsPerCheck = Math.min(FIRST_ITEMS_A_LOOK, this.#slice.itemsPerCheck);
  }

  /** Whether the source stands in line. */
  get isWaiting(): boolean {
    return this.#withdraw !== undefined;
  }

  /** Whether the slice is used up already, so that the source must {@link wait} before it produces anything. */
  get mustWait(): boolean {
    const slice = this.#slice;
    if (slice.waiting > 0) return true;
    const outer = slice.running;
    if (!outer || outer.#since === undefined || ++slice.nested % NESTED_PER_CHECK !== 0) return false;
    return isOver(slice.now() - outer.#since, this.#yieldAfterMs);
  }

  /** Stands in line. `resume` runs the source without asking {@link mustWait} again. */
  wait(resume: () => void): void {
    let resumed = false;
    const withdraw = this.#slice.wait(() => {
      resumed = true;
      this.#withdraw = undefined;
      resume();
    }, this.#yieldAfterMs);
    if (!resumed) this.#withdraw = withdraw;
  }

  /** Leaves the line. */
  cancel(): void {
    this.#withdraw?.();
    this.#withdraw = undefined;
  }

  /** Runs the source. What it sets going by that shares its time. */
  run(work: () => void): void {
    const slice = this.#slice;
    const outer = slice.running;
    if (outer) {
      this.#since = outer.#since;
    } else {
      slice.nested = 0;
      if (this.#since === undefined) {
        this.#since = slice.now();
      } else if (this.#turn !== slice.turns) {
        // It has yielded, or others have for it.
        this.#since = slice.since;
        this.#lookedAt = slice.since;
      }
    }
    this.#lookedAt ??= this.#since;
    this.#turn = slice.turns;
    slice.running = this;
    try {
      work();
    } finally {
      slice.running = outer;
    }
  }

  /** Looks at the clock: whether the source must yield now. */
  isOver(): boolean {
    const now = this.#slice.now();
    const tookMs = now - (this.#lookedAt ?? now);
    this.#lookedAt = now;
    this.items = 0;
    // At once down to what the time allows, as each look too late is felt; up again step by step.
    if (tookMs > CHECK_EVERY_MS) {
      this.itemsPerCheck = Math.max(MIN_ITEMS_PER_CHECK, Math.floor((this.itemsPerCheck * CHECK_EVERY_MS) / tookMs));
    } else if (tookMs < CHECK_EVERY_MS) {
      this.itemsPerCheck = Math.min(MAX_ITEMS_PER_CHECK, this.itemsPerCheck * 2);
    }
    this.#slice.itemsPerCheck = this.itemsPerCheck;
    return isOver(now - (this.#since ?? now), this.#yieldAfterMs);
  }
}
