import { Observable, type SchedulerLike } from 'rxjs';
import { MonotonicClock } from '../primitives/monotonicClock.js';
import { Timer } from '../primitives/timer.js';

/** Timers are late, by a few letters of a fast pace: these are made up for, and no more than these. */
const MAX_LATE_MS = 20;

/** When items may be sent: evenly spread over time. */
export class ReplayPace {
  readonly #msPerItem: number;
  readonly #scheduler: SchedulerLike;
  readonly #time = new MonotonicClock();
  /** Nothing is sent before this time. */
  #nextAt: number;
  /** Emits after {@link waitMs}. */
  readonly due$ = new Observable<void>((subscriber) => {
    const timer = new Timer(this.#scheduler, () => subscriber.next());
    timer.set(this.waitMs);
    return () => timer.cancel();
  });

  /** 0 milliseconds per item for no pace. */
  constructor(msPerItem: number, scheduler: SchedulerLike) {
    this.#msPerItem = msPerItem;
    this.#scheduler = scheduler;
    this.#nextAt = this.#now();
  }

  /** How long it takes until something may be sent, in milliseconds. */
  get waitMs(): number {
    return Math.max(0, this.#nextAt - this.#now());
  }

  /** Sends nothing for so long. */
  hold(ms: number): void {
    if (ms > 0) this.#nextAt = Math.max(this.#nextAt, this.#now() + ms);
  }

  /** Whether something may be sent now; if so, its items count. */
  take(items: number): boolean {
    if (this.#msPerItem === 0) return true;
    const now = this.#now();
    if (now < this.#nextAt) return false;
    this.#nextAt = Math.max(now - MAX_LATE_MS, this.#nextAt) + items * this.#msPerItem;
    return true;
  }

  #now(): number {
    return this.#time.at(this.#scheduler.now());
  }
}
