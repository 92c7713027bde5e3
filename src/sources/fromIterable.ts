import type { Observable, SchedulerLike } from 'rxjs';
import { gatedSource } from '../flow/gatedSource.js';
import { requireDuration, requireFunction, requireKnownOptions } from '../policies/validate.js';
import { eventLoopScheduler } from './eventLoopScheduler.js';

export interface FromIterableConfig {
  /** Where the source resumes after it has yielded to the event loop. Default: after one turn of the event loop. */
  readonly scheduler?: SchedulerLike;
  /** How long the source may run before it yields, in milliseconds of the scheduler's clock. From 0, default 20. */
  readonly yieldAfterMs?: number;
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
 * **Emits when** subscribed, one item after the other, synchronously, yielding to the event loop every `yieldAfterMs`.
 * **Backpressure**: pauses. While the gate is closed the iterator is not asked.
 * **Completes when** the iterator is done, or the pipeline is asked to stop.
 * **Errors when** the iterator throws.
 * **On unsubscribe** calls the iterator's `return()`, unless it is done, so that a generator's `finally` runs.
 *
 * **Delivery**: each subscription iterates anew; whether it gets the same items again is up to the iterable. A generator
 * object iterates once: a second subscription completes at once.
 *
 * **Gotchas**: an array that grows while it is read is read to its new end.
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
  requireKnownOptions(owner, config, ['scheduler', 'yieldAfterMs', 'name']);
  const yieldAfterMs = requireDuration(owner, 'yieldAfterMs', config.yieldAfterMs ?? 20);
  const scheduler = config.scheduler ?? eventLoopScheduler;

  return gatedSource<T>({ name: config.name ?? owner, scheduler, yieldAfterMs }, (outlet) => {
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
      iterator.return?.();
    };
    return release;
  });
}
