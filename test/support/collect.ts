import type { Observable } from 'rxjs';
import { Gate } from '../../src/flow/gate.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { withContext } from '../../src/flow/withContext.js';

/** A subscription to a source, with everything that a test looks at. */
export function observe<T>(source: Observable<T>, gate = new Gate(), stopping?: Observable<void>) {
  const monitor = new PipelineMonitor();
  const items: T[] = [];
  let end: { readonly kind: 'complete' } | { readonly kind: 'error'; readonly error: unknown } | undefined;
  let settle: (() => void) | undefined;
  let counting: { readonly count: number; readonly resolve: () => void } | undefined;
  const ended = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const context = stopping ? { gate, monitor, stopping } : { gate, monitor };
  const subscription = source.pipe(withContext(context)).subscribe({
    next(item) {
      items.push(item);
      if (counting && items.length >= counting.count) counting.resolve();
    },
    error(error: unknown) {
      end = { kind: 'error', error };
      settle?.();
    },
    complete() {
      end = { kind: 'complete' };
      settle?.();
    },
  });
  return {
    gate,
    items,
    ended,
    monitor,
    get end() {
      return end;
    },
    /** Resolves when so many items are there. */
    count(count: number): Promise<void> {
      return new Promise((resolve) => {
        if (items.length >= count) resolve();
        else counting = { count, resolve };
      });
    },
    unsubscribe: () => subscription.unsubscribe(),
  };
}

/** Lets everything that is under way without real time come to rest: promises, ticks, and turns of the event loop. */
export async function settled(turns = 20): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets the event loop turn until `isSo`. */
export async function turnsUntil(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
