import { type Observable, Subscription } from 'rxjs';
import { gatedSource } from '../../flow/gatedSource.js';
import { type SourceConfig, sourceOptions } from '../../flow/sourceOptions.js';
import { duration, integer, text } from '../../primitives/options.js';
import type { Pool, PoolClient } from '../pool.js';
import { readWithin } from './readWithin.js';
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
