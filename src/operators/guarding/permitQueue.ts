import type { SchedulerLike } from 'rxjs';
import type { CircuitBreaker, Permit } from '../../policies/circuitBreaker.js';
import { Timer } from '../../primitives/timer.js';

interface Waiter {
  readonly scheduler: SchedulerLike;
  readonly onPermit: (permit: Permit) => void;
  /** When the breaker is to be asked again, while this waiter is the first in line. */
  readonly alarm: Timer;
  isInLine: boolean;
}

const lines = new WeakMap<CircuitBreaker, PermitQueue>();

/**
 * Who waits for a permit of one breaker: first come, first served. Only the first in line asks, and only when the breaker
 * says that it is time, or has changed: waiting costs no attempt, however many wait and however long.
 */
export class PermitQueue {
  readonly #breaker: CircuitBreaker;
  readonly #waiters: Waiter[] = [];
  #serving = false;
  #stopListening: (() => void) | undefined;

  private constructor(breaker: CircuitBreaker) {
    this.#breaker = breaker;
  }

  /** The line of this breaker: everybody who waits for it stands in one. */
  static of(breaker: CircuitBreaker): PermitQueue {
    const line = lines.get(breaker) ?? new PermitQueue(breaker);
    lines.set(breaker, line);
    return line;
  }

  /**
   * Calls `onPermit` once, with a permit to settle or release: at once where nobody waits and the breaker gives one. The
   * result leaves the line, and does nothing once the permit is given. `onPermit` must not throw.
   */
  join(scheduler: SchedulerLike, onPermit: (permit: Permit) => void): () => void {
    const waiter: Waiter = { scheduler, onPermit, alarm: new Timer(scheduler, this.#serve), isInLine: true };
    this.#waiters.push(waiter);
    this.#serve();
    return () => {
      if (!waiter.isInLine) return;
      waiter.isInLine = false;
      waiter.alarm.cancel();
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      this.#serve();
    };
  }

  /** A loop and not recursion: what is let through may be done at once, and make room for the next. */
  readonly #serve = (): void => {
    if (this.#serving) return;
    this.#serving = true;
    try {
      for (let first = this.#waiters[0]; first && this.#admit(first); first = this.#waiters[0]);
    } finally {
      this.#serving = false;
    }
    if (this.#waiters.length > 0) {
      this.#stopListening ??= this.#breaker.onChange(this.#serve);
    } else {
      this.#stopListening?.();
      this.#stopListening = undefined;
    }
  };

  #admit(first: Waiter): boolean {
    const now = first.scheduler.now();
    const permit = this.#breaker.tryAcquire(now);
    first.alarm.cancel();
    if (!permit) {
      const readyInMs = this.#breaker.readyInMs(now);
      // Never at once: the breaker has just said no.
      if (readyInMs !== Number.POSITIVE_INFINITY) first.alarm.set(Math.max(1, readyInMs));
      return false;
    }
    this.#waiters.shift();
    first.isInLine = false;
    first.onPermit(permit);
    return true;
  }
}
