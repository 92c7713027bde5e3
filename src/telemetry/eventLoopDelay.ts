import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late timers of the event loop fired, in seconds. */
export interface EventLoopDelayReading {
  readonly mean: number;
  readonly p99: number;
  readonly max: number;
}

/** The interval of the measurement. Its timer does not keep a process alive. */
const RESOLUTION_MS = 10;

/** The length of a window: about the usual time between two scrapes. */
const WINDOW_MS = 15_000;

const NOTHING: EventLoopDelayReading = { mean: 0, p99: 0, max: 0 };

/**
 * Measures while it is open. A reading is the worse of the current window and the one before, so that one reader does not hide a
 * spike from another.
 */
export class EventLoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #now: () => number;
  #windowSince: number;
  #former = NOTHING;

  /** `now`: any clock in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#windowSince = now();
    this.#histogram.enable();
  }

  read(): EventLoopDelayReading {
    const current = this.#current();
    const former = this.#former;
    const now = this.#now();
    // A clock that was set back also starts a new window.
    if (Math.abs(now - this.#windowSince) >= WINDOW_MS) {
      this.#former = current;
      this.#windowSince = now;
      this.#histogram.reset();
    }
    return {
      mean: Math.max(current.mean, former.mean),
      p99: Math.max(current.p99, former.p99),
      max: Math.max(current.max, former.max),
    };
  }

  close(): void {
    this.#histogram.disable();
  }

  #current(): EventLoopDelayReading {
    const { count, mean, max } = this.#histogram;
    if (count === 0) return NOTHING;
    return { mean: delayOf(mean), p99: delayOf(this.#histogram.percentile(99)), max: delayOf(max) };
  }
}

/** Node reports the time between two measurements, which includes the interval itself. */
function delayOf(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1_000);
}
