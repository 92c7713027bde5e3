import { type OperatorFunction, of } from 'rxjs';
import { type Operation, type OperationInfo, operate, subscribeInner } from './operate.js';

/** How a subscription of the source came to its end: by itself, or let go of by whoever listened. */
export type ConnectionEnd =
  | { readonly kind: 'completed' }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'released' };

const COMPLETED: ConnectionEnd = { kind: 'completed' };
const RELEASED: ConnectionEnd = { kind: 'released' };

/** What an operator does with one subscription of its source. What these throw goes to the error channel downstream. */
export interface ConnectionHandlers<T> {
  next(value: T): void;
  /** Called once, when the source has let go of what it used: another subscription does not meet the former. */
  over(end: ConnectionEnd): void;
}

/** What an operator is given that subscribes its source itself. */
export interface OperationOnDemand<T, R> extends Pick<Operation<R>, 'destination' | 'downstream' | 'stage'> {
  /** Subscribes the source. It is let go with the operator. */
  readonly connect: (handlers: ConnectionHandlers<T>) => void;
}

export interface OnDemandHandlers {
  /** Called once, when everything is set up: subscribe the source now, or later. */
  start(): void;
  /** Runs once, when the subscription ends for whatever reason. */
  finalize?(): void;
}

/**
 * {@link operate} for operators that subscribe their source later, again, or not at all. They hold nothing and have no
 * gate: the source finds the one downstream.
 */
export function operateOnDemand<T, R>(
  info: OperationInfo,
  init: (operation: OperationOnDemand<T, R>) => OnDemandHandlers,
): OperatorFunction<T, R> {
  return (source) => {
    const operator = operate<undefined, R>(info, ({ destination, downstream, stage }) => {
      // The source feeds this stage, which hands its items on.
      const inside = { destination, downstream: { ...downstream, stage } };
      const connect = ({ next, over }: ConnectionHandlers<T>) => {
        let end = RELEASED;
        const subscription = subscribeInner(source, inside, {
          next,
          error(error) {
            end = { kind: 'failed', error };
          },
          complete() {
            end = COMPLETED;
          },
        });
        subscription.add(() => {
          try {
            over(end);
          } catch (error) {
            destination.error(error);
          }
        });
      };
      const { start, finalize } = init({ destination, downstream, stage, connect });
      return { next: start, complete() {}, ...(finalize ? { finalize } : {}) };
    });
    return operator(of(undefined));
  };
}
