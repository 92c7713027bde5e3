import { type Observable, throwError, timeout } from 'rxjs';
import { MAX_TIMER_MS } from '../../primitives/timer.js';
import type { Pool, PoolClient } from '../pool.js';
import { abortable, borrow } from '../session.js';
import { StoreError } from '../storeError.js';

/** Reads with a connection of the pool. A read that is late is given up, and its statement is cancelled at the server. */
export function readWithin<R>(pool: Pool, read: (client: PoolClient) => Promise<R>, timeoutMs: number): Observable<R> {
  let isAsked = false;
  const read$ = abortable((signal) =>
    borrow(
      pool,
      (client) => {
        isAsked = true;
        return read(client);
      },
      signal,
    ),
  );
  if (timeoutMs === Number.POSITIVE_INFINITY) return read$;
  const late = () => {
    const message = isAsked
      ? `no answer within ${timeoutMs} ms: subscribe again, or raise timeoutMs if the server needs longer`
      : `no connection of the pool was free within ${timeoutMs} ms: make the pool larger, or raise timeoutMs`;
    return throwError(() => new StoreError('SLUICE_STORE_TIMEOUT', message));
  };
  return read$.pipe(timeout({ first: Math.min(timeoutMs, MAX_TIMER_MS), with: late }));
}
