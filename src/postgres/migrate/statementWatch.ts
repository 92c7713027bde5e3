import type pg from 'pg';
import {
  catchError,
  EMPTY,
  exhaustMap,
  firstValueFrom,
  from,
  ignoreElements,
  map,
  merge,
  type Observable,
  tap,
  timer,
} from 'rxjs';
import { sqlStateOf } from '../../failures/sqlState.js';
import { askAlone } from '../connect/askAlone.js';
import type { Pool, PoolClient, Queryable } from '../pool.js';
import { StoreError } from '../storeError.js';
import { reasonOf } from '../toStoreError.js';
import { holdersOf, holdersText, LOOK, type Look } from './lockHolders.js';

export interface StatementWatchConfig {
  /** The pool of the connection: another one is made as it makes them. */
  readonly pool: Pool;
  /** Called when a statement waits for the locks of others, and again when these change. */
  readonly onWait: (message: string) => void;
  /** How long a statement may wait for one lock, in milliseconds. */
  readonly lockTimeoutMs: number;
  /** How long the server may neither answer nor run the statement, in milliseconds. */
  readonly answerTimeoutMs: number;
}

/** When a statement is looked after for the first time, how often after that, and how long a look may take, in milliseconds. */
const FIRST_LOOK_MS = 1_000;
const LOOK_EVERY_MS = 5_000;
const LOOK_TIMEOUT_MS = 5_000;

/**
 * Looks after the statements of one session from another connection. A statement may run for hours, and that is told from one
 * whose answer is lost: the server knows whether it runs, and for whom it waits.
 */
export class StatementWatch {
  readonly #config: StatementWatchConfig;
  readonly #client: PoolClient;
  #pid: number | undefined;
  #lost: StoreError | undefined;
  #holders = '';
  #pids = '';

  constructor(client: PoolClient, config: StatementWatchConfig) {
    this.#client = client;
    this.#config = config;
    this.#pid = (client as { processID?: number }).processID;
  }

  get lockTimeoutMs(): number {
    return this.#config.lockTimeoutMs;
  }

  /** A transaction has begun. Behind a pooler each has another process. */
  isRunBy(pid: number | undefined): void {
    this.#pid = pid;
    this.#holders = '';
    this.#pids = '';
  }

  /** A statement follows that is no part of a transaction. Behind a pooler nobody knows which process runs it. */
  isOutsideTransaction(): void {
    const { processID } = this.#client as { readonly processID?: number };
    this.isRunBy(this.#pid === processID ? processID : undefined);
  }

  /** Who held what the transaction waited for last, in words; undefined if nobody did, or it is not known. */
  get holders(): string | undefined {
    return this.#holders || undefined;
  }

  /** The client, with its statements looked after. */
  get client(): PoolClient {
    const query: Queryable['query'] = async (statement, values) => {
      if (this.#lost) throw this.#lost;
      const work = this.#client.query(statement as string, values);
      return (await this.#watched(work)) as never;
    };
    return Object.create(this.#client, { query: { value: query } }) as PoolClient;
  }

  #watched<R>(work: Promise<R>): Promise<R> {
    return firstValueFrom(merge(from(work), this.#looking()));
  }

  #looking(): Observable<never> {
    const { lockTimeoutMs, answerTimeoutMs } = this.#config;
    const firstMs = Math.min(FIRST_LOOK_MS, lockTimeoutMs / 2, answerTimeoutMs / 2);
    const everyMs = Math.min(LOOK_EVERY_MS, answerTimeoutMs / 2);
    let seenAt = performance.now();
    let why = '';
    return timer(firstMs, everyMs).pipe(
      exhaustMap(() =>
        this.#look().pipe(
          tap((found) => {
            if (found === 'runs') seenAt = performance.now();
            else why = found;
          }),
        ),
      ),
      map(() => {
        if (performance.now() - seenAt < answerTimeoutMs) return;
        this.#lost = new StoreError(
          'SLUICE_STORE_CONNECTION_LOST',
          `no answer for ${answerTimeoutMs} ms, and ${why}: the connection is lost; migrate again, which continues where it stopped`,
        );
        throw this.#lost;
      }),
      ignoreElements(),
    );
  }

  /** Whether the statement runs, or what was found instead. */
  #look(): Observable<'runs' | string> {
    const make = anotherClient(this.#config.pool);
    const pid = this.#pid;
    if (!make || pid === undefined) return EMPTY;
    return askAlone<Look>(
      make,
      { text: LOOK, values: [pid] },
      Math.min(LOOK_TIMEOUT_MS, this.#config.answerTimeoutMs),
    ).pipe(
      map(([session]) => {
        if (!session) return 'its process has ended';
        this.#found(session);
        return session.state?.startsWith('idle') ? `its process ${pid} runs no statement` : 'runs';
      }),
      // A server that answers is there, though it has no connection left or does not know these views.
      catchError((error: unknown) => [
        sqlStateOf(error) === undefined ? `no other connection is had (${reasonOf(error)})` : 'runs',
      ]),
    );
  }

  #found(session: Look): void {
    const holders = holdersOf(session);
    if (holders.length === 0) return;
    this.#holders = holdersText(holders);
    const pids = holders.map(({ pid }) => pid).join();
    if (pids === this.#pids) return;
    this.#pids = pids;
    this.#config.onWait(`waiting for ${this.#holders}`);
  }
}

/** A client as the pool makes them, but not of it; undefined for what is no pool of the driver's. */
function anotherClient(pool: Pool): (() => pg.Client) | undefined {
  const { Client, options } = pool as Pool & { readonly Client?: new (options: object) => pg.Client };
  // PGlite's pool has its connection in the options.
  if (!Client || !options || 'connection' in options) return undefined;
  return () => new Client(options);
}
