import type { Observable, ObservableInput, OperatorFunction } from 'rxjs';
import { Branch } from './branch.js';
import type { FlowContext } from './context.js';
import type { StageAccount } from './monitor.js';
import { type OperationInfo, subscribeInner } from './operate.js';
import { operateQueuedCounted, type QueuedHandlers, type QueuedOperation } from './operateQueued.js';
import { commonUnit } from './unit.js';

/** Names the branch of an item; `undefined` if every branch that would do is closed. */
export type ChooseBranch<T> = (item: T) => Branch<T> | undefined;

/**
 * An operator that hands each item to one of several chains and merges what they emit. `build` adds the branches.
 *
 * An item whose branch is closed waits, and those behind it with it, so that order holds; the gate upstream is closed
 * meanwhile. A branch whose chain has ended takes nothing more: its items are dropped with the reason `branchEnded`.
 */
export function fanningOut<T, R>(
  info: OperationInfo,
  build: (fan: FanOut<T, R>) => ChooseBranch<T>,
): OperatorFunction<T, R> {
  return operateQueuedCounted<T, R>(info, (operation, account) => {
    const fan = new FanOut<T, R>(operation, account);
    return fan.start(build(fan));
  });
}

/** The branches of one subscription. */
export class FanOut<T, R> {
  readonly branches: Branch<T>[] = [];
  readonly #operation: QueuedOperation<T, R>;
  readonly #account: StageAccount;
  readonly #chains: (() => void)[] = [];
  #running = 0;
  #inputIsOver = false;

  constructor(operation: QueuedOperation<T, R>, account: StageAccount) {
    this.#operation = operation;
    this.#account = account;
  }

  /** The name of the stage, after which branches are called. */
  get name(): string {
    return this.#operation.stage.name;
  }

  /** Adds a branch with its chain, whose stages are told the rest of their context by `inside`. */
  add(
    kind: string,
    name: string,
    project: (branch$: Observable<T>) => ObservableInput<R>,
    inside: Partial<FlowContext> = {},
  ): Branch<T> {
    const { destination, downstream, stage, flush } = this.#operation;
    const branch = new Branch<T>({
      kind,
      name,
      monitor: downstream.monitor,
      branchOf: stage,
      takesBatches: () => this.#account.weigh !== undefined,
    });
    this.branches.push(branch);
    this.#chains.push(() => {
      const context = { destination, downstream: { ...downstream, ...inside } };
      subscribeInner<R>(project(branch.stream), context, {
        next: (result) => destination.next(result),
        complete: () => {
          branch.end();
          this.#running -= 1;
          // When all chains have ended, so does the operator: nothing can be handed out any more.
          if (this.#running === 0 && !this.#inputIsOver) destination.complete();
          else flush();
        },
      });
    });
    return branch;
  }

  /** Subscribes all chains. */
  start(choose: ChooseBranch<T>): QueuedHandlers<T> {
    const { flush, settle } = this.#operation;
    const account = this.#account;
    this.#running = this.branches.length;
    for (const subscribe of this.#chains) subscribe();
    return {
      offer: (item) => {
        const branch = choose(item);
        if (branch === undefined) {
          for (const other of this.branches) other.whenOpen(flush);
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
      isIdle: () => this.#running === 0,
      // When the input is over, the branches finish what they have, and only then does the operator end.
      onEnd: () => {
        this.#inputIsOver = true;
        for (const branch of this.branches) branch.complete();
      },
      onBatches: () => {
        for (const { context } of this.branches) context?.onBatches?.();
      },
      upstream: { unit: commonUnit(this.branches.map(({ context }) => context?.unit)) },
    };
  }
}
