import { type OperatorFunction, of } from 'rxjs';
import { type InnerHandlers, type Operation, type OperationInfo, operateCounted, subscribeInner } from './operate.js';
import type { StageAccount } from './stage.js';
import type { UpstreamWatch } from './upstreamWatch.js';

/** How a subscription of the source ended: by itself, or because its subscriber unsubscribed. */
export type ConnectionEnd =
  | { readonly kind: 'completed' | 'released' }
  | { readonly kind: 'failed'; readonly error: unknown };

/** What an operator does with one subscription of its source. What these throw goes to the error channel downstream. */
export interface ConnectionHandlers<T> {
  next(value: T): void;
  /** Called once, when the source has released what it used: the next subscription does not overlap the former. */
  over(end: ConnectionEnd): void;
}

/** What an operator that subscribes its source itself is given. */
export interface OperationOnDemand<T, R> extends Pick<Operation<R>, 'destination' | 'downstream' | 'stage' | 'emit'> {
  /** Subscribes the source, which is unsubscribed with the operator. What it emits is counted as come in. */
  readonly connect: (handlers: ConnectionHandlers<T>) => void;
}

export interface OnDemandHandlers {
  /** Called once, when everything is set up: subscribe the source now, or later. */
  start(): void;
  /** Runs once, when the subscription ends for whatever reason. */
  finalize?(): void;
  /** How many items the stage holds. Default: none. */
  held?(): number;
}

/**
 * {@link operate} for operators that subscribe their source later, again, or not at all. They hold nothing and have no
 * gate: the source finds the one downstream.
 */
export function operateOnDemand<T, R>(
  info: OperationInfo,
  initOnDemand: (operation: OperationOnDemand<T, R>) => OnDemandHandlers,
): OperatorFunction<T, R> {
  return (source) => {
    const init = (operation: Operation<R>, account: StageAccount, watch: UpstreamWatch | undefined) => {
      const { destination, downstream, stage } = operation;
      // The source feeds this stage, which hands its items on.
      const onBatches = () => {
        account.takeBatches();
        downstream.onBatches?.();
      };
      const inside = { destination, downstream: { ...downstream, stage, onBatches, watch: watch ?? downstream.watch } };
      const connect = ({ next, over }: ConnectionHandlers<T>) => {
        let end = { kind: 'released' } as ConnectionEnd;
        const handlers: InnerHandlers<T> = {
          next,
          error(error) {
            end = { kind: 'failed', error };
          },
          complete() {
            end = { kind: 'completed' };
          },
        };
        const subscription = subscribeInner(source, inside, handlers, account);
        subscription.add(() => {
          try {
            over(end);
          } catch (error) {
            destination.error(error);
          }
        });
      };
      const { start, finalize, held } = initOnDemand({ ...operation, connect });
      return { next: start, complete() {}, ...(finalize && { finalize }), ...(held && { held }) };
    };
    return operateCounted<undefined, R>(info, init, false)(of(undefined));
  };
}
