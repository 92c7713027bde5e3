import { BehaviorSubject, type Observable, type OperatorFunction } from 'rxjs';
import { distinctUntilChanged } from 'rxjs/operators';
import { BufferOverflowError } from '../flow/errors.js';
import { Exit } from '../flow/exit.js';
import { GatedQueue, type Level } from '../flow/gatedQueue.js';
import { bulkOf, operate } from '../flow/operate.js';
import { watermarks } from '../policies/watermarks.js';
import { requireFunction, requireKnownOptions, requireOneOf } from '../primitives/validate.js';

/** What happens to an item that arrives when a buffer is full. */
export type Overflow = 'block' | 'dropOldest' | 'dropIncoming' | 'error';

/** Why a buffer gave an item up; `overflow` where it then failed. */
export type DropReason = 'dropOldest' | 'dropIncoming' | 'overflow';

export interface BoundedBufferConfig<T> {
  /** The most items held. Integer of at least 1, default 10,000. */
  readonly capacity?: number;
  /** The gate closes when so much of `capacity` is held. Above 0, at most 1; default 0.8. */
  readonly highWatermark?: number;
  /**
   * The gate opens again when no more than this part of `capacity` is left. From 0, below `highWatermark`; default 0.5,
   * or half of `highWatermark` where that is 0.5 or less.
   */
  readonly lowWatermark?: number;
  /**
   * What happens to an item that arrives when the buffer is full, its source not having obeyed the gate. Default `'block'`:
   * a `BufferOverflowError` that names the remedy, after what is held. `'error'` does the same where a full buffer is
   * a fault in itself; `'dropOldest'` makes room, `'dropIncoming'` refuses the item.
   */
  readonly overflow?: Overflow;
  /** Told of each item given up, with the reason. What it throws is an error downstream. Default: nobody is told. */
  readonly onDrop?: (item: T, reason: DropReason) => void;
  /** The name in topology, metrics and errors. Default `boundedBuffer`. */
  readonly name?: string;
}

/** The operator, with the level of its latest subscription beside it. */
export interface BoundedBuffer<T> extends OperatorFunction<T, T> {
  /** The level now, then each change: `ok`, `soft` from the high watermark to the low one, `hard` when full. */
  readonly level$: Observable<Level>;
}

const OVERFLOWS = ['block', 'dropOldest', 'dropIncoming', 'error'] as const;

/**
 * Holds up to `capacity` items while downstream is closed, and pauses its source before it is full.
 *
 * ```text
 * source      abcde-------f-|          capacity 5, high watermark 0.8, low watermark 0.4
 * downstream  oc----o                  its gate: o opens, c closes
 *             boundedBuffer()
 * result      a-----(bcde)f-|
 * gate        o---c-o                  closes when 4 are held, opens when 2 are left
 * ```
 *
 * **Emits when**: an item arrives and downstream is open, at once; what is held when downstream opens, oldest first.
 * **Backpressure**: installs a gate. It closes when the high watermark is reached and opens at the low one.
 * **Completes when**: the source has completed and everything held is delivered.
 * **Errors when**: the source has failed, after what is held; an item arrives when full (`'block'`, `'error'`), after what
 * is held; `onDrop` throws, at once.
 * **On unsubscribe**: what is held is abandoned, and shows as such in the account.
 *
 * **Delivery**: in order, each item once; `'dropOldest'` and `'dropIncoming'` lose items, each counted and told to `onDrop`.
 *
 * **Gotchas**: `'block'` blocks only sources that know the gate. A `Subject`, `share()` or a socket does not: choose what
 * to drop, or let it fail. `level$` tells of the latest subscription only.
 *
 * @example
 * ```ts
 * import { batch, boundedBuffer } from 'sluice/operators';
 * import { fromIterable } from 'sluice/sources';
 *
 * const buffer = boundedBuffer<number>({ capacity: 1_000 });
 * buffer.level$.subscribe((level) => console.log(`level: ${level}`));
 * fromIterable([1, 2, 3, 4, 5])
 *   .pipe(buffer, batch({ size: 2 }))
 *   .subscribe((items) => console.log(items));
 * ```
 */
export function boundedBuffer<T>(config: BoundedBufferConfig<T> = {}): BoundedBuffer<T> {
  const owner = 'boundedBuffer';
  requireKnownOptions(owner, config, ['capacity', 'highWatermark', 'lowWatermark', 'overflow', 'onDrop', 'name']);
  const { capacity, high, low } = watermarks(owner, config);
  const overflow = requireOneOf(owner, 'overflow', config.overflow ?? 'block', OVERFLOWS);
  const onDrop = config.onDrop && requireFunction(owner, 'onDrop', config.onDrop);
  const level = new BehaviorSubject<Level>('ok');

  const operator: OperatorFunction<T, T> = operate({ kind: owner, name: config.name }, (operation) => {
    const { destination, downstream, stage, detach } = operation;
    const gate = downstream.gate;
    const bulk = bulkOf(destination);
    const exit = new Exit(operation, () => line.drain());

    const line = new GatedQueue<T>({
      capacity,
      high,
      low,
      offer(item) {
        if (!exit.mayEmit()) return false;
        stage.out += 1;
        destination.next(item);
        return true;
      },
      bulk: bulk && {
        room: () => (gate.isOpen ? bulk.room() : 0),
        next(items) {
          stage.out += items.length;
          bulk.next(items);
        },
      },
      fail: (error) => destination.error(error),
      onLevel: (next) => level.next(next),
    });

    const giveUp = (item: T, reason: DropReason) => {
      stage.drop(reason);
      onDrop?.(item, reason);
    };

    const overflowed = (item: T) => {
      if (overflow === 'dropIncoming') {
        giveUp(item, overflow);
      } else if (overflow === 'dropOldest') {
        const oldest = line.evict() as T;
        line.push(item);
        giveUp(oldest, overflow);
      } else {
        detach();
        giveUp(item, 'overflow');
        line.end(() => destination.error(new BufferOverflowError(stage.name, capacity, REMEDY[overflow])));
      }
    };

    return {
      gate: line.gate,
      held: () => line.length,
      next(item) {
        stage.in += 1;
        if (!line.push(item)) overflowed(item);
      },
      error: (error) => line.end(() => destination.error(error)),
      complete: () => line.end(() => destination.complete()),
      finalize() {
        level.next('ok');
      },
    };
  });
  return Object.assign(operator, { level$: level.pipe(distinctUntilChanged()) });
}

const REMEDY = {
  block:
    'Its source does not obey the gate: build it with gatedSource(), fan out with broadcast() instead of a Subject or ' +
    "share(), or choose overflow 'dropOldest' or 'dropIncoming'.",
  error: "This buffer is told to fail then (overflow: 'error').",
} as const;
