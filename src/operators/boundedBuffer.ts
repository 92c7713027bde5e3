import { BehaviorSubject, type Observable, type OperatorFunction } from 'rxjs';
import { distinctUntilChanged } from 'rxjs/operators';
import { BufferOverflowError, LATE_SOURCE_REMEDY } from '../flow/errors.js';
import type { Level } from '../flow/gatedQueue.js';
import { operateQueued } from '../flow/operateQueued.js';
import { watermarks } from '../policies/watermarks.js';
import { allUnchecked, func, type OptionsOf, oneOf, readOptions, text } from '../primitives/options.js';

/** What happens to an item that arrives when a buffer is full. */
export type Overflow = 'fail' | 'dropOldest' | 'dropIncoming';

/** Why a buffer gave an item up; `overflow` where it then failed. */
export type DropReason = 'dropOldest' | 'dropIncoming' | 'overflow';

export interface BoundedBufferConfig<T> {
  /** The most items held. Integer of at least 1, default 10,000. */
  readonly capacity?: number | undefined;
  /** The gate closes when this part of `capacity` is held. Above 0, at most 1; default 0.8. */
  readonly highWatermark?: number | undefined;
  /**
   * The gate opens again when no more than this part of `capacity` is left. From 0, below `highWatermark`; default 0.5,
   * or half of `highWatermark` where that is 0.5 or less.
   */
  readonly lowWatermark?: number | undefined;
  /**
   * What happens to an item that arrives when the buffer is full because its source does not obey the gate. Default `'fail'`:
   * a `BufferOverflowError` that names the remedy, after what is held. `'dropOldest'` makes room, `'dropIncoming'` refuses the
   * item.
   */
  readonly overflow?: Overflow | undefined;
  /** Called with each item given up and the reason. What it throws is an error downstream. Default: none. */
  readonly onDrop?: ((item: T, reason: DropReason) => void) | undefined;
  /** The name in topology, metrics and errors. Default `boundedBuffer`. */
  readonly name?: string;
}

/** The operator, with the level of its latest subscription beside it. */
export interface BoundedBuffer<T> extends OperatorFunction<T, T> {
  /** The level now, then each change: `ok`, `soft` from the high watermark to the low one, `hard` when full. */
  readonly level$: Observable<Level>;
}

export const BUFFER_OPTIONS = {
  // Checked by watermarks().
  ...allUnchecked('capacity', 'highWatermark', 'lowWatermark'),
  overflow: oneOf(['fail', 'dropOldest', 'dropIncoming']).default('fail'),
  onDrop: func(),
  name: text(),
} satisfies OptionsOf<BoundedBufferConfig<unknown>>;

const REMEDY =
  'Its source does not obey the gate: build it with gatedSource(), fan out with broadcast() instead of a Subject or ' +
  `share(), split with lanes() instead of groupBy(), or choose overflow 'dropOldest' or 'dropIncoming'. ${LATE_SOURCE_REMEDY}`;

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
 * **Errors when**: the source has failed, after what is held; an item arrives when full (`'fail'`), after what is held;
 * immediately when `onDrop` throws.
 * **On unsubscribe**: what is held is abandoned, which the account shows as held.
 *
 * **Delivery**: in order, each item once; `'dropOldest'` and `'dropIncoming'` lose items, each of which is counted and passed to
 * `onDrop`. What is held is lost with the process unless the source can redeliver.
 *
 * **Gotchas**:
 * - Only sources that know the gate wait at it. A `Subject`, `share()` or a socket does not: choose what to drop, or let it fail.
 * - `level$` is that of the latest subscription.
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
  if (['block', 'error'].includes(config.overflow as string)) {
    throw new RangeError(`${owner}: overflow ${JSON.stringify(config.overflow)} is called "fail": a full buffer fails`);
  }
  const { overflow, onDrop, name } = readOptions(owner, config, BUFFER_OPTIONS);
  const { capacity, high, low } = watermarks(owner, config);
  const level = new BehaviorSubject<Level>('ok');

  let latest: object | undefined;

  const operator = operateQueued<T, T>({ kind: owner, name }, (operation) => {
    const { destination, downstream, stage, mayEmit, emit, settle, detach, evict, push, endWith, overflowRemedy } =
      operation;
    const { gate } = downstream;
    const bulk = operation.bulkOut();
    latest = operation;
    level.next('ok');
    const tell = (next: Level) => {
      if (latest === operation) level.next(next);
    };

    const giveUp = (item: T, reason: DropReason) => {
      settle('dropped', item, reason);
      onDrop?.(item, reason);
    };

    return {
      capacity,
      high,
      low,
      onLevel: tell,
      offer(item) {
        if (!mayEmit()) return false;
        emit(item);
        return true;
      },
      bulk: bulk && { room: () => (gate.isOpen ? bulk.room() : 0), next: bulk.next },
      onOverflow(item) {
        if (overflow === 'dropIncoming') {
          giveUp(item, overflow);
        } else if (overflow === 'dropOldest') {
          const oldest = evict() as T;
          push(item);
          giveUp(oldest, overflow);
        } else {
          detach();
          giveUp(item, 'overflow');
          endWith(() => destination.error(new BufferOverflowError(stage.name, capacity, overflowRemedy(REMEDY))));
        }
      },
      finalize() {
        tell('ok');
        if (latest === operation) latest = undefined;
      },
    };
  });
  return Object.assign(operator, { level$: level.pipe(distinctUntilChanged()) });
}
