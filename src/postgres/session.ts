import { from, Observable } from 'rxjs';
import { sqlStateOf } from '../failures/sqlState.js';
import { cancelStatement } from './connect/cancelStatement.js';
import { postgresFailure } from './failures.js';
import { MigrationError } from './migrate/migrationError.js';
import type { Pool, PoolClient, Queryable } from './pool.js';
import { StoreError } from './storeError.js';
import { rootOf } from './toStoreError.js';

const watched = new WeakSet<Pool>();
const embedded = new WeakMap<Pool, boolean>();

/** An idle connection that breaks is an event, which would end the process; the pool has dropped it by then. */
export function watchPool(pool: Pool): void {
  if (watched.has(pool)) return;
  watched.add(pool);
  pool.on('error', () => {});
}

/** PGlite is Postgres compiled by Emscripten. */
export function isPGlite(version: string): boolean {
  return /emcc|emscripten/i.test(version);
}

/** Remembers what the server of a pool has said that it is. */
export function rememberServer(pool: Pool, version: string): boolean {
  const found = isPGlite(version);
  embedded.set(pool, found);
  return found;
}

/**
 * PGlite's adapter, once its client has been destroyed, answers one statement late. Until the server has said what it is, a
 * connection that was given to the pool, rather than a socket of the driver's, counts as PGlite's.
 */
function mayDestroy(pool: Pool): boolean {
  return !(embedded.get(pool) ?? 'connection' in (pool.options ?? {}));
}

/**
 * Lends a client of the pool. A client whose session has ended does not go back. Once the signal is aborted nobody waits for the
 * result any more: the server is asked to cancel the statement, and within a second the connection is destroyed, so that the end
 * of its pool does not wait for what the server may never answer; PGlite's only one goes back when its statement has ended.
 */
export async function borrow<R>(pool: Pool, use: (client: PoolClient) => Promise<R>, signal?: AbortSignal): Promise<R> {
  signal?.throwIfAborted();
  const client = await pool.connect();
  const onError = () => {};
  let released = false;
  const release = (destroy: boolean) => {
    if (released) return;
    released = true;
    signal?.removeEventListener('abort', onAbort);
    client.removeListener('error', onError);
    client.release(destroy);
  };
  let ended = false;
  const onAbort = () => {
    if (!mayDestroy(pool)) return;
    // Even if the statement ends first: the request could meet the statement of the next borrower.
    ended = true;
    const destroy = () => release(true);
    const cancelled = cancelStatement(client);
    if (cancelled) cancelled.then(destroy);
    else destroy();
  };
  client.on('error', onError);
  signal?.addEventListener('abort', onAbort);
  try {
    signal?.throwIfAborted();
    return await use(client);
  } catch (error) {
    if (!signal?.aborted) ended = mayDestroy(pool) && endsSession(error);
    if (ended && postgresFailure(rootOf(error))?.session === 'stale') dropIdle(pool);
    throw error;
  } finally {
    release(ended);
  }
}

/** Destroys the connections that nobody uses: each would cost an attempt. */
function dropIdle(pool: Pool): void {
  const { idleCount = 0 } = pool as Pool & { readonly idleCount?: number };
  // The pool hands out those that it has before it makes new ones.
  for (let i = 0; i < idleCount; i++) {
    pool.connect().then(
      (client) => client.release(true),
      () => {},
    );
  }
}

/** The reason of every abort, made once: the default makes a `DOMException` with a stack for each write. */
const ABANDONED = new Error('nobody waits for the result any more');

/** A promise that is made when the result is subscribed, and told by a signal when it is unsubscribed. */
export function abortable<R>(work: (signal: AbortSignal) => Promise<R>): Observable<R> {
  return new Observable((subscriber) => {
    const abandon = new AbortController();
    from(work(abandon.signal)).subscribe(subscriber);
    return () => abandon.abort(ABANDONED);
  });
}

/** Runs `work` as one transaction. If it fails, the client is left outside of the transaction. */
export async function inTransaction<R>(client: Queryable, work: () => Promise<R>, begin = 'BEGIN'): Promise<R> {
  try {
    await client.query(begin);
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    if (!endsSession(error)) await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

/** Whether a session must not go back to its pool after an error: its connection broke, or every statement would fail. */
export function endsSession(error: unknown): boolean {
  if (error instanceof StoreError) return error.connectionLost;
  if (error instanceof MigrationError) return error.cause !== undefined && endsSession(error.cause);
  const driver = rootOf(error);
  return postgresFailure(driver)?.session !== undefined || sqlStateOf(driver) === undefined;
}
