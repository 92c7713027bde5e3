import { ReplaySubject, type SchedulerLike } from 'rxjs';
import { Drain, type DrainStep, type DrainTiming } from '../../policies/drain.js';
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

  constructor(config: DrainControllerConfig) {
    this.machine = new Drain(config);
    this.#config = config;
    this.#timer = new Timer(config.scheduler, () => this.#apply(this.machine.elapsed()));
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

  #apply({ entered, timerMs = Number.POSITIVE_INFINITY }: DrainStep, error?: unknown): void {
    // First, so that a pipeline that ends in what follows finds the timer and cancels it.
    if (Number.isFinite(timerMs)) this.#timer.set(timerMs);
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
