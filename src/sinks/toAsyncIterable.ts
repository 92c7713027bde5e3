import type { Observable } from 'rxjs';
import { readOptions } from '../primitives/options.js';
import {
  HAND_OVER_OPTIONS,
  HandOver,
  type HandOverConfig,
  type HandOverSettings,
  handOverSettings,
} from './handOver.js';

export interface ToAsyncIterableConfig extends HandOverConfig {}

/**
 * The items of a chain for `for await`, IxJS, or whatever else takes an async iterable, at the pace of the consumer.
 *
 * ```text
 * source    a-b-c-d--------e-f-|      readAhead 2
 * next()    !-----!--------!-!-!-!
 * answers   a-----b--------c-d-e-f|
 * gate      o---c----------o-...      closed while 2 items wait
 * ```
 *
 * **Emits when**: the consumer asks by `next()`, an item.
 * **Backpressure**: closes its gate to the source when `readAhead` items wait, and opens it when half of them are left.
 * **Completes when**: the source has completed and everything held is taken; or after a drain that `stop` began.
 * **Errors when**: the source fails, after everything held is taken: `next()` rejects with its error, once. A source that ignores
 * the gate has more than `capacity` items wait (`BufferOverflowError`, after what is held). A drain is out of time while items are
 * held (`DrainDeadlineError`, with the report).
 * **On unsubscribe**: leaving the loop, or `return()`, unsubscribes the source at once; what is held is abandoned, and shows as
 * `held` to an observer.
 *
 * **Delivery**: each item once, in order. What was read ahead and not taken is lost unless the source can give it again.
 *
 * **Gotchas**:
 * - Nothing is subscribed before the first `next()`. Each iteration subscribes the source anew.
 * - Several `next()` at once are answered in their order.
 * - Stops for no signal by itself: give `stop` an `AbortSignal`. A source that is not one of Sluice's is unsubscribed then, unless
 *   a stage stands between: put `untilStopped()` directly behind such a source.
 *
 * @example
 * ```ts
 * import { conflate } from 'sluice/operators';
 * import { toAsyncIterable } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 *
 * const newest$ = synthetic({ symbols: 5, count: 1_000, seed: 1 }).pipe(conflate({ by: (bar) => bar.symbol }));
 * for await (const bar of toAsyncIterable(newest$)) console.log(bar.symbol, bar.close);
 * ```
 */
export function toAsyncIterable<T>(source$: Observable<T>, config: ToAsyncIterableConfig = {}): AsyncIterable<T> {
  const owner = 'toAsyncIterable';
  const settings = handOverSettings(owner, source$, readOptions(owner, config, HAND_OVER_OPTIONS));
  return { [Symbol.asyncIterator]: () => new Iteration(source$, settings) };
}

interface Pull<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/** One iteration. */
class Iteration<T> implements AsyncIterableIterator<T> {
  readonly #handOver: HandOver<T>;
  /** Those who have asked and wait, in order. */
  readonly #pulls: Pull<T>[] = [];
  #isOver = false;
  /** What is still to be thrown. */
  #failure: { readonly error: unknown } | undefined;

  constructor(source$: Observable<T>, settings: HandOverSettings) {
    this.#handOver = new HandOver(source$, settings, {
      wants: () => this.#pulls.length > 0,
      take: (value) => this.#pulls.shift()!.resolve({ done: false, value }),
      ended: (failure) => {
        this.#isOver = true;
        this.#failure = failure;
        for (const pull of this.#pulls.splice(0)) this.#answerEnd(pull);
      },
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      const pull = { resolve, reject };
      if (this.#isOver) {
        this.#answerEnd(pull);
        return;
      }
      this.#pulls.push(pull);
      this.#handOver.ask();
    });
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    // Whoever leaves does not want to know why there would be no more, but must know what the teardown throws.
    this.#failure = undefined;
    this.#handOver.cancel();
    const failure = this.#failure as { readonly error: unknown } | undefined;
    this.#failure = undefined;
    if (failure) throw failure.error;
    return DONE;
  }

  async throw(error: unknown): Promise<never> {
    this.#handOver.cancel();
    this.#failure = undefined;
    throw error;
  }

  #answerEnd({ resolve, reject }: Pull<T>): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) reject(failure.error);
    else resolve(DONE);
  }
}
