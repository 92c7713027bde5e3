import type { MonoTypeOperatorFunction } from 'rxjs';
import type { Gate } from '../flow/gate.js';
import { withContext } from '../flow/withContext.js';

/**
 * Installs `gate` for everything upstream, so that a test can play a downstream that is full: see `gate()` of
 * {@link marbles} for one that opens and closes at given frames. It is no stage itself: items pass untouched, also while
 * the gate is closed, which is how a test sees that an operator does not obey.
 */
export function withGate<T>(gate: Gate): MonoTypeOperatorFunction<T> {
  return withContext({ gate });
}
