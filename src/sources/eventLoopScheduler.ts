import { asyncScheduler, type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';

/**
 * Resumes work after the event loop has had one turn: what a synchronous source yields on. `asyncScheduler` would wait
 * a millisecond each time, as timers do. Its clock is `asyncScheduler`'s, so that under a `TestScheduler`, where time
 * stands still while a source runs, a source never yields and a marble test stays deterministic.
 */
export const eventLoopScheduler: SchedulerLike = {
  now: () => asyncScheduler.now(),
  schedule<S>(work: (this: SchedulerAction<S>, state?: S) => void, delay = 0, state?: S): Subscription {
    if (delay > 0) return asyncScheduler.schedule(work, delay, state);
    const subscription = new Subscription();
    const immediate = setImmediate(() => {
      subscription.unsubscribe();
      work.call(subscription as SchedulerAction<S>, state);
    });
    subscription.add(() => clearImmediate(immediate));
    return subscription;
  },
};
