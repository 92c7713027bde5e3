import type { SchedulerLike } from 'rxjs';
import { Timer } from '../../../primitives/timer.js';

/** The newest state of a kline that waits for its turn. */
interface Waiting {
  readonly timer: Timer;
  frame: string | undefined;
  sentAt: number;
}

/**
 * Sends the updates of one connection's forming klines as the vendor does: at most one per stream in so many milliseconds, the
 * newest. A closed kline is sent at once, and ends what waits.
 */
export class KlinePush {
  readonly #scheduler: SchedulerLike;
  readonly #send: (frame: string) => void;
  readonly #byStream = new Map<string, Waiting>();

  constructor(scheduler: SchedulerLike, send: (frame: string) => void) {
    this.#scheduler = scheduler;
    this.#send = send;
  }

  push(stream: string, frame: string, isClosed: boolean, everyMs: number): void {
    const now = this.#scheduler.now();
    let waiting = this.#byStream.get(stream);
    if (!waiting) {
      const one: Waiting = {
        timer: new Timer(this.#scheduler, () => this.#flush(one)),
        frame: undefined,
        sentAt: Number.NEGATIVE_INFINITY,
      };
      waiting = one;
      this.#byStream.set(stream, one);
    }
    waiting.frame = frame;
    const waitMs = isClosed ? 0 : waiting.sentAt + everyMs - now;
    if (waitMs <= 0) this.#flush(waiting);
    else if (!waiting.timer.isSet) waiting.timer.set(waitMs);
  }

  cancel(): void {
    for (const { timer } of this.#byStream.values()) timer.cancel();
  }

  #flush(waiting: Waiting): void {
    waiting.timer.cancel();
    const { frame } = waiting;
    waiting.frame = undefined;
    waiting.sentAt = this.#scheduler.now();
    if (frame !== undefined) this.#send(frame);
  }
}
