import type { MonoTypeOperatorFunction } from 'rxjs';
import { operate } from '../flow/operate.js';
import { requireBoolean, requireKnownOptions } from '../primitives/validate.js';

export interface UntilStoppedConfig {
  /**
   * Let go of the source only if nothing of Sluice's stands above: a source of ours hears the request itself, and what
   * stages above hold is delivered. Default false: let go in any case.
   */
  readonly foreignOnly?: boolean;
}

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
 * **Gotchas**: put it directly behind the source, in front of the first buffer: what is held downstream of it is still
 * delivered, and what Sluice's stages upstream of it hold is given up (not with `foreignOnly`). Behind `repeat()` it is
 * needed also for sources of ours, which would be subscribed again for ever.
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
export function untilStopped<T>(config: UntilStoppedConfig = {}): MonoTypeOperatorFunction<T> {
  const owner = 'untilStopped';
  requireKnownOptions(owner, config, ['foreignOnly']);
  const foreignOnly = requireBoolean(owner, 'foreignOnly', config.foreignOnly ?? false);

  return operate({ kind: owner }, ({ destination, downstream, stage, detach }) => {
    let isForeign = true;
    destination.add(
      downstream.stopping.subscribe(() => {
        if (foreignOnly && !isForeign) return;
        detach();
        destination.complete();
      }),
    );
    return {
      onFound() {
        isForeign = false;
      },
      next(item) {
        stage.in += 1;
        stage.out += 1;
        destination.next(item);
      },
    };
  });
}
