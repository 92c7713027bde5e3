import { ReplaySubject, type SchedulerLike } from 'rxjs';
import { Drain, type DrainStep, type DrainTiming, type RequestEffect } from '../../policies/drain.js';
import { MonotonicClock } from '../../primitives/monotonicClock.js';
import { Timer } from '../../primitives/timer.js';

export interface DrainControllerConfig extends DrainTiming {
  /** The clock of the deadline. */
  readonly scheduler: SchedulerLike;
  /** Called once when the drain begins, before sources are asked to stop. */
  readonly onDraining?: () => void;
  /** Called once when the time is over and the pipeline has not ended: tear it down. */
  readonly onDeadline: () => void;
}

/**
 * The dead letters' time passes in steps of this length, and a step that is late counts no more for it: while the event loop is
 * busy with something else, no letter can be written either.
 */
const STEP_MS = 25;

/**
 * Runs one {@link Drain} on a scheduler, and gives a pipeline the part of its context that belongs to it: `stopping`, `expired`
 * and `abort`.
 */
export class DrainController {
  readonly machine: Drain;
  /** Fires when the drain begins. */
  readonly stopping = new ReplaySubject<void>(1);
  /** Fires when the drain expires: with the error where a failure alone is why, and otherwise with `undefined`. */
  readonly expired = new ReplaySubject<unknown>(1);
  readonly #config: DrainControllerConfig;
  readonly #timer: Timer;
  readonly #clock = new MonotonicClock();
  /** What is left of the time that the timer was set for, beyond the current step. */
  #leftMs = 0;

  constructor(config: DrainControllerConfig) {
    this.machine = new Drain(config);
    this.#config = config;
    this.#timer = new Timer(config.scheduler, () => this.#stepped());
  }

  /** What a request would do now. */
  get effect(): RequestEffect {
    return this.machine.effectOf(this.#now());
  }

  /** Asks for the end; see {@link Drain.request}. */
  request(): void {
    this.#apply(this.machine.request(this.#now()));
  }

  /** The `abort` of the context: drains, and the pipeline then ends with `error`. */
  readonly abort = (error: unknown): void => this.#apply(this.machine.fail(error, this.#now()), error);

  /** The pipeline is over: no timer is left, and nothing fires any more. */
  close(): void {
    this.#timer.cancel();
    this.machine.end();
  }

  #now(): number {
    return this.#clock.at(this.#config.scheduler.now());
  }

  #wait(ms: number): void {
    const stepMs = this.machine.phase === 'expired' ? Math.min(ms, STEP_MS) : ms;
    this.#leftMs = ms - stepMs;
    this.#timer.set(stepMs);
  }

  #stepped(): void {
    if (this.#leftMs > 0) this.#wait(this.#leftMs);
    else this.#apply(this.machine.elapsed());
  }

  #apply({ entered, timerMs = Number.POSITIVE_INFINITY }: DrainStep, error?: unknown): void {
    // First, so that a pipeline that ends in what follows finds the timer and cancels it.
    if (Number.isFinite(timerMs)) this.#wait(timerMs);
    for (const phase of entered) {
      if (phase === 'ended') {
        this.#timer.cancel();
        this.#config.onDeadline();
      } else if (this.machine.phase === 'ended') {
        return;
      } else if (phase === 'draining') {
        this.#config.onDraining?.();
        this.stopping.next();
        this.stopping.complete();
      } else {
        this.expired.next(error);
      }
    }
  }
}
