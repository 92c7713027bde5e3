import { asyncScheduler, type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';
import { isUnderVirtualTime } from './virtualTime.js';

/**
 * Resumes work after one turn of the event loop: what the stock sources yield on. `asyncScheduler` would wait a
 * millisecond each time, as timers do. The clock is that of `asyncScheduler`, and so are the turns where a `TestScheduler` has
 * given it a virtual one: work that waited for the real event loop there would be resumed when the test is over.
 */
export const eventLoopScheduler: SchedulerLike = {
  now: () => asyncScheduler.now(),
  schedule<S>(work: (this: SchedulerAction<S>, state?: S) => void, delay = 0, state?: S): Subscription {
    // Only Node has setImmediate.
    if (delay > 0 || typeof setImmediate === 'undefined' || isUnderVirtualTime(asyncScheduler))
      return asyncScheduler.schedule(work, delay, state);
    const subscription = new Subscription();
    const immediate = setImmediate(() => {
      subscription.unsubscribe();
      work.call(subscription as SchedulerAction<S>, state);
    });
    subscription.add(() => clearImmediate(immediate));
    return subscription;
  },
};
