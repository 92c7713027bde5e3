import { asyncScheduler, type SchedulerLike } from 'rxjs';

/** By how much two readings of one clock, one right after the other, may differ. */
const SAME_CLOCK_MS = 1_000;

/**
 * Whether a scheduler goes by the virtual time of a `TestScheduler` that is running, as `asyncScheduler` does meanwhile. Also true
 * for once if the clock of the machine is set between two readings.
 */
export function isUnderVirtualTime(scheduler: SchedulerLike): boolean {
  const now = asyncScheduler.now();
  return Math.abs(Date.now() - now) > SAME_CLOCK_MS && scheduler.now() === now;
}
