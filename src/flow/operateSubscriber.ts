import type { Observable } from 'rxjs';
import { Subscriber } from 'rxjs';
import { type FlowContext, fallbackContext, withFallbackContext } from './context.js';
import type { Gate } from './gate.js';
import type { StageAccount } from './stage.js';
import { weightOfAll } from './unit.js';

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

/** The upstream end of an operator: counts what comes in, and hands it to the handlers. */
export class OperateSubscriber<T, R> extends Subscriber<T> {
  readonly #handlers: Handlers<T>;
  readonly #next: (value: T) => void;
  readonly #downstream: Subscriber<R>;
  readonly #account: StageAccount | undefined;
  #isSubscribing = false;
  /** What is lent around the subscription of the source. */
  #outside: FlowContext | undefined;

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
    this.#outside = fallbackContext();
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
    if (this.#isSubscribing && fallbackContext() !== undefined) {
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

  /**
   * After what is upstream has been closed: a source that others share goes on without this subscriber, and must not wait at
   * its gate for ever.
   */
  override unsubscribe(): void {
    if (this.closed) return;
    try {
      super.unsubscribe();
    } finally {
      // A destination that is closed already unsubscribes this inside the constructor of the base class.
      if (#handlers in this) this.#handlers.gate?.open();
    }
  }

  protected override _error(error: unknown): void {
    this.#endWith(() => {
      if (this.#handlers.error) this.#handlers.error(error);
      else this.#downstream.error(error);
    });
  }

  protected override _complete(): void {
    this.#endWith(() => {
      if (this.#handlers.complete) this.#handlers.complete();
      else this.#downstream.complete();
    });
  }

  #endWith(handle: () => void): void {
    try {
      // What downstream subscribes next, such as the second of a concat(), is no part of this subscription.
      if (this.#isSubscribing) withFallbackContext(this.#outside, handle);
      else handle();
    } catch (thrown) {
      this.#downstream.error(thrown);
    } finally {
      this.unsubscribe();
    }
  }
}
