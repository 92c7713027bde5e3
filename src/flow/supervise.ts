import { type MonoTypeOperatorFunction, merge, ReplaySubject, type SchedulerLike, type Subscription, take } from 'rxjs';
import { operate } from './operate.js';

/** How long what is upstream has to hand over what it holds, where nobody downstream keeps a deadline. */
const GRACE_MS = 10_000;

/** The end of that time, in which others that could have gone on give up as well. */
const SPILL_MS = 1_000;

export interface SuperviseConfig {
  /** The clock of the deadline. */
  readonly scheduler: SchedulerLike;
  /**
   * What stands upstream are branches, each under a supervision of its own: where one cannot go on, the others finish what
   * they have. Default false: writers side by side, and all give up at once.
   */
  readonly branches?: boolean;
}

/**
 * Stands below writers with dead letters: where one of them cannot go on, everything that it and its siblings hold goes to
 * the dead letters, sources stop, and then the pipeline fails. Who keeps the deadline of a whole program (`run()`) is told;
 * without one, sources that do not stop are let go after ten seconds.
 */
export function supervise<T>({ scheduler, branches = false }: SuperviseConfig): MonoTypeOperatorFunction<T> {
  return operate<T, T>({ kind: 'supervise', unlisted: true }, ({ destination, downstream, detach }) => {
    // Bounded because each fires once.
    const stop = new ReplaySubject<void>(1);
    // Bounded because each fires once.
    const spill = new ReplaySubject<unknown>(1);
    let failure: { readonly error: unknown } | undefined;
    let grace: Subscription | undefined;

    const end = () => {
      if (failure && !downstream.abort) destination.error(failure.error);
      else destination.complete();
    };

    const abort = (error: unknown) => {
      if (failure || destination.closed) return;
      failure = { error };
      if (downstream.abort) downstream.abort(error);
      else stop.next();
      if (!branches) spill.next(error);
      if (downstream.abort || destination.closed) return;
      const cut = () => {
        detach();
        end();
      };
      const spillOthers = () => {
        grace = scheduler.schedule(cut, SPILL_MS);
        spill.next(undefined);
      };
      grace = branches ? scheduler.schedule(spillOthers, GRACE_MS - SPILL_MS) : scheduler.schedule(cut, GRACE_MS);
    };

    /** What fails while everything is being saved comes second: it must not hide why that is. */
    const alsoFailed = (error: unknown) => {
      const isSaid = !failure || (error instanceof AggregateError && error.errors[0] === failure.error);
      destination.error(isSaid ? error : together(failure!.error, error));
    };

    return {
      upstream: {
        // Where somebody below stops sources, theirs is passed on as it is: a broadcast goes by which one it is.
        stopping: downstream.abort ? downstream.stopping : merge(downstream.stopping, stop).pipe(take(1)),
        expired: merge(downstream.expired, spill).pipe(take(1)),
        abort,
      },
      next: (value) => destination.next(value),
      error: alsoFailed,
      complete: end,
      finalize: () => grace?.unsubscribe(),
    };
  });
}

function together(first: unknown, second: unknown): AggregateError {
  return new AggregateError([first, second], `${said(first)}; and then: ${said(second)}`);
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
