import {
  from,
  NEVER,
  Observable,
  type ObservableInput,
  type OperatorFunction,
  Subscriber,
  type Subscription,
} from 'rxjs';
import { attachContext, contextOf, type FlowContext, hasFallbackContext, withFallbackContext } from './context.js';
import type { Gate } from './gate.js';
import { NO_MONITOR, type Stage, type StageRole } from './monitor.js';

/** What an operator does with what reaches it. Whatever a handler throws goes to the error channel downstream. */
export interface Handlers<T> {
  next(value: T): void;
  /** For speed alone: takes many items in one call, where a buffer stands directly upstream. Default: one by one. */
  bulk?: Bulk<T> | undefined;
  /** Default: passes the error on. */
  error?(error: unknown): void;
  /** Default: passes completion on. */
  complete?(): void;
  /** Runs once, when the subscription ends for whatever reason: release timers and what else outlives the source. */
  finalize?(): void;
  /** The gate for those upstream. Default: the one downstream, so that backpressure passes through. */
  gate?: Gate;
  /** How many items are in hand, for the account. Default: none. */
  held?(): number;
  /** Told of each stage or source of Sluice's that is subscribed above this operator. Default: nobody is told. */
  onFound?(): void;
  /** What else those upstream are told, instead of what the context downstream says. Default: nothing. */
  upstream?: Partial<Pick<FlowContext, 'stopping' | 'expired' | 'abort'>>;
}

/** A second way in beside `next`: what comes by it counts and behaves as if it had come one by one. */
export interface Bulk<T> {
  /** How many items can be taken now without closing the gate before the last; 0 sends them to `next`. */
  room(): number;
  /** Takes items, at least one and no more than there is room for. The array is the taker's. */
  next(items: T[]): void;
}

/** What an operator is given to work with, once a subscription. */
export interface Operation<R> {
  readonly destination: Subscriber<R>;
  /** The context downstream: obey its gate, flush on its `stopping`. */
  readonly downstream: FlowContext;
  /** The account to keep. */
  readonly stage: Stage;
  /** Lets go of the source: nothing more comes in. What is in hand can still be emitted. */
  readonly detach: () => void;
}

export interface OperationInfo {
  readonly kind: string;
  readonly name?: string | undefined;
  readonly role?: StageRole | undefined;
  /** The name of the sink, of an operator that writes to one. */
  readonly sink?: string | undefined;
  /** No place of its own in topology and account: everything passes at once. Default false. */
  readonly unlisted?: boolean | undefined;
}

/**
 * How an operator is written: `operate({ kind }, ({ destination, downstream, stage }) => handlers)`.
 *
 * The function runs once a subscription; all state lives in it. The subscriber is chained to its destination, so that
 * `take(1)` downstream stops a synchronous source, a throwing handler reaches the error channel, and the walk of
 * {@link contextOf} passes through.
 *
 * @example
 * ```ts
 * import { operate } from 'sluice';
 *
 * const double = () =>
 *   operate<number, number>({ kind: 'double' }, ({ destination, stage }) => ({
 *     next(value) {
 *       stage.in += 1;
 *       stage.out += 1;
 *       destination.next(value * 2);
 *     },
 *   }));
 * ```
 */
export function operate<T, R>(
  info: OperationInfo,
  init: (operation: Operation<R>) => Handlers<T>,
): OperatorFunction<T, R> {
  return (source) =>
    new Observable<R>((destination) => {
      const downstream = contextOf(destination);
      const { monitor } = downstream;
      const stage = (info.unlisted ? NO_MONITOR : monitor).register({ ...info, feeds: downstream.stage });
      let subscriber: OperateSubscriber<T, R> | undefined;
      let detached = false;
      const detach = () => {
        detached = true;
        try {
          subscriber?.unsubscribe();
        } catch (error) {
          // Why the source is let go of matters more; that it could not be closed is told with the rest of the teardown.
          destination.add(() => {
            throw error;
          });
        }
      };
      // Before anything that may throw: the stage of an operator that cannot be set up is over too.
      destination.add(() => stage.close());
      const handlers = init({ destination, downstream, stage, detach });
      const { gate, held, finalize, onFound } = handlers;
      stage.gate = gate;
      if (held) stage.holds(() => handlers.held!());
      if (finalize) destination.add(() => finalize.call(handlers));
      subscriber = new OperateSubscriber<T, R>(destination, handlers);
      // After what is upstream has been let go. A source that others share goes on without this subscriber, and must not
      // wait at its gate for ever.
      if (gate) destination.add(() => gate.open());
      if (detached || destination.closed) {
        subscriber.unsubscribe();
        return;
      }
      const { stopping, expired, abort } = { ...downstream, ...handlers.upstream };
      const context: FlowContext = {
        gate: gate ?? downstream.gate,
        stopping,
        expired,
        abort,
        monitor,
        stage: info.unlisted ? downstream.stage : stage,
        onFound,
      };
      attachContext(subscriber, context);
      subscriber.subscribeTo(source, context);
    });
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
 * with it, and with `downstream` as its context, so that what pauses inside finds the gate there.
 */
export function subscribeInner<T>(
  input: ObservableInput<T>,
  { destination, downstream }: Pick<Operation<never>, 'destination' | 'downstream'>,
  handlers: InnerHandlers<T>,
): Subscription {
  const subscriber = new OperateSubscriber<T, never>(
    destination,
    handlers.complete ? handlers : { ...handlers, complete() {} },
  );
  attachContext(subscriber, downstream);
  subscriber.subscribeTo(from(input), downstream);
  return subscriber;
}

/**
 * The context for what an operator starts on behalf of an item in hand: a write, a diversion. It finishes in a drain, for
 * the item is to be finished, and is not in the account, where the item is counted by the operator.
 */
export function detachedContext({ destination, downstream }: Pick<Operation<never>, 'destination' | 'downstream'>) {
  const context = { ...downstream, stopping: NEVER, expired: NEVER, abort: undefined };
  return { destination, downstream: { ...context, monitor: NO_MONITOR, stage: undefined } };
}

/** The bulk way into what stands directly downstream, where that is an operator that has one. */
export function bulkOf<T>(destination: Subscriber<T>): Bulk<T> | undefined {
  return destination instanceof OperateSubscriber ? destination.bulk : undefined;
}

class OperateSubscriber<T, R> extends Subscriber<T> {
  readonly #handlers: Handlers<T>;
  readonly #next: (value: T) => void;
  readonly #downstream: Subscriber<R>;
  #isSubscribing = false;

  constructor(destination: Subscriber<R>, handlers: Handlers<T>) {
    super(destination);
    this.#handlers = handlers;
    // A field of one shape, where the handlers of each operator have their own: this is the hottest call of all.
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
            bulk.next(items);
          } catch (error) {
            this.#downstream.error(error);
          }
        },
      }
    );
  }

  /** Overridden whole, and not only `_next`, to save a call an item. */
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
      this.#next(value);
    } catch (error) {
      this.#downstream.error(error);
    }
  }

  /**
   * An item of a synchronous source: what callbacks subscribe from here on is no part of that subscription. A closure over
   * the item costs its memory wherever it stands in a function, so it stands in this one.
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
