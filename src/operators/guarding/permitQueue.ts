import type { SchedulerLike } from 'rxjs';
import type { CircuitBreaker, Permit } from '../../policies/circuitBreaker.js';
import { Timer } from '../../primitives/timer.js';

interface Waiter {
  readonly scheduler: SchedulerLike;
  readonly onPermit: (permit: Permit) => void;
  /** When to ask the breaker again, while this waiter is the first in the queue. */
  readonly alarm: Timer;
}

const queues = new WeakMap<CircuitBreaker, PermitQueue>();

/**
 * Callers that wait for a permit of one breaker: first come, first served. Only the first in the queue asks, and only when
 * the breaker says that it is time, or has changed. Waiting costs no attempt, however many wait and for however long.
 */
export class PermitQueue {
  readonly #breaker: CircuitBreaker;
  /** In the order in which they came. */
  readonly #waiters = new Set<Waiter>();
  #serving = false;
  #stopListening: (() => void) | undefined;

  private constructor(breaker: CircuitBreaker) {
    this.#breaker = breaker;
    queues.set(breaker, this);
  }

  /** The queue of this breaker, which all its callers share. */
  static of(breaker: CircuitBreaker): PermitQueue {
    return queues.get(breaker) ?? new PermitQueue(breaker);
  }

  /** A permit, if the breaker gives one and no caller is waiting or being served; otherwise the caller must queue. */
  tryAcquire(now: number): Permit | undefined {
    return this.#waiters.size === 0 && !this.#serving ? this.#breaker.tryAcquire(now) : undefined;
  }

  /**
   * Calls `onPermit` once, with a permit to settle or release: immediately if nobody waits and the breaker gives one. The
   * result leaves the queue, and does nothing once the permit is given. `onPermit` must not throw.
   */
  join(scheduler: SchedulerLike, onPermit: (permit: Permit) => void): () => void {
    const waiter: Waiter = { scheduler, onPermit, alarm: new Timer(scheduler, this.#serve) };
    this.#waiters.add(waiter);
    this.#serve();
    return () => {
      if (!this.#waiters.delete(waiter)) return;
      waiter.alarm.cancel();
      this.#serve();
    };
  }

  /** A loop rather than recursion: whoever is let through may be done immediately, and make room for the next. */
  readonly #serve = (): void => {
    if (this.#serving) return;
    this.#serving = true;
    try {
      // Whoever joins meanwhile is served too, and last.
      for (const first of this.#waiters) if (!this.#admit(first)) break;
    } finally {
      this.#serving = false;
    }
    if (this.#waiters.size > 0) {
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
      // Never immediately: the breaker has just refused.
      if (readyInMs !== Number.POSITIVE_INFINITY) first.alarm.set(Math.max(1, readyInMs));
      return false;
    }
    this.#waiters.delete(first);
    first.onPermit(permit);
    return true;
  }
}
