import type { StageObserver } from './stage.js';

type Listener = (...event: readonly unknown[]) => void;

/** Every event of an observer, held against its type: an event that is missing here does not compile. */
const EVENTS = Object.keys({
  registered: true,
  settled: true,
  writeFailed: true,
  retrying: true,
  guarded: true,
  diverting: true,
  refused: true,
  fate: true,
  feedChanged: true,
  feedNoticed: true,
  routeSwitched: true,
  routeEnded: true,
} satisfies Record<keyof StageObserver, true>) as (keyof StageObserver)[];

/**
 * Several observers as one, called in this order. It has an event only where one of them has it. What one of them throws is
 * handed to `onError`, and the others are called all the same; without `onError` it is thrown.
 */
export function combineObservers(
  observers: readonly StageObserver[],
  onError?: (error: unknown, observer: StageObserver) => void,
): StageObserver {
  const combined: Partial<Record<keyof StageObserver, Listener>> = {};
  for (const event of EVENTS) {
    const listening = observers.filter((observer) => observer[event] !== undefined);
    if (listening.length === 0) continue;
    // Parameters by number, because a rest parameter would be an array per call.
    combined[event] = (a, b, c, d) => {
      for (const observer of listening) {
        try {
          (observer[event] as Listener).call(observer, a, b, c, d);
        } catch (error) {
          if (!onError) throw error;
          onError(error, observer);
        }
      }
    };
  }
  return combined as StageObserver;
}
