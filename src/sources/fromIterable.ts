import { type Observable, type SchedulerLike, throwError } from 'rxjs';
import { gatedSource } from '../flow/gatedSource.js';
import { eventLoopScheduler } from '../primitives/eventLoopScheduler.js';
import {
  requireBoolean,
  requireDuration,
  requireFunction,
  requireKnownOptions,
  requireText,
} from '../primitives/validate.js';

export interface FromIterableConfig {
  /** Where the source resumes after it has yielded to the event loop. Default: after one turn of the event loop. */
  readonly scheduler?: SchedulerLike;
  /** How long the source may run before it yields, in milliseconds of the scheduler's clock. From 0, default 20. */
  readonly yieldAfterMs?: number;
  /**
   * Whether the source completes when the pipeline is asked to stop. Default true. `false` for an iterable that is the
   * content of an item, such as the pages of a held request inside `concatMap`, so that a drain does not cut it.
   */
  readonly stops?: boolean;
  /** The name in topology, metrics and the report. Default `fromIterable`. */
  readonly name?: string;
}

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
 * **Emits when** subscribed, one item after the other, synchronously, yielding to the event loop every `yieldAfterMs`,
 * which it shares with the other sources on its scheduler.
 * **Backpressure**: pauses. While the gate is closed the iterator is not asked.
 * **Completes when** the iterator is done, or the pipeline is asked to stop, unless `stops` is false.
 * **Errors when** the iterator throws.
 * **On unsubscribe** calls the iterator's `return()`, unless it is done, so that a generator's `finally` runs. If it
 * throws, the error goes where RxJS takes unhandled errors (`config.onUnhandledError`).
 *
 * **Delivery**: each subscription iterates anew; whether it gets the same items again is up to the iterable. A generator
 * object iterates once: a second subscription completes at once.
 *
 * **Gotchas**: an array that grows while it is read is read to its new end. Behind `repeat()` put `untilStopped()` at
 * once: `repeat()` alone takes the completion of a drain for a reason to begin again.
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
  requireFunction(owner, 'iterable[Symbol.iterator]', iterable?.[Symbol.iterator]);
  requireKnownOptions(owner, config, ['scheduler', 'yieldAfterMs', 'stops', 'name']);
  const yieldAfterMs = requireDuration(owner, 'yieldAfterMs', config.yieldAfterMs ?? 20);
  const stops = requireBoolean(owner, 'stops', config.stops ?? true);
  const scheduler = config.scheduler ?? eventLoopScheduler;
  const name = requireText(owner, 'name', config.name ?? owner);

  return gatedSource<T>({ name, scheduler, yieldAfterMs, stops }, (outlet) => {
    const iterator = iterable[Symbol.iterator]();
    // An iterator that is done, or has thrown, is not to be returned; nor one that is running, until it has come back.
    let state: 'idle' | 'running' | 'done' = 'idle';
    let released = false;

    outlet.pump(() => {
      state = 'running';
      let result: IteratorResult<T>;
      try {
        result = iterator.next();
      } catch (error) {
        state = 'done';
        throw error;
      }
      if (result.done) {
        state = 'done';
        outlet.complete();
        return;
      }
      state = 'idle';
      if (released) release();
      else outlet.next(result.value);
    });

    const release = () => {
      released = true;
      if (state !== 'idle') return;
      state = 'done';
      try {
        iterator.return?.();
      } catch (error) {
        // Thrown into the teardown it would reach whoever unsubscribed: it is reported as RxJS reports its own.
        throwError(() => error).subscribe();
      }
    };
    return release;
  });
}
