import { type MonoTypeOperatorFunction, Observable } from 'rxjs';
import { attachContext, contextOf, type FlowContext, withFallbackContext } from './context.js';
import { OperateSubscriber } from './operateSubscriber.js';
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
      const below = contextOf(destination);
      const { monitor = below.monitor } = given;
      // Where the same monitor watches what is below, this is not the end of its pipeline.
      const isEnd = monitor !== below.monitor;
      const end = isEnd ? monitor.deliveries?.open(below.unit) : below.end;
      const onBatches = () => {
        if (isEnd) end?.takeBatches();
        below.onBatches?.();
      };
      const context = { ...below, end, onBatches, ...given };
      attachContext(destination, context);
      // Before anything upstream listens, so that all sources know of it before a stage acts on it.
      if (given.stopping) destination.add(StopSignal.of(given.stopping).listen());
      if (!isEnd || !end) {
        withFallbackContext(context, () => source.subscribe(destination));
        return;
      }
      destination.add(() => monitor.deliveries?.close(end));
      const next = (value: T) => {
        end.count(value);
        destination.next(value);
      };
      new OperateSubscriber<T, T>(destination, { next }, undefined).subscribeTo(source, context);
    });
}
