import type { SchedulerLike, Subscription } from 'rxjs';
import { withAmbient } from '../flow/context.js';
import type { Outlet } from '../flow/gatedSource.js';

export interface PullLoopConfig {
  /** Where the loop resumes after it has yielded, and the clock of {@link PullLoop.sleepUntil}. */
  readonly scheduler: SchedulerLike;
  /** How long the loop may run before it yields to the event loop, in milliseconds. */
  readonly yieldAfterMs: number;
  /**
   * Emits one item, or does one piece of work towards it, and returns true; returns false when there is nothing to do
   * now. What it throws is an error downstream.
   */
  readonly produce: () => boolean;
}

/** How many items between two looks at the clock. */
const ITEMS_PER_CLOCK_CHECK = 32;

/** The longest delay that a timer of Node takes; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Drives a source whose next item is not always at hand: runs while the gate is open and there is something to emit,
 * waits at the gate while it is closed, and rests until {@link wake} when `produce` has nothing.
 *
 * `Outlet.pump` is the faster loop for sources that never have to wait for their next item.
 */
export class PullLoop<T> {
  readonly #outlet: Outlet<T>;
  readonly #scheduler: SchedulerLike;
  readonly #yieldAfterMs: number;
  readonly #produce: () => boolean;
  #state: 'resting' | 'running' | 'held' = 'resting';
  #woken = false;
  #sinceCheck = 0;
  #ranSince: number;
  #pausedMs = 0;
  #scheduled: Subscription | undefined;

  constructor(outlet: Outlet<T>, config: PullLoopConfig) {
    this.#outlet = outlet;
    this.#scheduler = config.scheduler;
    this.#yieldAfterMs = config.yieldAfterMs;
    this.#produce = config.produce;
    this.#ranSince = config.scheduler.now();
  }

  /** The time of the scheduler, standing still while the source waits at the gate. */
  now(): number {
    return this.#scheduler.now() - this.#pausedMs;
  }

  /** There is something to do, or may be. Harmless at any time. */
  wake(): void {
    if (this.#state === 'running') this.#woken = true;
    else if (this.#state === 'resting') this.#run();
  }

  /** Wakes the loop when {@link now} has reached `time`, or somewhat before. */
  sleepUntil(time: number): void {
    this.#scheduled?.unsubscribe();
    const delay = Math.min(Math.max(0, time - this.now()), LONGEST_TIMER_MS);
    this.#scheduled = this.#scheduler.schedule(() => this.wake(), delay);
  }

  /** Ends the loop for good. */
  stop(): void {
    this.#state = 'held';
    this.#scheduled?.unsubscribe();
  }

  #run(): void {
    this.#state = 'running';
    // As in Outlet.pump: what is subscribed in here by accident is not upstream of this pipeline.
    withAmbient(undefined, () => {
      try {
        this.#loop();
      } catch (error) {
        this.#outlet.error(error);
      }
    });
  }

  #loop(): void {
    const outlet = this.#outlet;
    const gate = outlet.context.gate;
    while (!outlet.closed) {
      if (!gate.isOpen) {
        const since = this.#scheduler.now();
        this.#state = 'held';
        outlet.whenOpen(() => {
          this.#pausedMs += this.#scheduler.now() - since;
          this.#run();
        });
        return;
      }
      if (++this.#sinceCheck >= ITEMS_PER_CLOCK_CHECK) {
        this.#sinceCheck = 0;
        if (this.#scheduler.now() - this.#ranSince >= this.#yieldAfterMs) {
          this.#state = 'held';
          this.#scheduled?.unsubscribe();
          this.#scheduled = this.#scheduler.schedule(() => {
            this.#ranSince = this.#scheduler.now();
            this.#run();
          });
          return;
        }
      }
      this.#woken = false;
      if (!this.#produce() && !this.#woken) {
        this.#state = 'resting';
        return;
      }
    }
  }
}
