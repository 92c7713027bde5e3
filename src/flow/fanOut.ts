import type { Observable, ObservableInput, OperatorFunction } from 'rxjs';
import { Branch } from './branch.js';
import type { FlowContext } from './context.js';
import { type OperationInfo, subscribeInner } from './operate.js';
import { operateQueuedCounted } from './operateQueued.js';
import { commonUnit } from './unit.js';

/** The branches of one subscription. */
export interface FanOut<T, R> {
  readonly branches: readonly Branch<T>[];
  /** The name of the stage, after which branches are called. */
  readonly name: string;
  /** Adds a branch with its chain. `inside` is what the stages of the chain are told instead of the context downstream. */
  add(
    kind: string,
    name: string,
    project: (branch$: Observable<T>) => ObservableInput<R>,
    inside?: Partial<FlowContext>,
  ): Branch<T>;
}

/**
 * An operator that hands each item to one of several chains and merges what they emit. `build` adds the branches, and
 * returns the function that names the branch of an item: `undefined` if every branch that would do is closed.
 *
 * An item whose branch is closed waits, and those behind it with it, so that order holds; the gate upstream is closed
 * meanwhile. A branch whose chain has ended takes nothing more: its items are dropped with the reason `branchEnded`.
 */
export function fanningOut<T, R>(
  info: OperationInfo,
  build: (fan: FanOut<T, R>) => (item: T) => Branch<T> | undefined,
): OperatorFunction<T, R> {
  return operateQueuedCounted<T, R>(info, (operation, account) => {
    const { destination, downstream, stage, settle, flush } = operation;
    const branches: Branch<T>[] = [];
    const chains: (() => void)[] = [];
    let running = 0;
    let inputIsOver = false;

    const choose = build({
      branches,
      name: stage.name,
      add(kind, name, project, inside) {
        const takesBatches = () => account.weigh !== undefined;
        const branch = new Branch<T>({ kind, name, monitor: downstream.monitor, branchOf: stage, takesBatches });
        branches.push(branch);
        chains.push(() => {
          subscribeInner<R>(
            project(branch.stream),
            { destination, downstream: { ...downstream, ...inside } },
            {
              next: (result) => destination.next(result),
              complete: () => {
                branch.hasEnded = true;
                running -= 1;
                // When all chains have ended, so does the operator: nothing can be handed out any more.
                if (running === 0 && !inputIsOver) destination.complete();
                else flush();
              },
            },
          );
        });
        return branch;
      },
    });

    running = branches.length;
    for (const subscribe of chains) subscribe();
    return {
      offer(item) {
        const branch = choose(item);
        if (branch === undefined) {
          for (const other of branches) other.whenOpen(flush);
          return false;
        }
        if (branch.hasEnded) {
          settle('dropped', item, 'branchEnded');
          return true;
        }
        if (!branch.isOpen) {
          branch.whenOpen(flush);
          return false;
        }
        const weight = account.weigh === undefined ? 1 : account.weigh(item);
        account.out += weight;
        branch.next(item, weight);
        return true;
      },
      isIdle: () => running === 0,
      // When the input is over, the branches finish what they have, and only then does the operator end.
      onEnd() {
        inputIsOver = true;
        for (const branch of branches) branch.complete();
      },
      onBatches() {
        for (const { context } of branches) context?.onBatches?.();
      },
      upstream: { unit: commonUnit(branches.map(({ context }) => context?.unit)) },
    };
  });
}
