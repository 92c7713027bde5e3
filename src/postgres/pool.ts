import type { EventEmitter } from 'node:events';

/** A statement with its values, as `pg` takes them. */
export interface Statement {
  readonly text: string;
  readonly name?: string;
  readonly values?: unknown[];
}

/** What runs a statement: a pool, or a connection that it lends. */
export interface Queryable {
  query<R extends object = Record<string, unknown>>(
    statement: string | Statement,
    values?: unknown[],
  ): Promise<{ readonly rows: R[]; readonly rowCount: number | null }>;
}

/** A connection that is lent by a {@link Pool}. */
export interface PoolClient extends Queryable, EventEmitter {
  /** Returns the connection to the pool, or destroys it. */
  release(destroy?: boolean | Error): void;
}

/**
 * The part of a `Pool` of the package `pg` that Sluice uses. It is described here because the declarations of `pg` do not
 * compile with every TypeScript that users have.
 */
export interface Pool extends Queryable, EventEmitter {
  connect(): Promise<PoolClient>;
  end(): Promise<void>;
  readonly options?: object;
}

/** The pool of an open store. It is a `Pool` of `pg`: `store.pool as pg.Pool` is for what asks for that type. */
export interface StorePool extends Pool {
  readonly options: { readonly max: number };
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  readonly ending: boolean;
  readonly ended: boolean;
}
