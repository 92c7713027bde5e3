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

/**
 * The upstream end of an operator: counts what comes in, and hands it to the handlers.
 *
 * Its fields are not private names, because a `Proxy` around a subscriber has none: an operator that wraps its subscriber in one
 * calls these methods with the proxy as `this`.
 */
export class OperateSubscriber<T, R> extends Subscriber<T> {
  private readonly _handlers: Handlers<T>;
  private _take: (value: T) => void;
  private readonly _downstream: Subscriber<R>;
  private readonly _account: StageAccount | undefined;
  private readonly _self = this;
  private _isSubscribing = false;
  /** What is lent around the subscription of the source. */
  private _outside: FlowContext | undefined;

  constructor(destination: Subscriber<R>, handlers: Handlers<T>, account: StageAccount | undefined) {
    super(destination);
    this._handlers = handlers;
    this._account = account;
    // A field of one shape, where the handlers of each operator have their own: this is the hottest call.
    this._take = handlers.next;
    this._downstream = destination;
  }

  /** Subscribes `source`, and lends `context` meanwhile to what cannot find it. */
  subscribeTo(source: Observable<T>, context: FlowContext): void {
    this._isSubscribing = true;
    this._outside = fallbackContext();
    withFallbackContext(context, () => source.subscribe(this));
    this._isSubscribing = false;
  }

  /** Has `look` called with each item before it is taken, until it returns true. */
  sample(look: () => boolean): void {
    const take = this._take;
    this._take = (value) => {
      if (look()) this._take = take;
      take(value);
    };
  }

  /** The bulk way in, as well guarded as `next`. */
  get bulk(): Bulk<T> | undefined {
    const bulk = this._handlers.bulk;
    return (
      bulk && {
        room: () => (this.isStopped ? 0 : bulk.room()),
        next: (items) => {
          try {
            if (this._account) this._account.in += weightOfAll(items, this._account.weigh);
            bulk.next(items);
          } catch (error) {
            this._downstream.error(error);
          }
        },
      }
    );
  }

  /** Not the same as a proxy around it: the bulk way in would go past what the proxy does. */
  isItself(subscriber: unknown): boolean {
    return subscriber === this._self;
  }

  /** Overridden whole rather than `_next` alone, which saves a call per item. */
  override next(value: T): void {
    if (this.isStopped) {
      super.next(value);
      return;
    }
    if (this._isSubscribing && fallbackContext() !== undefined) {
      this._nextOutside(value);
      return;
    }
    try {
      const account = this._account;
      if (account !== undefined) account.in += account.weigh === undefined ? 1 : account.weigh(value);
      this._take(value);
    } catch (error) {
      this._downstream.error(error);
    }
  }

  /**
   * An item of a synchronous source: what callbacks subscribe from here on is no part of that subscription. A closure over
   * the item costs memory on every path of its function, so it has a function of its own.
   */
  private _nextOutside(value: T): void {
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
      this._handlers?.gate?.open();
    }
  }

  protected override _error(error: unknown): void {
    this._endWith(() => {
      if (this._handlers.error) this._handlers.error(error);
      else this._downstream.error(error);
    });
  }

  protected override _complete(): void {
    if (this._account) this._account.inputIsOver = true;
    this._endWith(() => {
      if (this._handlers.complete) this._handlers.complete();
      else this._downstream.complete();
    });
  }

  private _endWith(handle: () => void): void {
    try {
      // What downstream subscribes next, such as the second of a concat(), is no part of this subscription.
      if (this._isSubscribing) withFallbackContext(this._outside, handle);
      else handle();
    } catch (thrown) {
      this._downstream.error(thrown);
    } finally {
      this.unsubscribe();
    }
  }
}
