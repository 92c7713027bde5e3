import { asyncScheduler, firstValueFrom, map, race, type SchedulerLike, timer } from 'rxjs';
import { MAX_TIMER_MS } from './timer.js';

/**
 * Settles as `work` does, or after `ms` milliseconds with what `late` returns or throws; without `late`, with `undefined`.
 * Work that is late goes on, and how it ends is ignored.
 */
export function within<R, L = undefined>(
  ms: number,
  work: PromiseLike<R>,
  late: () => L = () => undefined as L,
  scheduler: SchedulerLike = asyncScheduler,
): Promise<R | L> {
  const end$ = timer(Math.min(ms, MAX_TIMER_MS), scheduler).pipe(map(late));
  return firstValueFrom(race(work, end$));
}
