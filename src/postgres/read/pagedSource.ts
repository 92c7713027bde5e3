import type { Pool, PoolClient } from 'pg';
import type { Observable, SchedulerLike } from 'rxjs';
import { gatedSource } from '../../flow/gatedSource.js';
import { borrow } from '../session.js';
import { StoreReadError } from './storeReadError.js';

export interface PagedSourceConfig {
  readonly name: string;
  readonly scheduler: SchedulerLike;
  readonly yieldAfterMs: number;
  /** What is read, as SQL writes it, for errors. */
  readonly table: string;
}

/** Gives the reader of the next page; undefined when there is none any more. */
export type NextPage<T> = () => ((client: PoolClient) => Promise<readonly T[]>) | undefined;

/**
 * A source over what is read in pages. The next page is asked for when the last is used up and the gate is open: while
 * it is closed nothing is read, and no connection is held. Each subscription begins anew.
 */
export function pagedSource<T>(pool: Pool, config: PagedSourceConfig, begin: () => NextPage<T>): Observable<T> {
  const { name, scheduler, yieldAfterMs, table } = config;
  return gatedSource<T>({ name, scheduler, yieldAfterMs }, (outlet) => {
    const nextPage = begin();
    const abandon = new AbortController();
    let page: readonly T[] = [];
    let at = 0;
    let reading = false;

    const onPage = (next: readonly T[]) => {
      reading = false;
      page = next;
      at = 0;
      outlet.wake();
    };
    const onFailure = (error: unknown) => {
      if (!abandon.signal.aborted) outlet.error(new StoreReadError(table, { cause: error }));
    };
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
      borrow(pool, readPage, abandon.signal).then(onPage, onFailure);
      return false;
    });
    return () => abandon.abort();
  });
}
