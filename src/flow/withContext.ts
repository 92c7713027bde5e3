import { type MonoTypeOperatorFunction, Observable } from 'rxjs';
import { attachContext, contextOf, type FlowContext, withFallbackContext } from './context.js';
import { StopSignal } from './stopSignal.js';

/**
 * Tells everything upstream what `given` says, and for the rest what the context downstream says. It stands at the end
 * of a pipeline: `run()` gives its monitor and its `stopping` this way.
 *
 * @example
 * ```ts
 * import { PipelineMonitor, withContext } from 'sluice';
 * import { batch } from 'sluice/operators';
 * import { fromIterable } from 'sluice/sources';
 *
 * const monitor = new PipelineMonitor();
 * fromIterable([1, 2, 3]).pipe(batch({ size: 2 }), withContext({ monitor })).subscribe();
 * console.log(monitor.account().delivered); // 3
 * ```
 */
export function withContext<T>(given: Partial<FlowContext>): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable<T>((destination) => {
      const context = { ...contextOf(destination), ...given };
      attachContext(destination, context);
      // Before anything upstream listens, so that all sources know of it before a stage acts on it.
      if (given.stopping) destination.add(StopSignal.of(given.stopping).listen());
      withFallbackContext(context, () => source.subscribe(destination));
    });
}
