import { asyncScheduler, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { operate } from '../flow/operate.js';
import { RecentKeys } from '../policies/recentKeys.js';
import { duration, func, having, integer, type OptionsOf, readOptions, text } from '../primitives/options.js';

export interface DedupeConfig<T> {
  /** What makes two items the same. */
  readonly by: (item: T) => string | number;
  /**
   * How long a key is remembered after the item that passed, in milliseconds, at least 1. Default: as long as
   * `maxKeys` allows.
   */
  readonly windowMs?: number;
  /** The most keys remembered; beyond it the oldest is forgotten. Integer of at least 1, default 100,000. */
  readonly maxKeys?: number;
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
 * **On unsubscribe**: there is nothing to release.
 *
 * **Delivery**: a repeated item counts as dropped, `duplicate`; the others pass once, in order.
 *
 * **Gotchas**:
 * - A duplicate does not prolong the window, which runs from the item that passed: a key that repeats without end still passes
 *   once per window. A key that comes exactly `windowMs` later is new.
 * - Memory is bounded by `maxKeys`: about 100 bytes per key with short strings, so some 10 MB at the default. When more keys
 *   than that pass within the window, duplicates of the forgotten ones pass.
 * - Each subscription has its own memory: a retry upstream keeps it, a retry downstream starts with an empty one.
 * - To drop what is older or equal by sequence, let the sink's `seq` guard do it: revisions of a bar are no duplicates.
 *
 * @example
 * ```ts
 * import { dedupe } from 'sluice/operators';
 * import { fromIterable } from 'sluice/sources';
 *
 * const news = [{ id: 'n1' }, { id: 'n2' }, { id: 'n1' }];
 * fromIterable(news)
 *   .pipe(dedupe({ by: (item) => item.id, windowMs: 60_000, maxKeys: 50_000 }))
 *   .subscribe((item) => console.log(item.id));
 * ```
 */
export function dedupe<T>(config: DedupeConfig<T>): MonoTypeOperatorFunction<T> {
  const owner = 'dedupe';
  const { by, windowMs, maxKeys, scheduler = asyncScheduler, name } = readOptions(owner, config, OPTIONS);

  return operate<T, T>({ kind: owner, name }, ({ destination, emit, settle, weigh }) => {
    const recent = new RecentKeys(maxKeys, windowMs);
    let held = 0;

    return {
      held: () => held,
      next(item) {
        // An item at which `by` throws stays held, so that the account of the failed stage is right.
        held = weigh(item);
        const key = by(item);
        // Where `by` has ended the subscription, the item was abandoned.
        if (destination.closed) return;
        held = 0;
        if (recent.isRepeated(key, scheduler.now())) settle('dropped', item, 'duplicate');
        else emit(item);
      },
    };
  });
}

const OPTIONS = {
  by: func().required(),
  windowMs: duration({ min: 1 }),
  maxKeys: integer({ min: 1 }).default(100_000),
  scheduler: having('now', 'schedule'),
  name: text(),
} satisfies OptionsOf<DedupeConfig<unknown>>;
