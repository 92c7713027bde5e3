import type { SchedulerLike } from 'rxjs';
import { Wait } from './wait.js';

/** The longest delay a Node timer accepts: a longer one fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** One timer, set as often as needed, for any span, including on a scheduler that runs its work inside `schedule()`. */
export class Timer {
  readonly #scheduler: SchedulerLike;
  readonly #fire: () => void;
  readonly #wait = new Wait();
  #isSet = false;

  /** `fire` is called by the scheduler, which has nowhere to report an error: it must not throw. */
  constructor(scheduler: SchedulerLike, fire: () => void) {
    this.#scheduler = scheduler;
    this.#fire = fire;
  }

  get isSet(): boolean {
    return this.#isSet;
  }

  /** Fires once, `ms` from now, and no longer when it was set for before. */
  set(ms: number): void {
    this.#isSet = true;
    const spanMs = Math.min(ms, MAX_TIMER_MS);
    this.#wait.begin(
      (resume) => {
        const action = this.#scheduler.schedule(resume, spanMs);
        return () => action.unsubscribe();
      },
      () => {
        if (ms > spanMs) {
          this.set(ms - spanMs);
          return;
        }
        this.#isSet = false;
        this.#fire();
      },
    );
  }

  cancel(): void {
    this.#isSet = false;
    this.#wait.cancel();
  }
}
