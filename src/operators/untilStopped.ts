import type { MonoTypeOperatorFunction } from 'rxjs';
import { operate } from '../flow/operate.js';
import { boolean, type OptionsOf, readOptions } from '../primitives/options.js';

export interface UntilStoppedConfig {
  /**
   * Unsubscribe the source only if there is no Sluice stage above: a Sluice source is told to stop by itself, and what stages
   * above hold is delivered. Default false: unsubscribe in any case.
   */
  readonly foreignOnly?: boolean;
}

/**
 * Completes when the pipeline is asked to drain, and unsubscribes its source: for sources that are not told, such as a
 * `Subject`, `interval` or `fromEvent`. Those built with `gatedSource()` complete by themselves.
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
 * **Gotchas**:
 * - Put it directly behind the source, before the first buffer: what is held downstream of it is still delivered, and what
 *   Sluice stages upstream of it hold is given up (not with `foreignOnly`).
 * - Behind `repeat()`, Sluice sources need it too: they would be subscribed again for ever.
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
  const { foreignOnly } = readOptions(owner, config, OPTIONS);

  return operate<T, T>({ kind: owner }, ({ destination, downstream, emit, detach }) => {
    let isForeign = true;
    destination.add(
      downstream.stopping.subscribe(() => {
        if (foreignOnly && !isForeign) return;
        detach();
        destination.complete();
      }),
    );
    return {
      onRegister() {
        isForeign = false;
      },
      next: emit,
    };
  });
}

const OPTIONS = { foreignOnly: boolean().default(false) } satisfies OptionsOf<UntilStoppedConfig>;
