import { asapScheduler, asyncScheduler, type OperatorFunction, type SchedulerLike } from 'rxjs';
import { operateQueued } from '../flow/operateQueued.js';
import {
  boolean,
  duration,
  func,
  having,
  integer,
  number,
  type OptionsOf,
  readArgument,
  readOptions,
  text,
} from '../primitives/options.js';
import { Timer } from '../primitives/timer.js';

export interface BatchConfig<T> {
  /** The most items in a batch. Integer of at least 1; there is no default. */
  readonly size: number;
  /**
   * How long an item waits for others at most, in milliseconds, 0 or more. Default: a batch waits until it is full. It has
   * no effect with `eager`.
   */
  readonly lingerMs?: number;
  /** Emit as soon as downstream is open, so that batches grow only while it is busy. Default false. */
  readonly eager?: boolean;
  /**
   * The most bytes in a batch, as `sizeOf` counts them. Integer of at least 1, or `Infinity` for no limit; default
   * `Infinity`. A larger item makes a batch of one.
   */
  readonly maxBytes?: number;
  /** The size of an item in bytes, 0 or more; required with a limit of `maxBytes`. It may be called twice for one item. */
  readonly sizeOf?: (item: T) => number;
  /**
   * The clock of the linger, and of `eager`, which waits for the end of the current burst. Default: `asyncScheduler` and
   * `asapScheduler`, respectively.
   */
  readonly scheduler?: SchedulerLike;
  /** The name in topology, metrics and errors. Default `batch`. */
  readonly name?: string;
}

const OPTIONS = {
  size: integer({ min: 1 }).required(),
  lingerMs: duration(),
  eager: boolean().default(false),
  maxBytes: integer({ min: 1 }).or(Number.POSITIVE_INFINITY).default(Number.POSITIVE_INFINITY),
  sizeOf: func(),
  scheduler: having('now', 'schedule'),
  name: text(),
} satisfies OptionsOf<BatchConfig<unknown>>;

const BYTES = number({ min: 0 }).required();

/** Less than this, in milliseconds, is no time to wait. */
const MIN_MS = 0.001;

/**
 * Collects items into arrays, never empty: by number, by bytes, by time, or for as long as downstream is busy.
 *
 * ```text
 * source      ab-c------d-|        size 2, lingerMs 3
 *             batch()
 * result      -x----y-----(z|)     x = [a, b], y = [c] three frames after c, z = [d]
 * ```
 *
 * **Emits when**: a batch is full; its first item is `lingerMs` old; with `eager`, at the end of a synchronous burst; the
 * pipeline drains; the source ends. If downstream is closed, when it opens, with what has come meanwhile to fill the batch.
 * **Backpressure**: installs a gate. It closes when a full batch waits for downstream to open, and opens when that batch is out.
 * **Completes when**: the source has completed and the last batch, partial or not, is delivered.
 * **Errors when**: the source has failed, after the last batch; immediately when `sizeOf` throws or returns no size.
 * **On unsubscribe**: timers are cancelled; what is held is abandoned, which the account shows as held.
 *
 * **Delivery**: the batches, one after another, are the input: nothing is lost, duplicated or reordered. What is held is lost
 * with the process unless the source can redeliver.
 *
 * **Gotchas**:
 * - Without `lingerMs` and `eager` a partial batch waits until the source ends.
 * - If downstream is never closed, `eager` makes a batch of each burst, which for a slow source is a batch of one.
 *
 * @example
 * ```ts
 * import { batch } from 'sluice/operators';
 * import { fromIterable } from 'sluice/sources';
 *
 * fromIterable([1, 2, 3, 4, 5])
 *   .pipe(batch({ size: 2, lingerMs: 250 }))
 *   .subscribe((items) => console.log(items)); // [1, 2] [3, 4] [5]
 * ```
 */
export function batch<T>(config: BatchConfig<T>): OperatorFunction<T, readonly T[]> {
  const owner = 'batch';
  const { size, lingerMs, eager, maxBytes, scheduler, name, ...options } = readOptions(owner, config, OPTIONS);
  if (maxBytes < Infinity) readArgument(owner, 'sizeOf (with maxBytes)', options.sizeOf, func());
  const sizeOf = maxBytes < Infinity ? options.sizeOf : undefined;

  return operateQueued<T, readonly T[]>({ kind: owner, name, unit: 'item' }, (operation) => {
    const { destination, downstream, mayEmit, emit, waiting, regulate } = operation;
    const clock = scheduler ?? asyncScheduler;
    downstream.onBatches?.();
    let items: T[] = [];
    let bytes = 0;
    /** Nothing is waited for any more but the gate and the end of a burst. */
    let prompt = eager;
    /** A full batch is being emitted to make room for an item: what arrives meanwhile comes after that item. */
    let makingRoom = false;
    let startedAt = 0;

    const isFull = () => items.length >= size || bytes >= maxBytes;

    const append = (item: T) => {
      const length = items.push(item);
      if (length === 1) started();
      if (length >= size || bytes >= maxBytes) release();
    };

    /** Emits the batch; if downstream is closed, as soon as it opens. */
    const release = (): boolean => {
      if (!mayEmit()) {
        regulate();
        return false;
      }
      const full = items;
      items = [];
      bytes = 0;
      emit(full, full.length);
      return true;
    };

    const releaseNow = () => {
      if (items.length > 0) release();
    };

    const started = () => {
      if (prompt) {
        if (mayEmit() && !burst.isSet) burst.set(0);
      } else if (lingerMs !== undefined) {
        // One timer serves many batches: when it fires for a younger one it is set again for the rest.
        startedAt = clock.now();
        if (!linger.isSet) linger.set(lingerMs);
      }
    };

    const burst = new Timer(scheduler ?? asapScheduler, releaseNow);

    const linger = new Timer(clock, () => {
      if (items.length === 0 || lingerMs === undefined) return;
      const age = clock.now() - startedAt;
      // A negative age means that the clock was set back: that batch has waited long enough. So has one whose remainder is too
      // short to move the clock.
      if (age >= 0 && lingerMs - age > MIN_MS) linger.set(lingerMs - age);
      else releaseNow();
    });

    destination.add(
      downstream.stopping.subscribe(() => {
        prompt = true;
        linger.cancel();
        releaseNow();
      }),
    );

    return {
      offer(item) {
        const weight = sizeOf ? BYTES.read(owner, 'what sizeOf returns', sizeOf(item)) : 0;
        if (items.length > 0 && (isFull() || bytes + weight > maxBytes)) {
          makingRoom = true;
          const hasRoom = release();
          makingRoom = false;
          // If that batch has ended the subscription, the item was abandoned with the rest.
          if (!hasRoom || destination.closed) return false;
        }
        bytes += weight;
        append(item);
        return true;
      },
      isReady: () => !isFull(),
      // The queue is for what does not fit: nearly every item goes past it.
      take: sizeOf
        ? undefined
        : (item) => {
            if (items.length >= size || waiting() > 0 || makingRoom) return false;
            append(item);
            return true;
          },
      bulkIn: sizeOf
        ? undefined
        : {
            room: () => (waiting() === 0 && !makingRoom ? size - items.length : 0),
            next(more) {
              const isFirst = items.length === 0;
              if (isFirst) items = more;
              else for (const item of more) items.push(item);
              if (items.length >= size) release();
              else if (isFirst) started();
            },
          },
      held: () => items.length + (makingRoom ? 1 : 0),
      isIdle: () => items.length === 0,
      onOpen() {
        if (items.length > 0) release();
      },
      onEnd() {
        if (items.length > 0) release();
      },
      finalize() {
        linger.cancel();
        burst.cancel();
      },
    };
  });
}
