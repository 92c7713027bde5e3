import {
  defer,
  firstValueFrom,
  from,
  map,
  type Observable,
  type ObservableInput,
  race,
  type SchedulerLike,
  take,
  timer,
  toArray,
} from 'rxjs';
import { MAX_TIMER_MS } from '../../primitives/timer.js';

/** What a repair waits with: for answers, for time, and for its end. */
export interface Rim {
  readonly scheduler: SchedulerLike;
  /** Emits when the repair is cancelled, also to those who subscribe later. */
  readonly cancelled$: Observable<unknown>;
}

/** The repair has been cancelled. Reaches nobody outside. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
  readonly code = 'SLUICE_REPAIR_CANCELLED';
}

/** An answer did not come in time. */
export class TooLate extends Error {
  override readonly name = 'TooLate';
  readonly code = 'SLUICE_REPAIR_TOO_LATE';
}

/** The values of an answer, at most so many. It ends with the repair, and fails with {@link TooLate}. */
export function answerOf<T>(ask: () => ObservableInput<T>, max: number, ms: number, rim: Rim): Promise<readonly T[]> {
  // Bounded because so many are taken at most.
  return waitFor(defer(ask).pipe(take(max), toArray()), ms, rim);
}

/** The next step of an iterator, likewise. */
export function stepOf<T>(iterator: AsyncIterator<T>, ms: number, rim: Rim): Promise<IteratorResult<T>> {
  return waitFor(
    defer(() => from(Promise.resolve(iterator.next()))),
    ms,
    rim,
  );
}

/** Waits, unless the repair is cancelled meanwhile. */
export function sleep(ms: number, { scheduler, cancelled$ }: Rim): Promise<unknown> {
  return firstValueFrom(race(timer(Math.min(ms, MAX_TIMER_MS), scheduler), cancelled$.pipe(map(cancel))));
}

function waitFor<R>(work$: Observable<R>, ms: number, { scheduler, cancelled$ }: Rim): Promise<R> {
  const late$ = timer(Math.min(ms, MAX_TIMER_MS), scheduler).pipe(
    map((): never => {
      throw new TooLate(`no answer within ${ms} ms`);
    }),
  );
  // First the end, so that what has been cancelled asks nothing.
  return firstValueFrom(race(cancelled$.pipe(map(cancel)), work$, late$));
}

const cancel = (): never => {
  throw new Cancelled('the repair has been cancelled');
};
