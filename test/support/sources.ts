import type { Observable } from 'rxjs';
import { type GatedSourceConfig, gatedSource } from '../../src/flow/gatedSource.js';

/**
 * The whole numbers from 0 to `end`, exclusive, from a source that obeys the gate. Unless `config` says otherwise it never
 * yields to the event loop. `teardown` runs when a subscription ends.
 */
export function naturals(
  end = Number.POSITIVE_INFINITY,
  config: Partial<GatedSourceConfig> = {},
  teardown: () => void = () => {},
): Observable<number> {
  return gatedSource<number>({ name: 'naturals', yieldAfterMs: Number.POSITIVE_INFINITY, ...config }, (outlet) => {
    let n = 0;
    outlet.pump(() => (n < end ? outlet.next(n++) : outlet.complete()));
    return teardown;
  });
}
