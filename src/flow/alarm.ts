import type { SchedulerLike, Subscription } from 'rxjs';

/** Longer timers fire at once in Node: a longer wait is made of several. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** One timer, set as often as needed, for any span, also on a scheduler that runs its work inside of `schedule()`. */
export class Alarm {
  readonly #scheduler: SchedulerLike;
  readonly #ring: () => void;
  #timer: Subscription | undefined;
  /** Which setting is in force; `undefined` where none is. */
  #setting: symbol | undefined;

  /** `ring` is called from the scheduler, so what it throws is nobody's: it must not throw. */
  constructor(scheduler: SchedulerLike, ring: () => void) {
    this.#scheduler = scheduler;
    this.#ring = ring;
  }

  get isSet(): boolean {
    return this.#setting !== undefined;
  }

  /** Rings once, so many milliseconds from now, and not when it was set for before. */
  set(ms: number): void {
    this.cancel();
    const setting = Symbol('setting');
    this.#setting = setting;
    this.#wait(ms, setting);
  }

  cancel(): void {
    this.#setting = undefined;
    this.#timer?.unsubscribe();
    this.#timer = undefined;
  }

  #wait(ms: number, setting: symbol): void {
    const span = Math.min(ms, LONGEST_TIMER_MS);
    let isOver = false;
    const timer = this.#scheduler.schedule(() => {
      isOver = true;
      if (setting !== this.#setting) return;
      this.#timer = undefined;
      if (ms > span) {
        this.#wait(ms - span, setting);
        return;
      }
      this.#setting = undefined;
      this.#ring();
    }, span);
    if (!isOver && setting === this.#setting) this.#timer = timer;
  }
}
