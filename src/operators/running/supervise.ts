import { type MonoTypeOperatorFunction, merge, type SchedulerLike, take } from 'rxjs';
import { operate } from '../../flow/operate.js';
import { MAX_EXPIRED_MS } from '../../policies/drain.js';
import { messageOf } from '../../primitives/messageOf.js';
import { DrainController } from './drainController.js';

/** How long everything upstream has to settle what it holds, if nothing downstream keeps a deadline. */
const GRACE_MS = 10_000;

export interface SuperviseConfig {
  /** The clock of the deadline. */
  readonly scheduler: SchedulerLike;
  /**
   * Whether what is upstream are branches, each under a supervision of its own. Where one cannot go on, the others then finish
   * what they have. Default false: the writers upstream work side by side, and all give up at once.
   */
  readonly branches?: boolean;
}

/**
 * Stands below writers with dead letters. Where one of them cannot go on, everything that it and its siblings hold goes to the
 * dead letters, sources stop, and then the pipeline fails.
 *
 * `run()` and `sinkSubscriber()` keep the deadline of the whole pipeline: their `abort` is called, and they end it. Without one,
 * sources that do not stop are unsubscribed after ten seconds.
 */
export function supervise<T>({ scheduler, branches = false }: SuperviseConfig): MonoTypeOperatorFunction<T> {
  return operate<T, T>({ kind: 'supervise', unlisted: true }, ({ destination, downstream, detach }) => {
    const isDeadlineKept = downstream.abort !== undefined;
    const timeoutMs = isDeadlineKept ? Number.POSITIVE_INFINITY : GRACE_MS;
    const end = () => {
      if (machine.failure && !isDeadlineKept) destination.error(machine.failure.error);
      else destination.complete();
    };
    const drain = new DrainController({
      scheduler,
      timeoutMs,
      // Siblings give up at once, branches in the last second, or when whoever keeps the deadline says so.
      expireAfterMs: branches ? timeoutMs - MAX_EXPIRED_MS : 0,
      onDraining: () => downstream.abort?.(machine.failure?.error),
      onDeadline() {
        detach();
        end();
      },
    });

    const { machine } = drain;

    return {
      upstream: {
        // A `stopping` from downstream is passed on as it is, because a broadcast tells its rounds apart by it.
        stopping: isDeadlineKept ? downstream.stopping : merge(downstream.stopping, drain.stopping).pipe(take(1)),
        expired: merge(downstream.expired, drain.expired).pipe(take(1)),
        abort(error) {
          if (!destination.closed) drain.abort(error);
        },
      },
      next: (value) => destination.next(value),
      /** An error while everything is being saved comes second: it must not hide the one that it is being saved from. */
      error(error) {
        const { failure } = machine;
        const isKnown = !failure || (error instanceof AggregateError && error.errors[0] === failure.error);
        if (isKnown) return destination.error(error);
        const message = `${messageOf(failure.error)}; and then: ${messageOf(error)}`;
        destination.error(new AggregateError([failure.error, error], message));
      },
      complete: end,
      finalize: () => drain.close(),
    };
  });
}
