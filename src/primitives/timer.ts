import type { SchedulerLike, Subscription } from 'rxjs';

/** Longer timers fire at once in Node: a longer wait is made of several. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** One timer, set as often as needed, for any span, also on a scheduler that runs its work inside of `schedule()`. */
export class Timer {
  readonly #scheduler: SchedulerLike;
  readonly #ring: () => void;
  #timer: Subscription | undefined;
  #isSet = false;

  /** `ring` is called from the scheduler, so what it throws is nobody's: it must not throw. */
  constructor(scheduler: SchedulerLike, ring: () => void) {
    this.#scheduler = scheduler;
    this.#ring = ring;
  }

  get isSet(): boolean {
    return this.#isSet;
  }

  /** Rings once, so many milliseconds from now, and not when it was set for before. */
  set(ms: number): void {
    this.cancel();
    this.#isSet = true;
    this.#wait(ms);
  }

  cancel(): void {
    this.#isSet = false;
    this.#timer?.unsubscribe();
    this.#timer = undefined;
  }

  #wait(ms: number): void {
    const span = Math.min(ms, MAX_TIMER_MS);
    let isOver = false;
    const timer = this.#scheduler.schedule(() => {
      isOver = true;
      this.#timer = undefined;
      if (ms > span) {
        this.#wait(ms - span);
        return;
      }
      this.#isSet = false;
      this.#ring();
    }, span);
    // Over already, it may have been set anew, and that timer is the one to cancel.
    if (!isOver) this.#timer = timer;
  }
}
