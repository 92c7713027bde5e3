import type { Subscriber } from 'rxjs';
import type { FlowContext } from './context.js';
import { type Bulk, OperateSubscriber } from './operateSubscriber.js';
import type { Fate, Stage, StageAccount } from './stage.js';
import { byLength, itemsIn, type Weigh, weigher, weightOf, weightOfAll } from './unit.js';
import type { UpstreamWatch } from './upstreamWatch.js';

/** What an operator is given to work with, once per subscription. */
export interface Operation<R> {
  readonly destination: Subscriber<R>;
  /** The context downstream: obey its gate, flush on its `stopping`. */
  readonly downstream: FlowContext;
  /** What the operator has counted. */
  readonly stage: Stage;
  /** Emits, and counts the value as handed on: as `weight` items, where it does not weigh what came in for it. */
  readonly emit: (value: R, weight?: number) => void;
  /** The bulk way into what is directly downstream, where that is an operator that has one. It counts as `emit` does. */
  readonly bulkOut: () => Bulk<R> | undefined;
  /**
   * Counts a value that goes no further, by reason: dropped, diverted, or written. It does not throw: what an observer of fates throws
   * ends the pipeline.
   */
  readonly settle: (fate: Fate, value: unknown, reason?: string) => void;
  /** The same for `count` items that are no value of the stream; `items` is asked only where an observer wants them. */
  readonly settleSome: (fate: Fate, count: number, reason: string, items: () => readonly unknown[]) => void;
  /** How many items a value counts as on its way in: 1, or the length of a batch. */
  readonly weigh: Weigh;
  /** How many items a value counts as on its way out; it differs from `weigh` for a transform. */
  readonly weighOut: Weigh;
  /** The items that a value counts as. */
  readonly itemsIn: (value: unknown) => readonly unknown[];
  /** What to do about an overflow, by what is above; `otherwise` where that says nothing. */
  readonly overflowRemedy: (otherwise: string) => string;
  /** Unsubscribes the source: nothing more comes in. What is held can still be emitted. */
  readonly detach: () => void;
}

/** Everything that an operator counts with. */
export function operationOf<R>(
  destination: Subscriber<R>,
  downstream: FlowContext,
  account: StageAccount,
  watch: UpstreamWatch | undefined,
  detach: () => void,
): Operation<R> {
  return {
    destination,
    ...outOf(destination, downstream, account),
    stage: account.stage,
    detach,
    overflowRemedy: (otherwise) => watch?.remedy(otherwise) ?? otherwise,
    bulkOut() {
      const isDirect = destination instanceof OperateSubscriber && destination.isItself(destination);
      const bulk = isDirect ? (destination.bulk as Bulk<R> | undefined) : undefined;
      return (
        bulk && {
          room: bulk.room,
          next(items) {
            account.out += weightOfAll(items, account.weigh);
            bulk.next(items);
          },
        }
      );
    },
    // It is counted before an observer is told. What that throws must not reach the operator, which has done with the item.
    settle(fate, value, reason) {
      try {
        account.settle(fate, value, reason);
      } catch (error) {
        destination.error(error);
      }
    },
    settleSome(fate, count, reason, items) {
      try {
        account.settleSome(fate, count, reason, items);
      } catch (error) {
        destination.error(error);
      }
    },
    weigh: (value) => weightOf(value, account.weigh),
    itemsIn: (value) => itemsIn(value, account.weigh),
  };
}

/** The way out, and the context that says what goes there. */
function outOf<R>(destination: Subscriber<R>, downstream: FlowContext, account: StageAccount) {
  const { role } = account.stage;
  // What a writer emits is a record of the write, and no item.
  if (role === 'writer') return { downstream, weighOut: () => 0, emit: (value: R) => destination.next(value) };
  if (role === 'transform') {
    let weigh = weigher(downstream.unit);
    // What it emits need not be what it took: sources inside may make batches where none come in.
    const onBatches = () => {
      weigh = byLength;
      downstream.onBatches?.();
    };
    const emit = (value: R) => {
      account.out += weightOf(value, weigh);
      destination.next(value);
    };
    const weighOut = (value: unknown) => weightOf(value, weigh);
    return { downstream: { ...downstream, onBatches }, weighOut, emit };
  }
  // No default parameter: the hot path is inlined more readily without.
  const emit = (value: R, weight?: number) => {
    account.out += weight ?? (account.weigh === undefined ? 1 : account.weigh(value));
    destination.next(value);
  };
  return { downstream, weighOut: (value: unknown) => weightOf(value, account.weigh), emit };
}
