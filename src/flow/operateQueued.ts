import type { OperatorFunction } from 'rxjs';
import { Wait } from '../primitives/wait.js';
import { BufferOverflowError, LATE_SOURCE_REMEDY } from './errors.js';
import { GatedQueue, type GatedQueueConfig } from './gatedQueue.js';
import { type Bulk, type Handlers, type Operation, type OperationInfo, operateCounted } from './operate.js';
import type { StageAccount } from './stage.js';

/** What an operator that can be full does. Whatever these throw goes to the error channel downstream. */
export interface QueuedHandlers<T>
  extends Pick<Handlers<T>, 'finalize' | 'onRegister' | 'onBatches' | 'upstream'>,
    Pick<GatedQueueConfig<T>, 'bulk' | 'capacity' | 'high' | 'low' | 'onLevel'> {
  /**
   * Takes an item on its way, or returns false if it cannot be taken now: it then waits in the queue, first in line, and
   * is offered again at the next `flush`. An item at which it throws stays in the queue.
   */
  offer(item: T): boolean;
  /** A way past an empty queue, tried before `offer`: whether the item was taken. Default: there is none. */
  take?: ((item: T) => boolean) | undefined;
  /** A way past the queue for many items at once: see {@link Handlers.bulk}. */
  bulkIn?: Bulk<T> | undefined;
  /**
   * Whether the next item would be taken, whatever it is: the gate is closed while it would not. Call `regulate` when the
   * answer has become no, and `flush` when it has become yes. Default: always.
   */
  isReady?(): boolean;
  /** How many items it holds beyond those that wait, as `weigh` counts them. Default: none. */
  held?(): number;
  /** Whether nothing is under way that must finish before the operator can end. Default: whether `held` is 0. */
  isIdle?(): boolean;
  /** Downstream has opened, after something was refused or waited for: emit what is held. The queue is flushed next. */
  onOpen?(): void;
  /** The input has ended and the queue is empty: finish what is held. */
  onEnd?(): void;
  /** Does what is to be done with an item for which there is no room. Default: the operator fails with it. */
  onOverflow?(item: T): void;
}

/** What an operator that can be full is given, beyond what {@link operate} gives. */
export interface QueuedOperation<T, R> extends Operation<R> {
  /** Whether an item may be emitted now. If not, `onOpen` is called and the queue flushed when downstream opens. */
  readonly mayEmit: () => boolean;
  /** Has `onOpen` called and the queue flushed when downstream is open: immediately, if it is. */
  readonly waitUntilOpen: () => void;
  /** How many values wait in the queue. */
  readonly waiting: () => number;
  /** Takes the oldest value out of the queue, to make room. */
  readonly evict: () => T | undefined;
  /** Pushes an item into the queue. False if there is no room. */
  readonly push: (item: T) => boolean;
  /** Offers what waits; then ends, if the input has ended and nothing is under way. Call it when something has finished. */
  readonly flush: () => void;
  /** Opens or closes the gate: call it when `isReady` has changed. */
  readonly regulate: () => void;
  /** Ends with `finish` as if the input had ended: when nothing waits and nothing is under way. The first call counts. */
  readonly endWith: (finish: () => void) => void;
  /** Fails once the results are out: nothing more comes in or is offered, and nothing under way is waited for. */
  readonly fail: (error: unknown) => void;
  readonly hasFailed: () => boolean;
  /**
   * A queue for what comes out of the operator at any time: emitted when downstream is open, before anything is taken in.
   * The operator does not end before it is empty.
   */
  readonly results: (capacity?: number) => GatedQueue<R>;
}

/**
 * How an operator is written that can be full: it says how to take an item, and when it cannot.
 *
 * What it cannot take waits in a {@link GatedQueue}, whose gate holds up the source; beyond its capacity the operator fails
 * with a `BufferOverflowError`. Completion and errors of the source wait behind what waits, and until nothing is under way.
 * What is held is lost with the process unless the source can redeliver.
 *
 * @example
 * ```ts
 * import { operateQueued } from 'sluice/flow';
 *
 * const reorder = (depth: number) =>
 *   operateQueued<number, number>({ kind: 'reorder' }, ({ mayEmit, emit }) => {
 *     const sorted: number[] = [];
 *     let keep = depth;
 *     const release = () => {
 *       while (sorted.length > keep && mayEmit()) emit(sorted.shift()!);
 *     };
 *     return {
 *       offer(item) {
 *         release();
 *         if (sorted.length > keep) return false;
 *         sorted.push(item);
 *         sorted.sort((one, other) => one - other);
 *         release();
 *         return true;
 *       },
 *       held: () => sorted.length,
 *       onOpen: release,
 *       onEnd() {
 *         keep = 0;
 *         release();
 *       },
 *     };
 *   });
 * ```
 */
export function operateQueued<T, R>(
  info: OperationInfo,
  init: (operation: QueuedOperation<T, R>) => QueuedHandlers<T>,
): OperatorFunction<T, R> {
  return operateQueuedCounted(info, (operation) => init(operation));
}

/** {@link operateQueued} with the account, for an operator with branches, which count with it. */
export function operateQueuedCounted<T, R>(
  info: OperationInfo,
  init: (operation: QueuedOperation<T, R>, account: StageAccount) => QueuedHandlers<T>,
): OperatorFunction<T, R> {
  const initOf = (operation: Operation<R>, account: StageAccount): Handlers<T> => {
    const { destination, downstream, stage, detach } = operation;
    const { gate } = downstream;
    const wait = new Wait();
    destination.add(() => wait.cancel());
    let queue: GatedQueue<T> | undefined;
    let results: GatedQueue<R> | undefined;
    let hasFailed = false;
    let finish: (() => void) | undefined;

    const waitUntilOpen = () => {
      if (!wait.isPending && !destination.closed) wait.begin((over) => gate.whenOpen(over), onOpen);
    };

    const mayEmit = () => {
      if (destination.closed) return false;
      if (gate.isOpen) return true;
      waitUntilOpen();
      return false;
    };

    /** What calls these may be a timer, or somebody else's subscription: whatever goes wrong in here is the operator's own fault. */
    const guarded = (work: () => void) => () => {
      try {
        work();
      } catch (error) {
        destination.error(error);
      }
    };

    const onOpen = guarded(() => {
      results?.flush();
      // What it emitted may have ended the subscription: whatever is left has been abandoned.
      if (!destination.closed) handlers.onOpen?.();
      flush();
    });

    const flush = guarded(() => {
      if (destination.closed) return;
      queue?.flush();
      endIfIdle();
    });

    const isIdle = () => {
      if (results !== undefined && results.length > 0) return false;
      return hasFailed || (handlers.isIdle ? handlers.isIdle() : (handlers.held?.() ?? 0) === 0);
    };

    const endIfIdle = () => {
      if (finish === undefined || !isIdle()) return;
      const end = finish;
      finish = undefined;
      end();
    };

    const endWith = (end: () => void) => {
      const reached = guarded(() => {
        if (hasFailed) return;
        finish = end;
        handlers.onEnd?.();
        endIfIdle();
      });
      queue?.end(reached);
    };

    const endAfterResults = guarded(endIfIdle);

    const fail = (error: unknown) => {
      if (hasFailed) return;
      hasFailed = true;
      detach();
      queue?.stop();
      finish = () => destination.error(error);
      endAfterResults();
    };

    const handlers = init(
      {
        ...operation,
        mayEmit,
        waitUntilOpen,
        flush,
        endWith,
        fail,
        waiting: () => queue?.length ?? 0,
        evict: () => queue?.evict(),
        push: (item) => queue?.push(item) ?? false,
        regulate: guarded(() => queue?.regulate()),
        hasFailed: () => hasFailed,
        results(capacity) {
          results = new GatedQueue<R>({
            capacity,
            offer(result) {
              if (!mayEmit()) return false;
              operation.emit(result);
              return true;
            },
            fail: (error) => destination.error(error),
          });
          return results;
        },
      },
      account,
    );
    const { take } = handlers;
    const line = new GatedQueue<T>({
      ...handlers,
      fail: (error) => destination.error(error),
      // A user's callback has ended the subscription between queue and handlers: the item is in neither of them.
      onLate(item) {
        const weight = operation.weigh(item);
        if (destination.closed) account.abandoned += Math.max(0, Math.min(weight, stage.balance));
      },
    });
    queue = line;
    // After the account has been closed, which abandons what waits.
    destination.add(() => line.stop());
    if (handlers.isReady) line.regulate();

    const failFull = (item: T) => {
      operation.settle('dropped', item, 'overflow');
      detach();
      const remedy = operation.overflowRemedy(
        `What is upstream does not obey its gate: put boundedBuffer() before ${stage.kind}, or use lanes() instead of ` +
          `groupBy(). ${LATE_SOURCE_REMEDY}`,
      );
      endWith(() => destination.error(new BufferOverflowError(stage.name, line.capacity, remedy)));
    };

    const { onOverflow = failFull } = handlers;
    const accept = (item: T) => {
      if (!line.push(item)) onOverflow(item);
    };

    const resultsHeld = () => (results ? results.weight(operation.weighOut) : 0);
    return {
      ...handlers,
      gate: line.gate,
      next: take
        ? (item) => {
            if (!take(item)) accept(item);
          }
        : accept,
      error: (error) => endWith(() => destination.error(error)),
      complete: () => endWith(() => destination.complete()),
      bulk: handlers.bulkIn,
      held: () => line.weight(account.weigh) + (handlers.held?.() ?? 0) + resultsHeld(),
    };
  };
  return operateCounted<T, R>(info, initOf, true);
}
