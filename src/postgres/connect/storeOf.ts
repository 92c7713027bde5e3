import type pg from 'pg';
import { watchPool } from '../session.js';
import type { Store } from '../store.js';
import { StoreError } from '../storeError.js';

interface Database {
  /** Resolves if the database answers, by a way that takes no client of the pool. Cut by the signal. */
  ask(signal: AbortSignal): Promise<unknown>;
  /** Ends what is open, after the pool has been asked to end. */
  release(): Promise<void>;
}

export function storeOf(pool: pg.Pool, kind: Store['kind'], database: Database): Store {
  watchPool(pool);
  let closing: Promise<void> | undefined;
  return {
    pool,
    kind,
    async check(signal = new AbortController().signal) {
      signal.throwIfAborted();
      if (closing || pool.ending)
        throw new StoreError('SLUICE_STORE_FAILED', 'the store is closed', { failureClass: 'fatal' });
      await database.ask(signal);
    },
    close() {
      // The pool's own end takes as long as its slowest client is in use, and may be called only once.
      if (!closing && !pool.ending) pool.end().catch(() => {});
      closing ??= database.release();
      return closing;
    },
  };
}
