import { BehaviorSubject, type Observable, type OperatorFunction } from 'rxjs';
import { distinctUntilChanged } from 'rxjs/operators';
import { BufferOverflowError } from '../flow/errors.js';
import { operate } from '../flow/operate.js';
import { type Level, WaitingLine } from '../flow/waitingLine.js';
import {
  requireFunction,
  requireInteger,
  requireKnownOptions,
  requireNumber,
  requireOneOf,
} from '../policies/validate.js';

export type Overflow = 'block' | 'dropOldest' | 'dropIncoming' | 'error';

export interface BoundedBufferConfig<T> {
  /** The most items held. Integer of at least 1, default 10,000. */
  readonly capacity?: number;
  /** The gate closes when so much of `capacity` is held. From 0 to 1, default 0.8. */
  readonly highWatermark?: number;
  /** The gate opens again when no more than this is left. From 0, below `highWatermark`; default 0.5. */
  readonly lowWatermark?: number;
  /** What happens to an item that arrives when the buffer is full. Default `'block'`. */
  readonly overflow?: Overflow;
  /** Told of each item given up, with the reason. What it throws is an error downstream. */
  readonly onDrop?: (item: T, reason: 'dropOldest' | 'dropIncoming') => void;
  /** The name in topology, metrics and errors. Default `boundedBuffer`. */
  readonly name?: string;
}

/** The operator, with the level of its latest subscription beside it. */
export interface BoundedBuffer<T> extends OperatorFunction<T, T> {
  readonly level$: Observable<Level>;
}

export function boundedBuffer<T>(config: BoundedBufferConfig<T> = {}): BoundedBuffer<T> {
  const owner = 'boundedBuffer';
  requireKnownOptions(owner, config, ['capacity', 'highWatermark', 'lowWatermark', 'overflow', 'onDrop', 'name']);
  const capacity = requireInteger(owner, 'capacity', config.capacity ?? 10_000);
  const highWatermark = requireNumber(owner, 'highWatermark', config.highWatermark ?? 0.8, 0, 1);
  const lowWatermark = requireNumber(
    owner,
    'lowWatermark',
    config.lowWatermark ?? Math.min(0.5, highWatermark / 2),
    0,
    1,
  );
  if (lowWatermark >= highWatermark) {
    throw new RangeError(
      `${owner}: lowWatermark must be below highWatermark, got ${lowWatermark} and ${highWatermark}`,
    );
  }
  const overflow = requireOneOf(owner, 'overflow', config.overflow ?? 'block', [
    'block',
    'dropOldest',
    'dropIncoming',
    'error',
  ]);
  const onDrop = config.onDrop && requireFunction(owner, 'onDrop', config.onDrop);
  const high = Math.max(1, Math.ceil(capacity * highWatermark));
  const low = Math.min(high - 1, Math.floor(capacity * lowWatermark));
  const level = new BehaviorSubject<Level>('ok');

  const operator: OperatorFunction<T, T> = operate({ kind: owner, name: config.name }, (operation) => {
    const { destination, downstream, stage, detach } = operation;
    const gate = downstream.gate;
    let cancelWait: (() => void) | undefined;

    const line = new WaitingLine<T>({
      capacity,
      high,
      low,
      offer(item) {
        if (!gate.isOpen) {
          cancelWait ??= gate.whenOpen(onOpen);
          return false;
        }
        stage.out += 1;
        destination.next(item);
        return true;
      },
      fail: (error) => destination.error(error),
      onLevel: (next) => level.next(next),
    });
    const onOpen = () => {
      cancelWait = undefined;
      line.drain();
    };

    const victim = (item: T, reason: 'dropOldest' | 'dropIncoming') => {
      stage.drop(reason);
      onDrop?.(item, reason);
    };

    const overflowed = (item: T) => {
      if (overflow === 'dropIncoming') {
        victim(item, overflow);
      } else if (overflow === 'dropOldest') {
        const oldest = line.evict() as T;
        line.push(item);
        victim(oldest, overflow);
      } else {
        stage.drop('overflow');
        detach();
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
        cancelWait?.();
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
