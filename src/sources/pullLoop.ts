import type { SchedulerLike, Subscription } from 'rxjs';
import { withFallbackContext } from '../flow/context.js';
import type { Outlet } from '../flow/gatedSource.js';
import { SourceTurn } from '../flow/timeSlice.js';
import { MonotonicClock } from '../primitives/monotonicClock.js';

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

/** Why the loop has come back. */
type RunEnd = 'closed' | 'held' | 'over' | 'resting';

/** The longest delay that a timer of Node takes; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Drives a source whose next item is not always at hand: runs while the gate is open and there is something to emit,
 * waits at the gate while it is closed, and rests until {@link wake} when `produce` has nothing.
 *
 * `Outlet.pump` is the faster loop for sources that never have to wait for their next item.
 */
export class PullLoop<T> {
  readonly #outlet: Outlet<T>;
  readonly #scheduler: SchedulerLike;
  readonly #turn: SourceTurn;
  readonly #time = new MonotonicClock();
  readonly #produce: () => boolean;
  #state: 'resting' | 'running' | 'held' = 'resting';
  #woken = false;
  #pausedMs = 0;
  #scheduled: Subscription | undefined;

  constructor(outlet: Outlet<T>, config: PullLoopConfig) {
    this.#outlet = outlet;
    this.#scheduler = config.scheduler;
    this.#turn = new SourceTurn(config.scheduler, config.yieldAfterMs);
    this.#produce = config.produce;
  }

  /**
   * Milliseconds by the scheduler's clock, counted from the first call. They stand still while the source waits at the
   * gate, and go on from where they are when the clock is set back.
   */
  now(): number {
    return this.#elapsedMs() - this.#pausedMs;
  }

  #elapsedMs(): number {
    return this.#time.at(this.#scheduler.now());
  }

  /** There is something to do, or may be. Harmless at any time. */
  wake(): void {
    if (this.#state === 'running') this.#woken = true;
    else if (this.#state === 'resting') this.#start();
  }

  /** Wakes the loop when {@link now} has reached `time`, or somewhat before. */
  sleepUntil(time: number): void {
    this.#scheduled?.unsubscribe();
    const delay = Math.min(Math.max(0, time - this.now()), MAX_TIMER_MS);
    this.#scheduled = this.#scheduler.schedule(() => this.wake(), delay);
  }

  /** Ends the loop for good. */
  stop(): void {
    this.#state = 'held';
    this.#turn.cancel();
    this.#scheduled?.unsubscribe();
  }

  #start(): void {
    if (this.#turn.mustWait) this.#yield();
    else this.#run();
  }

  #yield(): void {
    this.#state = 'held';
    this.#turn.wait(() => this.#run());
  }

  #run(): void {
    let end: RunEnd = 'closed';
    this.#state = 'running';
    // As in Outlet.pump: what is subscribed in here by accident is not upstream of this pipeline.
    withFallbackContext(undefined, () => {
      this.#turn.run(() => {
        try {
          end = this.#loop();
        } catch (error) {
          this.#outlet.error(error);
        }
      });
    });
    // As there, not before: what follows may resume right here.
    this.#waitFor(end);
  }

  #loop(): RunEnd {
    const outlet = this.#outlet;
    const gate = outlet.context.gate;
    const turn = this.#turn;
    while (!outlet.closed) {
      if (!gate.isOpen) return 'held';
      this.#woken = false;
      const produced = this.#produce();
      if (!produced && !this.#woken) {
        this.#state = 'resting';
        return 'resting';
      }
      if (++turn.items >= turn.itemsPerCheck && turn.isOver() && !outlet.closed) return 'over';
    }
    return 'closed';
  }

  #waitFor(end: RunEnd): void {
    if (end === 'over') this.#yield();
    if (end !== 'held') return;
    const since = this.#elapsedMs();
    this.#state = 'held';
    this.#outlet.whenOpen(() => {
      this.#pausedMs += this.#elapsedMs() - since;
      this.#start();
    });
  }
}
