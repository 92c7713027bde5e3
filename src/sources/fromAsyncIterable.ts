import { type Observable, throwError } from 'rxjs';
import { gatedSource } from '../flow/gatedSource.js';
import { type SourceConfig, sourceOptions } from '../flow/sourceOptions.js';
import { iteratorResult } from '../primitives/iteratorResult.js';
import { func, readArgument, readOptions } from '../primitives/options.js';

export interface FromAsyncIterableConfig extends SourceConfig {}

const OPTIONS = sourceOptions('fromAsyncIterable');

/**
 * Emits the items of an async iterable, such as an IxJS pipeline or an async generator. It pulls the next item only while
 * the gate downstream is open, and never more than one at a time.
 *
 * ```text
 * pulls      a-b-c-------------d-e
 * gate       open--closed------open
 * output     -a-b--------------c-d|
 * ```
 *
 * **Emits when** a pull is answered and the gate is open. It yields to the event loop every `yieldAfterMs`: promises that are
 * already resolved would starve it.
 * **Backpressure**: pauses. At most one item waits: the answer to a pull that was made just before the gate closed.
 * **Completes when** the iterator is done, or the pipeline is asked to drain.
 * **Errors when** a pull is rejected, with the reason, or its answer is not a `{ done, value }` (`TypeError`).
 * **On unsubscribe** calls the iterator's `return()`, unless it is done. If that is rejected, the reason goes to RxJS's
 * `config.onUnhandledError`.
 *
 * **Delivery**: a pull in flight when the pipeline drains or is unsubscribed is not cut short. Its answer, or an item that
 * waits at the gate, is discarded and counted as dropped, reason `stopped`. Nobody downstream has seen it: an iterable that
 * can seek gives it again.
 *
 * **Gotchas**: an async generator runs `return()` only after the pull in flight, so one that awaits an event that never
 * comes is never released. An async generator object iterates once: `retry()` needs an iterable that can start afresh.
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
  readArgument(owner, 'iterable[Symbol.asyncIterator]', iterable?.[Symbol.asyncIterator], func());
  const options = readOptions(owner, config, OPTIONS);

  return gatedSource<T>(options, (outlet) => {
    const iterator = iterable[Symbol.asyncIterator]();
    /** `answered`: an item waits to be emitted. `done`: the iterator must not be touched any more. */
    let state: 'idle' | 'pulling' | 'answered' | 'done' = 'idle';
    let item: T | undefined;

    const onAnswer = (result: unknown) => {
      const answer = readResult<T>(owner, result);
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
    const onFailure = (error: unknown) => {
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
      // It is idle: the pump rests while a pull is in flight, and only the answer wakes it. A next() that throws ends it.
      state = 'done';
      const pull = iterator.next();
      state = 'pulling';
      Promise.resolve(pull).then(onAnswer).catch(onFailure);
      return false;
    });

    return () => {
      if (state === 'answered') outlet.drop('stopped');
      if (state === 'done') return;
      state = 'done';
      // Nobody listens any more: report an error of the release as RxJS reports its own.
      const report = (error: unknown) => throwError(() => error).subscribe();
      try {
        iterator.return?.()?.then(undefined, report);
      } catch (error) {
        report(error);
      }
    };
  });
}

/** Reads the answer to a pull once: its getters may throw. */
function readResult<T>(owner: string, result: unknown): IteratorResult<T, undefined> {
  const answer = iteratorResult<T>(owner, 'resolve to', result);
  return answer.done ? { done: true, value: undefined } : { done: false, value: answer.value };
}
