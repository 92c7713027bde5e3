import { asyncScheduler, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { operate } from '../flow/operate.js';
import { RecentKeys } from '../policies/recentKeys.js';
import { requireDuration, requireFunction, requireInteger, requireKnownOptions } from '../primitives/validate.js';

export interface DedupeConfig<T> {
  /** What makes two items the same. */
  readonly by: (item: T) => string | number;
  /** How long a key is remembered after the item that passed, in milliseconds, at least 1. Default: as long as `max` allows. */
  readonly windowMs?: number;
  /** The most keys remembered; beyond it the oldest is forgotten. Integer of at least 1, default 100,000. */
  readonly max?: number;
  /** The clock. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The name in topology, metrics and errors. Default `dedupe`. */
  readonly name?: string;
}

/**
 * Drops an item whose key has passed within `windowMs`.
 *
 * ```text
 * source  -a-a-b-a-|
 *         dedupe({ by: (item) => item, windowMs: 5 })
 * output  -a---b-a-|     (the third a comes 6 ms after the first)
 * ```
 *
 * **Emits when**: an item arrives whose key is not remembered.
 * **Backpressure**: passes through: it holds no item and has no gate.
 * **Completes when**: the source completes.
 * **Errors when**: the source fails, or `by` throws.
 * **On unsubscribe**: nothing is left: there are no timers.
 *
 * **Delivery**: a repeated item counts as dropped, `duplicate`; the others pass once, in order.
 *
 * **Gotchas**: a duplicate does not prolong the window: it runs from the item that passed, so a key that repeats without
 * end still passes once a window. A key that comes exactly `windowMs` later is new. Memory is bounded by `max`: about
 * 100 bytes a key with short strings, so some 10 MB at the default. When more than `max` different keys pass within the
 * window, duplicates of the forgotten ones pass. Each subscription remembers for itself: after a retry upstream of it the
 * memory is kept, after a retry downstream it starts empty. To drop what is older or equal by sequence, let the sink's
 * `seq` guard do it: revisions of a bar are no duplicates.
 *
 * @example
 * ```ts
 * import { dedupe } from 'sluice/operators';
 * import { fromIterable } from 'sluice/sources';
 *
 * const news = [{ id: 'n1' }, { id: 'n2' }, { id: 'n1' }];
 * fromIterable(news)
 *   .pipe(dedupe({ by: (item) => item.id, windowMs: 60_000, max: 50_000 }))
 *   .subscribe((item) => console.log(item.id));
 * ```
 */
export function dedupe<T>(config: DedupeConfig<T>): MonoTypeOperatorFunction<T> {
  const owner = 'dedupe';
  requireKnownOptions(owner, config, ['by', 'windowMs', 'max', 'scheduler', 'name']);
  const by = requireFunction(owner, 'by', config.by);
  const windowMs = config.windowMs === undefined ? undefined : requireDuration(owner, 'windowMs', config.windowMs, 1);
  const max = requireInteger(owner, 'max', config.max ?? 100_000);
  const scheduler = config.scheduler ?? asyncScheduler;

  return operate({ kind: owner, name: config.name }, ({ destination, stage }) => {
    const recent = new RecentKeys({ windowMs, max });
    let inHand = 0;

    return {
      held: () => inHand,
      next(item) {
        stage.in += 1;
        // An item that `by` throws at stays in hand, so that the account of the failed stage is right.
        inHand = 1;
        const key = by(item);
        inHand = 0;
        if (recent.isRepeated(key, scheduler.now())) {
          stage.drop('duplicate');
          return;
        }
        stage.out += 1;
        destination.next(item);
      },
    };
  });
}
