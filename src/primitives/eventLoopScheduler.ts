import { asyncScheduler, type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';

/**
 * Resumes work after one turn of the event loop: what the stock sources yield on. `asyncScheduler` would wait a
 * millisecond each time, as timers do. The clock is that of `asyncScheduler`: under a `TestScheduler`, where time stands
 * still while a source runs, a source never yields, so marble tests stay deterministic.
 */
export const eventLoopScheduler: SchedulerLike = {
  now: () => asyncScheduler.now(),
  schedule<S>(work: (this: SchedulerAction<S>, state?: S) => void, delay = 0, state?: S): Subscription {
    // Only Node has setImmediate.
    if (delay > 0 || typeof setImmediate === 'undefined') return asyncScheduler.schedule(work, delay, state);
    const subscription = new Subscription();
    const immediate = setImmediate(() => {
      subscription.unsubscribe();
      work.call(subscription as SchedulerAction<S>, state);
    });
    subscription.add(() => clearImmediate(immediate));
    return subscription;
  },
};
