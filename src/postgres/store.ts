import type { StorePool } from './pool.js';

/** An open database. */
export interface Store {
  readonly pool: StorePool;
  readonly kind: 'postgres' | 'pglite';
  /**
   * Resolves if the database can be used, and rejects with a `StoreError` that says why not, after `connectTimeoutMs` at the latest
   * or with the reason of the signal. Logs in on a connection of its own, so it takes none of the pool, and can be called without
   * its store: `sinkCheck: store.check`.
   */
  readonly check: (signal?: AbortSignal) => Promise<void>;
  /**
   * Ends all connections. Waits for those in use, at most `closeTimeoutMs`, and then cancels what they run and cuts them. May be
   * called again, and after `pool.end()`.
   */
  close(): Promise<void>;
}
