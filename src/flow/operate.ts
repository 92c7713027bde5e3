import { from, Observable, type ObservableInput, type OperatorFunction, type Subscription } from 'rxjs';
import { alone, attachContext, contextOf, type FlowContext, NO_CONTEXT, registerStage } from './context.js';
import { NO_MONITOR } from './monitor.js';
import { type Handlers, OperateSubscriber } from './operateSubscriber.js';
import { type Operation, operationOf } from './operation.js';
import type { StageAccount, StageInfo } from './stage.js';
import { StopSignal } from './stopSignal.js';
import { type Unit, weigher } from './unit.js';
import { UpstreamWatch } from './upstreamWatch.js';

export type { Bulk, Handlers } from './operateSubscriber.js';
export type { Operation } from './operation.js';

/** What an operator is called, and what it takes in. */
export interface OperationInfo extends Pick<StageInfo, 'kind' | 'name' | 'role' | 'sink'> {
  /**
   * What the values are that come in, for an operator that knows: `batch()` takes items, a writer takes batches. Default:
   * what downstream says; of a transform, items.
   */
  readonly unit?: Unit | undefined;
  /** No place of its own in topology and account: everything passes immediately. Default false. */
  readonly unlisted?: boolean | undefined;
}

/**
 * How an operator is written: `operate({ kind }, ({ emit }) => handlers)`. One that can be full uses {@link operateQueued}.
 *
 * The function runs once per subscription; all state lives in it. The subscriber is chained to its destination, so that
 * `take(1)` downstream stops a synchronous source, a throwing handler reaches the error channel, and the walk of
 * {@link contextOf} passes through.
 *
 * What comes in is counted, and so is what goes out by `emit`. Say what became of everything else: `settle` it, or count
 * it in `held`.
 *
 * @example
 * ```ts
 * import { operate } from 'sluice';
 *
 * const positive = () =>
 *   operate<number, number>({ kind: 'positive' }, ({ emit, settle }) => ({
 *     next(value) {
 *       if (value > 0) emit(value);
 *       else settle('dropped', value, 'notPositive');
 *     },
 *   }));
 * ```
 */
export function operate<T, R>(
  info: OperationInfo,
  init: (operation: Operation<R>) => Handlers<T>,
): OperatorFunction<T, R> {
  return operateCounted(info, init, true);
}

/** {@link operate} with the account, for an operator that may count by itself what comes in. */
export function operateCounted<T, R>(
  info: OperationInfo,
  init: (operation: Operation<R>, account: StageAccount, watch: UpstreamWatch | undefined) => Handlers<T>,
  countsInput: boolean,
): OperatorFunction<T, R> {
  return (source) =>
    new Observable<R>((destination) => {
      const downstream = contextOf(destination);
      const account = registerStage(downstream, info, info.unlisted ? NO_MONITOR : downstream.monitor, destination);
      let subscriber: OperateSubscriber<T, R> | undefined;
      let detached = false;
      const detach = () => {
        detached = true;
        try {
          subscriber?.unsubscribe();
        } catch (error) {
          // Why the source is detached matters more; that it could not be closed is reported with the rest of the teardown.
          destination.add(() => {
            throw error;
          });
        }
      };
      // Before anything that may throw: the stage of an operator that cannot be set up is over too.
      destination.add(() => account.close());
      const watch = downstream.watch === null ? undefined : new UpstreamWatch(account);
      const operation = operationOf(destination, downstream, account, watch, detach);
      const handlers = alone(() => init(operation, account, watch));
      const { gate, held, finalize, onRegister } = handlers;
      const unit = handlers.upstream?.unit ?? info.unit ?? (info.role === 'transform' ? 'item' : downstream.unit);
      const onBatches = () => {
        account.takeBatches();
        if (handlers.onBatches) handlers.onBatches();
        else operation.downstream.onBatches?.();
      };
      account.gate = gate;
      account.weigh = weigher(unit);
      if (held) account.holds(() => handlers.held!());
      if (finalize) destination.add(() => finalize.call(handlers));
      subscriber = new OperateSubscriber<T, R>(destination, handlers, countsInput ? account : undefined);
      if (watch) {
        if (!gate) watch.below = downstream.watch ?? undefined;
        watch.sampler = (look) => subscriber?.sample(look);
      }
      account.input = subscriber;
      if (detached || destination.closed) {
        subscriber.unsubscribe();
        return;
      }
      const context: FlowContext = {
        ...downstream,
        ...handlers.upstream,
        gate: gate ?? downstream.gate,
        unit,
        stage: info.unlisted ? downstream.stage : account.stage,
        onRegister,
        onBatches: info.unit === undefined ? onBatches : undefined,
        watch: info.unlisted || watch === undefined ? downstream.watch : watch,
      };
      attachContext(subscriber, context);
      // As in withContext(): all sources know of it before a stage acts on it.
      if (context.stopping !== downstream.stopping) destination.add(StopSignal.of(context.stopping).listen());
      subscriber.subscribeTo(source, context);
    });
}

/** What an operator does with what reaches it from an inner observable, whose errors are its own unless it handles them. */
export type InnerHandlers<T> = Pick<Handlers<T>, 'next' | 'error' | 'complete'>;

/**
 * Subscribes an inner observable on behalf of an operator: chained to the operator's destination, so that it is torn down
 * with it, and with `downstream` as its context, so that what pauses inside finds the gate there. What it emits is counted as come in
 * where an `account` is given.
 */
export function subscribeInner<T>(
  input: ObservableInput<T>,
  { destination, downstream }: Pick<Operation<never>, 'destination' | 'downstream'>,
  handlers: InnerHandlers<T>,
  account?: StageAccount,
): Subscription {
  const subscriber = new OperateSubscriber<T, never>(
    destination,
    handlers.complete ? handlers : { ...handlers, complete() {} },
    account,
  );
  if (account && downstream.watch) downstream.watch.sampler = (look) => subscriber.sample(look);
  if (account) account.input = subscriber;
  attachContext(subscriber, downstream);
  subscriber.subscribeTo(from(input), downstream);
  return subscriber;
}

/**
 * The context for what an operator starts on behalf of an item that it holds: a write, a diversion. It runs to completion
 * during a drain and is not counted, because the operator already counts the item.
 */
export function detachedContext({ destination, downstream }: Pick<Operation<never>, 'destination' | 'downstream'>) {
  const { gate, group, worker } = downstream;
  return { destination, downstream: { ...NO_CONTEXT, gate, group, worker } };
}
