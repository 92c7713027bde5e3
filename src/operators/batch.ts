import { asapScheduler, asyncScheduler, type OperatorFunction, type SchedulerLike, type Subscription } from 'rxjs';
import { Exit } from '../flow/exit.js';
import { admit, GatedQueue } from '../flow/gatedQueue.js';
import { operate } from '../flow/operate.js';
import {
  requireBoolean,
  requireDuration,
  requireFunction,
  requireInteger,
  requireKnownOptions,
} from '../primitives/validate.js';

export interface BatchConfig<T> {
  /** The most items in a batch. Integer of at least 1; there is no default. */
  readonly size: number;
  /**
   * The longest that an item waits for others, in milliseconds, 0 or more. Default: a batch waits until it is full. It
   * has nothing to do where `eager`.
   */
  readonly lingerMs?: number;
  /** Emit as soon as downstream is open, so that batches grow only while it is busy. Default false. */
  readonly eager?: boolean;
  /**
   * The most bytes in a batch, as `sizeOf` counts them: integer of at least 1, default no limit. An item that is larger
   * makes a batch of one.
   */
  readonly maxBytes?: number;
  /** The size of an item in bytes, 0 or more; required with `maxBytes`. It may be asked twice for one item. */
  readonly sizeOf?: (item: T) => number;
  /**
   * The clock of the linger, and of `eager`, which waits for the end of the current burst. Default: `asyncScheduler` for
   * the one, `asapScheduler` for the other.
   */
  readonly scheduler?: SchedulerLike;
  /** The name in topology, metrics and errors. Default `batch`. */
  readonly name?: string;
}

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
 * **Emits when**: a batch is full; its first item is `lingerMs` old; `eager`, at the end of a synchronous burst; the pipeline
 * drains; the source ends. Where downstream is closed then, when it opens, with what has come to fill the batch.
 * **Backpressure**: installs a gate. It closes when a full batch waits for downstream to open, and opens when that is gone.
 * **Completes when**: the source has completed and the last batch, partial or not, is delivered.
 * **Errors when**: the source has failed, after the last batch; `sizeOf` throws or gives no size, at once.
 * **On unsubscribe**: timers are cancelled; what is held is abandoned, and shows as such in the account.
 *
 * **Delivery**: the batches, one after another, are the input: nothing is lost, doubled or reordered.
 *
 * **Gotchas**: without `lingerMs` and `eager` a partial batch waits until the source ends. When downstream is never closed,
 * `eager` makes a batch of each burst, which for a slow source is a batch of one.
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
  requireKnownOptions(owner, config, ['size', 'lingerMs', 'eager', 'maxBytes', 'sizeOf', 'scheduler', 'name']);
  const size = requireInteger(owner, 'size', config.size);
  const lingerMs = config.lingerMs === undefined ? undefined : requireDuration(owner, 'lingerMs', config.lingerMs);
  const eager = requireBoolean(owner, 'eager', config.eager ?? false);
  const maxBytes = config.maxBytes === undefined ? Infinity : requireInteger(owner, 'maxBytes', config.maxBytes);
  const sizeOf = maxBytes === Infinity ? undefined : requireFunction(owner, 'sizeOf (with maxBytes)', config.sizeOf);
  const lingerScheduler = config.scheduler ?? asyncScheduler;
  const burstScheduler = config.scheduler ?? asapScheduler;

  return operate({ kind: owner, name: config.name }, (operation) => {
    const { destination, downstream, stage } = operation;
    const exit = new Exit(operation, () => {
      if (items.length > 0) flush();
      line.drain();
      finish?.();
    });
    let items: T[] = [];
    let bytes = 0;
    /** Nothing is waited for any more but the gate and the end of a burst. */
    let prompt = eager;
    /** A full batch is being emitted to make room for an item in hand: what arrives meanwhile comes after that one. */
    let makingRoom = false;
    let startedAt = 0;
    let lingering: Subscription | undefined;
    let bursting: Subscription | undefined;
    // Flags of their own, for a scheduler may run its work before it has returned the subscription.
    let isLingering = false;
    let isBursting = false;
    let finish: (() => void) | undefined;

    const isFull = () => items.length >= size || bytes >= maxBytes;

    const line = new GatedQueue<T>({
      offer(item) {
        const weight = sizeOf ? weigh(sizeOf(item)) : 0;
        if (items.length > 0 && (isFull() || bytes + weight > maxBytes)) {
          makingRoom = true;
          const hasRoom = flush();
          makingRoom = false;
          // Ended by that batch: the item in hand was in the account as held, and stays there.
          if (!hasRoom || destination.closed) return false;
        }
        bytes += weight;
        append(item);
        return true;
      },
      isReady: () => !isFull(),
      fail: (error) => destination.error(error),
    });

    const append = (item: T) => {
      const length = items.push(item);
      if (length === 1) started();
      if (length >= size || bytes >= maxBytes) flush();
    };

    const appendAll = (more: T[]) => {
      stage.in += more.length;
      const isFirst = items.length === 0;
      if (isFirst) items = more;
      else for (const item of more) items.push(item);
      if (items.length >= size) flush();
      else if (isFirst) started();
    };

    /** Emits the batch; if the gate downstream is closed, as soon as it opens. */
    const flush = (): boolean => {
      if (!exit.mayEmit()) {
        if (isFull()) line.regulate();
        return false;
      }
      const full = items;
      items = [];
      bytes = 0;
      stage.out += full.length;
      stage.batchesOut += 1;
      destination.next(full);
      return true;
    };

    const started = () => {
      if (destination.closed) return;
      if (prompt) {
        if (exit.mayEmit() && !isBursting) {
          isBursting = true;
          bursting = burstScheduler.schedule(onBurstEnd);
        }
      } else if (lingerMs !== undefined) {
        // One timer serves many batches: when it fires for a younger one it is set again for the rest.
        startedAt = lingerScheduler.now();
        if (!isLingering) linger(lingerMs);
      }
    };

    const onBurstEnd = () => {
      isBursting = false;
      if (items.length > 0 && flush()) line.drain();
    };

    const linger = (delayMs: number) => {
      isLingering = true;
      lingering = lingerScheduler.schedule(onLinger, delayMs);
    };

    const onLinger = () => {
      isLingering = false;
      if (items.length === 0 || lingerMs === undefined) return;
      const age = lingerScheduler.now() - startedAt;
      // A clock that was set back makes an age below zero: that batch has waited long enough. So has one that lacks so little
      // that it would not move the clock.
      if (age >= 0 && lingerMs - age > MIN_MS) linger(lingerMs - age);
      else if (flush()) line.drain();
    };

    const endWith = (end: () => void) =>
      line.end(() => {
        lingering?.unsubscribe();
        bursting?.unsubscribe();
        finish = () => {
          if (items.length === 0 || flush()) end();
        };
        finish();
      });

    destination.add(
      downstream.stopping.subscribe(() => {
        prompt = true;
        lingering?.unsubscribe();
        if (items.length > 0 && flush()) line.drain();
      }),
    );

    return {
      gate: line.gate,
      held: () => line.length + items.length + (makingRoom ? 1 : 0),
      next(item) {
        stage.in += 1;
        // The line is for what does not fit: nearly every item goes past it.
        if (sizeOf === undefined && items.length < size && line.length === 0 && !makingRoom) append(item);
        else admit(line, item, operation, endWith);
      },
      bulk: sizeOf
        ? undefined
        : { room: () => (line.length === 0 && !makingRoom ? size - items.length : 0), next: appendAll },
      error: (error) => endWith(() => destination.error(error)),
      complete: () => endWith(() => destination.complete()),
      finalize() {
        lingering?.unsubscribe();
        bursting?.unsubscribe();
      },
    };
  });
}

function weigh(bytes: number): number {
  if (bytes >= 0) return bytes;
  throw new RangeError(`batch: sizeOf must give a number of at least 0, got ${bytes}`);
}
