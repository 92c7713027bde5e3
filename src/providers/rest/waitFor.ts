import type { SchedulerLike } from 'rxjs';
import { Timer } from '../../primitives/timer.js';

/** Resolves after `ms`; rejects with the reason of `signal` as soon as that is aborted. */
export function waitFor(ms: number, scheduler: SchedulerLike, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = new Timer(scheduler, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    else timer.set(ms);
  });
}
