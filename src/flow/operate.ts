import {
  from,
  NEVER,
  Observable,
  type ObservableInput,
  type OperatorFunction,
  Subscriber,
  type Subscription,
} from 'rxjs';
import {
  attachContext,
  contextOf,
  type FlowContext,
  hasFallbackContext,
  registerStage,
  withFallbackContext,
} from './context.js';
import type { Gate } from './gate.js';
import { type Fate, NO_MONITOR, type Stage, type StageAccount, type StageRole } from './monitor.js';
import { byMark, type Unit, type Weigh, weigher, weightOf, weightOfAll } from './unit.js';

/** What an operator does with what reaches it. Whatever a handler throws goes to the error channel downstream. */
export interface Handlers<T> {
  /** Takes a value, which has been counted as come in. */
  next(value: T): void;
  /** For speed alone: takes many items in one call, where a buffer is directly upstream. Default: one by one. */
  bulk?: Bulk<T> | undefined;
  /** Default: passes the error on. */
  error?(error: unknown): void;
  /** Default: passes completion on. */
  complete?(): void;
  /** Runs once, when the subscription ends for whatever reason: release timers and what else outlives the source. */
  finalize?(): void;
  /** The gate for those upstream. Default: the one downstream, so that backpressure passes through. */
  gate?: Gate;
  /** How many items the operator holds, for the account; {@link Operation.weigh} says how many a value is. Default: none. */
  held?(): number;
  /** Called for each stage or source of Sluice that is subscribed directly above this operator. */
  onRegister?(): void;
  /** What those upstream are told instead of what the context downstream says. Default: the same. */
  upstream?: Partial<Pick<FlowContext, 'stopping' | 'expired' | 'abort' | 'unit'>>;
  /** A `batch()` above hands on batches that no writer below has asked for. Default: tells what is downstream. */
  onBatches?(): void;
}

/** A second way in beside `next`: what comes by it counts and behaves as if it had come one by one. */
export interface Bulk<T> {
  /** How many items can be taken now without closing the gate before the last; 0 sends them to `next`. */
  room(): number;
  /** Takes items, at least one and no more than there is room for. The array belongs to the taker. */
  next(items: T[]): void;
}

/** What an operator is given to work with, once per subscription. */
export interface Operation<R> {
  readonly destination: Subscriber<R>;
  /** The context downstream: obey its gate, flush on its `stopping`. */
  readonly downstream: FlowContext;
  /** What the operator has counted. */
  readonly stage: Stage;
  /** Emits, and counts the value as handed on: as `weight` items, where it does not weigh what came in for it. */
  readonly emit: (value: R, weight?: number) => void;
  /** Counts a value as handed on that does not go to `destination`, but to one of several branches. */
  readonly handOn: (value: unknown) => void;
  /** The bulk way into what is directly downstream, where that is an operator that has one. It counts as `emit` does. */
  readonly bulkOut: () => Bulk<R> | undefined;
  /** Counts a value that goes no further, by reason: dropped, diverted, or written. */
  readonly settle: (fate: Fate, value: unknown, reason?: string) => void;
  /** The same for `count` items that are no value of the stream; `items` is asked only where an observer wants them. */
  readonly settleSome: (fate: Fate, count: number, reason: string, items: () => readonly unknown[]) => void;
  /** How many items a value counts as on its way in: 1, or the length of a batch. */
  readonly weigh: Weigh;
  /** Unsubscribes the source: nothing more comes in. What is held can still be emitted. */
  readonly detach: () => void;
}

export interface OperationInfo {
  readonly kind: string;
  readonly name?: string | undefined;
  readonly role?: StageRole | undefined;
  /** The name of the sink, for an operator that writes to one. */
  readonly sink?: string | undefined;
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
  init: (operation: Operation<R>, account: StageAccount) => Handlers<T>,
  countsInput: boolean,
): OperatorFunction<T, R> {
  return (source) =>
    new Observable<R>((destination) => {
      const downstream = contextOf(destination);
      const account = registerStage(downstream, info, info.unlisted ? NO_MONITOR : downstream.monitor);
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
      const handlers = init(operationOf(destination, downstream, account, detach), account);
      const { gate, held, finalize, onRegister } = handlers;
      const { stopping, expired, abort } = { ...downstream, ...handlers.upstream };
      const unit = unitOf(info, downstream, handlers);
      const onBatches = () => {
        account.weigh ??= byMark;
        if (info.role === 'transform') return;
        if (handlers.onBatches) handlers.onBatches();
        else downstream.onBatches?.();
      };
      account.gate = gate;
      account.weigh = weigher(unit);
      if (held) account.holds(() => handlers.held!());
      if (finalize) destination.add(() => finalize.call(handlers));
      subscriber = new OperateSubscriber<T, R>(destination, handlers, countsInput ? account : undefined);
      // After what is upstream has been closed. A source that others share goes on without this subscriber, and must not
      // wait at its gate for ever.
      if (gate) destination.add(() => gate.open());
      if (detached || destination.closed) {
        subscriber.unsubscribe();
        return;
      }
      const context: FlowContext = {
        gate: gate ?? downstream.gate,
        stopping,
        expired,
        abort,
        unit,
        monitor: downstream.monitor,
        stage: info.unlisted ? downstream.stage : account.stage,
        group: downstream.group,
        worker: downstream.worker,
        onRegister,
        onBatches: info.unit === undefined ? onBatches : undefined,
      };
      attachContext(subscriber, context);
      subscriber.subscribeTo(source, context);
    });
}

function unitOf({ role, unit }: OperationInfo, downstream: FlowContext, { upstream }: Handlers<never>): Unit {
  return upstream?.unit ?? unit ?? (role === 'transform' ? 'item' : downstream.unit);
}

function operationOf<R>(
  destination: Subscriber<R>,
  downstream: FlowContext,
  account: StageAccount,
  detach: () => void,
): Operation<R> {
  return {
    destination,
    downstream,
    stage: account.stage,
    detach,
    emit: emitterOf(destination, downstream, account),
    handOn(value) {
      account.out += weightOf(value, account.weigh);
    },
    bulkOut() {
      const bulk = destination instanceof OperateSubscriber ? (destination.bulk as Bulk<R> | undefined) : undefined;
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
    settle: (fate, value, reason) => account.settle(fate, value, reason),
    settleSome: (fate, count, reason, items) => account.settleSome(fate, count, reason, items),
    weigh: (value) => weightOf(value, account.weigh),
  };
}

function emitterOf<R>(destination: Subscriber<R>, { unit }: FlowContext, account: StageAccount): Operation<R>['emit'] {
  const { role } = account.stage;
  // What a writer emits is a record of the write, and no item.
  if (role === 'writer') return (value) => destination.next(value);
  if (role === 'transform') {
    const weigh = weigher(unit) ?? byMark;
    return (value) => {
      account.out += weigh(value);
      destination.next(value);
    };
  }
  return (value, weight = account.weigh === undefined ? 1 : account.weigh(value)) => {
    account.out += weight;
    destination.next(value);
  };
}

/** What an operator does with what reaches it from an inner observable. */
export interface InnerHandlers<T> {
  next(value: T): void;
  /** Default: an inner error is an error of the operator. */
  error?(error: unknown): void;
  /** Default: nothing. */
  complete?(): void;
}

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
  attachContext(subscriber, downstream);
  subscriber.subscribeTo(from(input), downstream);
  return subscriber;
}

/**
 * The context for what an operator starts on behalf of an item that it holds: a write, a diversion. It runs to completion
 * during a drain and is not counted, because the operator already counts the item.
 */
export function detachedContext({ destination, downstream }: Pick<Operation<never>, 'destination' | 'downstream'>) {
  const context = {
    ...downstream,
    stopping: NEVER,
    expired: NEVER,
    abort: undefined,
    onRegister: undefined,
    onBatches: undefined,
  };
  return { destination, downstream: { ...context, monitor: NO_MONITOR, stage: undefined, unit: 'item' as const } };
}

class OperateSubscriber<T, R> extends Subscriber<T> {
  readonly #handlers: Handlers<T>;
  readonly #next: (value: T) => void;
  readonly #downstream: Subscriber<R>;
  readonly #account: StageAccount | undefined;
  #isSubscribing = false;

  constructor(destination: Subscriber<R>, handlers: Handlers<T>, account: StageAccount | undefined) {
    super(destination);
    this.#handlers = handlers;
    this.#account = account;
    // A field of one shape, where the handlers of each operator have their own: this is the hottest call.
    this.#next = handlers.next;
    this.#downstream = destination;
  }

  /** Subscribes `source`, and lends `context` meanwhile to what cannot find it. */
  subscribeTo(source: Observable<T>, context: FlowContext): void {
    this.#isSubscribing = true;
    withFallbackContext(context, () => source.subscribe(this));
    this.#isSubscribing = false;
  }

  /** The bulk way in, as well guarded as `next`. */
  get bulk(): Bulk<T> | undefined {
    const bulk = this.#handlers.bulk;
    return (
      bulk && {
        room: () => (this.isStopped ? 0 : bulk.room()),
        next: (items) => {
          try {
            if (this.#account) this.#account.in += weightOfAll(items, this.#account.weigh);
            bulk.next(items);
          } catch (error) {
            this.#downstream.error(error);
          }
        },
      }
    );
  }

  /** Overridden whole rather than `_next` alone, which saves a call per item. */
  override next(value: T): void {
    if (this.isStopped) {
      super.next(value);
      return;
    }
    if (this.#isSubscribing && hasFallbackContext()) {
      this.#nextOutside(value);
      return;
    }
    try {
      const account = this.#account;
      if (account !== undefined) account.in += account.weigh === undefined ? 1 : account.weigh(value);
      this.#next(value);
    } catch (error) {
      this.#downstream.error(error);
    }
  }

  /**
   * An item of a synchronous source: what callbacks subscribe from here on is no part of that subscription. A closure over
   * the item costs memory on every path of its function, so it has a function of its own.
   */
  #nextOutside(value: T): void {
    withFallbackContext(undefined, () => this.next(value));
  }

  protected override _error(error: unknown): void {
    try {
      if (this.#handlers.error) this.#handlers.error(error);
      else this.#downstream.error(error);
    } catch (thrown) {
      this.#downstream.error(thrown);
    } finally {
      this.unsubscribe();
    }
  }

  protected override _complete(): void {
    try {
      if (this.#handlers.complete) this.#handlers.complete();
      else this.#downstream.complete();
    } catch (thrown) {
      this.#downstream.error(thrown);
    } finally {
      this.unsubscribe();
    }
  }
}
