import type { MonoTypeOperatorFunction } from 'rxjs';
import { operate } from '../flow/operate.js';

/**
 * Completes when the pipeline is asked to drain, and lets go of its source: for sources that do not hear the request, such
 * as a `Subject`, `interval` or `fromEvent`. Those built with `gatedSource()` complete by themselves.
 *
 * ```text
 * source      -a-b-c-d-e-
 * stopping    ------!
 *             untilStopped()
 * result      -a-b-c|
 * ```
 *
 * **Emits when**: an item arrives, at once.
 * **Backpressure**: passes through: the source finds the gate downstream.
 * **Completes when**: the source completes, or the pipeline is asked to drain (`run()` on a signal, `stop()`).
 * **Errors when**: the source fails.
 * **On unsubscribe**: the source is unsubscribed; nothing is held.
 *
 * **Delivery**: unchanged; what the source would emit after the request is not received.
 *
 * **Gotchas**: put it first, in front of the first buffer: what is held downstream of it is still delivered.
 *
 * @example
 * ```ts
 * import { interval } from 'rxjs';
 * import { untilStopped, writeCoordinator } from 'sluice/operators';
 * import { run } from 'sluice/pipelines';
 * import { memorySink } from 'sluice/sinks';
 *
 * const ticks$ = interval(100).pipe(untilStopped(), writeCoordinator(memorySink<number>()));
 * const report = await run(ticks$, { stop: AbortSignal.timeout(1_000) });
 * console.log(report);
 * ```
 */
export function untilStopped<T>(): MonoTypeOperatorFunction<T> {
  return operate({ kind: 'untilStopped' }, ({ destination, downstream, stage, detach }) => {
    destination.add(
      downstream.stopping.subscribe(() => {
        detach();
        destination.complete();
      }),
    );
    return {
      next(item) {
        stage.in += 1;
        stage.out += 1;
        destination.next(item);
      },
    };
  });
}
