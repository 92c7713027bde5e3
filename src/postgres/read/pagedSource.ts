import { type Observable, Subscription, throwError, timeout } from 'rxjs';
import { gatedSource } from '../../flow/gatedSource.js';
import { type SourceConfig, sourceOptions } from '../../flow/sourceOptions.js';
import { duration, integer, text } from '../../primitives/options.js';
import { MAX_TIMER_MS } from '../../primitives/timer.js';
import type { Pool, PoolClient } from '../pool.js';
import { abortable, borrow } from '../session.js';
import { StoreError } from '../storeError.js';
import { StoreReadError } from './storeReadError.js';

/** The options of every source over a store. */
export interface StoreSelection extends SourceConfig {
  /** The schema of the table. Default: the connection's `search_path`. */
  readonly schema?: string;
  /**
   * How long a page may take, the wait for a connection included, in milliseconds. Above 0, default 60,000; `Infinity` for no
   * limit.
   */
  readonly timeoutMs?: number;
}

export function selectionOptions(name: string, { table, pageSize }: { table: string; pageSize: number }) {
  return {
    vendor: text(),
    pageSize: integer({ min: 1 }).default(pageSize),
    table: text().default(table),
    schema: text(),
    timeoutMs: duration({ above: 0 }).or(Number.POSITIVE_INFINITY).default(60_000),
    ...sourceOptions(name),
  };
}

export interface PagedSourceConfig extends Required<SourceConfig> {
  /** The table that is read, as SQL writes it, for errors. */
  readonly table: string;
  readonly timeoutMs: number;
}

/** Returns the reader of the next page, or undefined after the last one. */
export type NextPage<T> = () => ((client: PoolClient) => Promise<readonly T[]>) | undefined;

/**
 * A source that reads pages. The next page is requested when the last one is used up and the gate is open: while it is closed
 * nothing is read, and no connection is held. Each subscription starts again.
 */
export function pagedSource<T>(pool: Pool, config: PagedSourceConfig, begin: () => NextPage<T>): Observable<T> {
  return gatedSource<T>(config, (outlet) => {
    const nextPage = begin();
    const pending = new Subscription();
    let page: readonly T[] = [];
    let at = 0;
    let reading = false;

    const onPage = (next: readonly T[]) => {
      reading = false;
      page = next;
      at = 0;
      outlet.wake();
    };
    const onFailure = (error: unknown) => outlet.error(new StoreReadError(config.table, { cause: error }));
    outlet.pump(() => {
      if (at < page.length) {
        outlet.next(page[at++]!);
        return true;
      }
      if (reading) return false;
      const readPage = nextPage();
      if (!readPage) {
        outlet.complete();
        return true;
      }
      reading = true;
      const read = readWithin(pool, readPage, config.timeoutMs).subscribe({ next: onPage, error: onFailure });
      pending.add(read);
      return false;
    });
    return () => pending.unsubscribe();
  });
}

/** A page that is late is given up, and its statement is cancelled at the server. */
function readWithin<R>(pool: Pool, read: (client: PoolClient) => Promise<R>, timeoutMs: number): Observable<R> {
  let isAsked = false;
  const page$ = abortable((signal) =>
    borrow(
      pool,
      (client) => {
        isAsked = true;
        return read(client);
      },
      signal,
    ),
  );
  if (timeoutMs === Number.POSITIVE_INFINITY) return page$;
  const late = () => {
    const message = isAsked
      ? `no answer within ${timeoutMs} ms: subscribe again, or raise timeoutMs if the server needs longer`
      : `no connection of the pool was free within ${timeoutMs} ms: make the pool larger, or raise timeoutMs`;
    return throwError(() => new StoreError('SLUICE_STORE_TIMEOUT', message));
  };
  return page$.pipe(timeout({ first: Math.min(timeoutMs, MAX_TIMER_MS), with: late }));
}
