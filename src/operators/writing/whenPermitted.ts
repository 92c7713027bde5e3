import { type SchedulerLike, Subscription } from 'rxjs';
import type { CircuitBreaker, Permit } from '../../policies/circuitBreaker.js';

/** A longer timer fires at once in Node. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Waits until the breaker gives a permit, and hands it over once. Nothing is asked of the breaker while it is open, so that
 * waiting costs no attempt. The permit is the taker's: settle or release it.
 */
export function whenPermitted(
  breaker: CircuitBreaker,
  scheduler: SchedulerLike,
  onPermit: (permit: Permit) => void,
): Subscription {
  const waiting = new Subscription();
  let timer: Subscription | undefined;

  const ask = () => {
    if (waiting.closed) return;
    timer?.unsubscribe();
    timer = undefined;
    const permit = breaker.tryAcquire(scheduler.now());
    if (permit) {
      waiting.unsubscribe();
      onPermit(permit);
      return;
    }
    const ms = breaker.readyInMs(scheduler.now());
    // Ready by now but taken, or never by itself: then a change is what is waited for.
    if (ms > 0 && ms < Number.POSITIVE_INFINITY) timer = scheduler.schedule(ask, Math.min(ms, LONGEST_TIMER_MS));
  };

  waiting.add(breaker.onChange(ask));
  waiting.add(() => timer?.unsubscribe());
  ask();
  return waiting;
}
