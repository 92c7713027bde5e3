import { type Observable, type SchedulerLike, throwError } from 'rxjs';
import { gatedSource } from '../flow/gatedSource.js';
import { eventLoopScheduler } from '../primitives/eventLoopScheduler.js';
import { requireDuration, requireFunction, requireKnownOptions, requireText } from '../primitives/validate.js';

export interface FromAsyncIterableConfig {
  /** Where the source resumes after it has yielded to the event loop. Default: after one turn of the event loop. */
  readonly scheduler?: SchedulerLike;
  /**
   * How long the source may run before it lets the event loop turn, in milliseconds of the scheduler's clock: promises
   * that are resolved at once would keep it from turning. From 0, default 20.
   */
  readonly yieldAfterMs?: number;
  /** The name in topology, metrics and the report. Default `fromAsyncIterable`. */
  readonly name?: string;
}

/**
 * Emits the items of an async iterable, such as an IxJS pipeline or an async generator, and pulls the next one only
 * while the gate downstream is open, never more than one at a time.
 *
 * ```text
 * pulls      a-b-c-------------d-e
 * gate       open--closed------open
 * output     -a-b--------------c-d|
 * ```
 *
 * **Emits when** a pull is answered and the gate is open.
 * **Backpressure**: pauses. One item at most waits: the answer to a pull made just before the gate closed.
 * **Completes when** the iterator is done, or the pipeline is asked to stop.
 * **Errors when** a pull is rejected, with the reason, or its answer is no `{ done, value }` (`TypeError`).
 * **On unsubscribe** calls the iterator's `return()`, unless it is done. If that is rejected, the reason goes where RxJS
 * takes unhandled errors (`config.onUnhandledError`).
 *
 * **Delivery**: a pull in flight when the pipeline stops or is unsubscribed is not cut short, and its answer is discarded
 * and counted as dropped, reason `stopped`, where the account is still read; so is an item waiting at the gate. Nobody
 * downstream has seen it: an iterable that can seek gives it again.
 *
 * **Gotchas**: an async generator runs `return()` only after the pull in flight; one that awaits something that never
 * comes is never released. An async generator object iterates once: retry over an iterable that can begin again.
 *
 * @example
 * ```ts
 * import { from } from 'ix/asynciterable';
 * import { filter } from 'ix/asynciterable/operators';
 * import { boundedBuffer } from 'sluice/operators';
 * import { fromAsyncIterable } from 'sluice/sources';
 *
 * const even = from([1, 2, 3, 4]).pipe(filter((n) => n % 2 === 0));
 * fromAsyncIterable(even)
 *   .pipe(boundedBuffer({ capacity: 100 }))
 *   .subscribe((n) => console.log(n));
 * ```
 */
export function fromAsyncIterable<T>(iterable: AsyncIterable<T>, config: FromAsyncIterableConfig = {}): Observable<T> {
  const owner = 'fromAsyncIterable';
  requireFunction(owner, 'iterable[Symbol.asyncIterator]', iterable?.[Symbol.asyncIterator]);
  requireKnownOptions(owner, config, ['scheduler', 'yieldAfterMs', 'name']);
  const yieldAfterMs = requireDuration(owner, 'yieldAfterMs', config.yieldAfterMs ?? 20);
  const scheduler = config.scheduler ?? eventLoopScheduler;
  const name = requireText(owner, 'name', config.name ?? owner);

  return gatedSource<T>({ name, scheduler, yieldAfterMs }, (outlet) => {
    const iterator = iterable[Symbol.asyncIterator]();
    /** `answered`: an item waits to be emitted. `done`: the iterator is not to be touched any more. */
    let state: 'idle' | 'pulling' | 'answered' | 'done' = 'idle';
    let item: T | undefined;

    const onAnswer = (result: unknown) => {
      let answer: IteratorResult<T>;
      try {
        answer = readResult<T>(owner, result);
      } catch (error) {
        onRejection(error);
        return;
      }
      if (outlet.closed) {
        if (!answer.done) outlet.drop('stopped');
      } else if (answer.done) {
        state = 'done';
        outlet.complete();
      } else {
        state = 'answered';
        item = answer.value;
        outlet.wake();
      }
    };
    const onRejection = (error: unknown) => {
      state = 'done';
      outlet.error(error);
    };

    outlet.pump(() => {
      if (state === 'answered') {
        const answer = item as T;
        item = undefined;
        state = 'idle';
        outlet.next(answer);
        return true;
      }
      // It is idle: the pump rests while a pull is in flight, and only the answer wakes it.
      state = 'pulling';
      try {
        Promise.resolve(iterator.next()).then(onAnswer, onRejection);
      } catch (error) {
        state = 'done';
        throw error;
      }
      return false;
    });

    return () => {
      if (state === 'answered') outlet.drop('stopped');
      if (state === 'done') return;
      state = 'done';
      // A promise has no error channel left to it here: an error of release is reported as RxJS reports its own.
      const report = (error: unknown) => throwError(() => error).subscribe();
      try {
        iterator.return?.()?.then(undefined, report);
      } catch (error) {
        report(error);
      }
    };
  });
}

/** Reads the answer to a pull once: it is another's object, whose getters may throw. */
function readResult<T>(owner: string, result: unknown): IteratorResult<T, undefined> {
  if ((typeof result !== 'object' && typeof result !== 'function') || result === null) {
    throw new TypeError(`${owner}: next() of the iterator must give { done, value }, got ${String(result)}`);
  }
  const { done } = result as IteratorResult<T>;
  return done ? { done: true, value: undefined } : { done: false, value: (result as IteratorYieldResult<T>).value };
}
