import type { Observable, Subscription } from 'rxjs';
import { gatedSource } from '../../src/flow/gatedSource.js';

/** What a subscription has heard so far. */
export interface Recording<T> {
  readonly values: T[];
  error: unknown;
  completed: boolean;
  readonly subscription: Subscription;
}

/** Subscribes, and writes down what comes. */
export function record<T>(observable$: Observable<T>): Recording<T> {
  const recording = { values: [] as T[], error: undefined as unknown, completed: false };
  const subscription = observable$.subscribe({
    next: (value) => recording.values.push(value),
    error: (error: unknown) => {
      recording.error = error;
    },
    complete: () => {
      recording.completed = true;
    },
  });
  return Object.assign(recording, { subscription });
}

/** A synchronous source that obeys the gate, and never yields to the event loop, emitting what `items` has. */
export function gatedFrom<T>(items: Iterable<T>, onEmit?: (item: T) => void): Observable<T> {
  return gatedSource<T>({ name: 'source', yieldAfterMs: Infinity }, (outlet) => {
    const iterator = items[Symbol.iterator]();
    outlet.pump(() => {
      const { done, value } = iterator.next();
      if (done) {
        outlet.complete();
      } else {
        onEmit?.(value);
        outlet.next(value);
      }
    });
  });
}

/** The whole numbers from 0 to `count` - 1. */
export function* upTo(count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield n;
}

/** An observer of numbers that keeps what it receives. */
export function recorder() {
  const items: number[] = [];
  const errors: unknown[] = [];
  const observer = {
    items,
    errors,
    completions: 0,
    next: (n: number) => void items.push(n),
    error: (error: unknown) => void errors.push(error),
    complete: () => {
      observer.completions += 1;
    },
  };
  return observer;
}
