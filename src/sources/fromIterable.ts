import { type Observable, throwError } from 'rxjs';
import { gatedSource } from '../flow/gatedSource.js';
import { type SourceConfig, sourceOptions } from '../flow/sourceOptions.js';
import { iteratorResult } from '../primitives/iteratorResult.js';
import { boolean, func, type OptionsOf, readArgument, readOptions } from '../primitives/options.js';

export interface FromIterableConfig extends SourceConfig {
  /**
   * Whether the source completes when the pipeline is asked to drain. Default true. With `false` it runs to its end: for the
   * content of one item, such as the pages of a request inside `concatMap`, which a drain must not cut short.
   */
  readonly stops?: boolean;
}

const OPTIONS = {
  stops: boolean().default(true),
  ...sourceOptions('fromIterable'),
} satisfies OptionsOf<FromIterableConfig>;

/**
 * Emits the items of an iterable, such as an array, a `Map` or a generator, and takes the next one only while the gate
 * downstream is open.
 *
 * ```text
 * iterable   a b c d e f g
 * gate       open---closed-----open---
 * output     abc----------------defg|
 * ```
 *
 * **Emits when** subscribed: synchronously, item by item. It yields to the event loop every `yieldAfterMs`, a time that it
 * shares with the other sources on its scheduler.
 * **Backpressure**: pauses. While the gate is closed the iterator is not asked for more.
 * **Completes when** the iterator is done, or, unless `stops` is false, the pipeline is asked to drain.
 * **Errors when** the iterator throws, or what its `next()` returns is not a `{ done, value }` (`TypeError`).
 * **On unsubscribe** calls the iterator's `return()`, unless it is done, so that a generator's `finally` runs. An error that
 * `return()` throws goes to RxJS's `config.onUnhandledError`.
 *
 * **Delivery**: each subscription iterates afresh. Whether it gets the same items again depends on the iterable: a generator
 * object iterates once, so a second subscription completes immediately.
 *
 * **Gotchas**: an array that grows while it is read is read to its new end. Put `untilStopped()` directly behind `repeat()`:
 * otherwise `repeat()` takes the completion of a drain for a reason to subscribe again.
 *
 * @example
 * ```ts
 * import { batch } from 'sluice/operators';
 * import { fromIterable } from 'sluice/sources';
 *
 * fromIterable(['AAPL', 'MSFT', 'NVDA'])
 *   .pipe(batch({ size: 2 }))
 *   .subscribe((symbols) => console.log(symbols));
 * ```
 */
export function fromIterable<T>(iterable: Iterable<T>, config: FromIterableConfig = {}): Observable<T> {
  const owner = 'fromIterable';
  readArgument(owner, 'iterable[Symbol.iterator]', iterable?.[Symbol.iterator], func());
  const options = readOptions(owner, config, OPTIONS);

  return gatedSource<T>(options, (outlet) => {
    const iterator = iterable[Symbol.iterator]();
    // An iterator that is done must not be returned; nor one whose next() is running or has thrown.
    let state: 'idle' | 'running' | 'done' = 'idle';
    let released = false;

    // How many come of another iterable only its end can tell.
    if (Array.isArray(iterable)) {
      const { stage, context } = outlet;
      const { out: before } = stage;
      outlet.progress(() =>
        // An array of batches is counted by their items.
        context.unit === 'batch' ? undefined : { done: stage.out - before, total: iterable.length, unit: 'items' },
      );
    }

    outlet.pump(() => {
      state = 'running';
      const result = iteratorResult<T>(owner, 'return', iterator.next());
      if (result.done) {
        state = 'done';
        outlet.complete();
        return;
      }
      const { value } = result;
      state = 'idle';
      if (released) release();
      else outlet.next(value);
    });

    const release = () => {
      released = true;
      if (state !== 'idle') return;
      state = 'done';
      try {
        iterator.return?.();
      } catch (error) {
        // Thrown here, it would reach the caller of unsubscribe(): report it as RxJS reports its own.
        throwError(() => error).subscribe();
      }
    };
    return release;
  });
}
