import type { MonoTypeOperatorFunction } from 'rxjs';
import type { Gate } from '../flow/gate.js';
import { withContext } from '../flow/withContext.js';

/**
 * Installs `gate` for everything upstream, so that a test can simulate a full downstream. `gate()` of {@link marbles} makes a
 * gate that opens and closes at given frames. Items pass through even while the gate is closed, so a test can see an operator
 * that does not obey it.
 */
export function withGate<T>(gate: Gate): MonoTypeOperatorFunction<T> {
  return withContext({ gate });
}
