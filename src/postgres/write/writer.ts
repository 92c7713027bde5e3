import { fromEvent, lastValueFrom, type Observable, ReplaySubject, share, takeUntil } from 'rxjs';
import type { WriteReceipt } from '../../contracts/sink.js';
import { sqlStateOf } from '../../failures/sqlState.js';
import { isStageLost } from '../failures.js';
import type { Pool, PoolClient, Statement } from '../pool.js';
import { abortable, borrow, endsSession, rememberServer, watchPool } from '../session.js';
import { StoreError } from '../storeError.js';
import type { Table } from '../table.js';
import { toStoreError, writing } from '../toStoreError.js';
import { checkTable } from './checkTable.js';
import { inKeyOrder, rowCompactor } from './compactRows.js';
import { copyIn } from './copyIn.js';
import { encodeArrays, encodeCopy, type Rows, readRows } from './encode.js';
import { type Strategy, WritePlanner } from './planner.js';
import { type Statements, statementsFor } from './statements.js';
import { VersionStamper } from './versionStamper.js';

export interface TableWriterConfig<T> {
  readonly table: Table<T>;
  /** Whether the table is one of those that are migrated. */
  readonly isMigrated: boolean;
  readonly schema: string | undefined;
  readonly createTable: boolean;
  readonly strategy: Strategy | 'auto';
  /** The time of receipt in epoch milliseconds. */
  readonly now: () => number;
}

const UNIQUE_VIOLATION = '23505';
const DEADLOCK = '40P01';
const NO_SUCH_TABLE = '42P01';
const NO_SUCH_SCHEMA = '3F000';
const NOT_PERMITTED = '42501';
const NOT_SUPPORTED = '0A000';

/** A prepared statement is missing, or exists already: the session was reset, or is shared through a pooler. */
const PREPARED_ELSEWHERE = new Set(['26000', '42P05']);

/** The table is gone or has been altered: it must be checked again. */
const TABLE_CHANGED = new Set([NO_SUCH_TABLE, NO_SUCH_SCHEMA, '42703', '42804', '42P10']);

/**
 * A server that waits for the rest of a COPY keeps the keys that it has, and no timeout of a statement and no request to cancel
 * ends that wait. If the client has vanished, whoever writes the batch again waits for it: two hours by the defaults of Linux.
 */
const KEEPALIVE = 'SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;';

/** Two writers that meet on the same rows in different orders can deadlock more than once. */
const MAX_ATTEMPTS_AT_DEADLOCK = 5;
/** Somebody else commits the same schema or table between two of them. */
const MAX_CREATIONS = 3;

/** Writes batches into a described table, one statement in flight per connection. */
export class TableWriter<T> {
  readonly #pool: Pool;
  readonly #config: TableWriterConfig<T>;
  readonly #statements: Statements;
  readonly #compact: (rows: Rows<T>) => Rows<T>;
  readonly #stamper: VersionStamper<T>;
  /** The connections whose sessions the server ends soon after their client has vanished. */
  readonly #mortal = new WeakSet<PoolClient>();
  /** The connections that have the staging table. */
  readonly #staged = new WeakSet<PoolClient>();
  /**
   * Whether a session has lost what it had: a pooler lends it to others from one transaction to the next, or someone resets it.
   * From then on a message brings along what it needs.
   */
  #isSessionLent = false;
  #planner$ = this.#preparing();

  constructor(pool: Pool, config: TableWriterConfig<T>) {
    watchPool(pool);
    this.#pool = pool;
    this.#config = config;
    this.#statements = statementsFor(config.table, config.schema);
    this.#compact = rowCompactor(config.table);
    this.#stamper = new VersionStamper(config.table, config.now);
  }

  /** The items, each with a version; the same array if all have one. */
  stamp(items: readonly T[]): readonly T[] {
    return this.#stamper.stamp(items);
  }

  /**
   * Once the signal is aborted, nobody waits for the result any more, and a connection in use is destroyed at once: the end of
   * its pool does not wait for a server that may never answer.
   */
  async write(batch: readonly T[], signal: AbortSignal): Promise<WriteReceipt> {
    const { qualified } = this.#statements;
    try {
      const rows = readRows(() => this.#compact({ items: batch, seqs: this.#stamper.seqsOf(batch) }));
      const planner$ = this.#planner$;
      // The last value rather than the first: to unsubscribe before the end would start it again.
      const planner = await lastValueFrom(planner$.pipe(takeUntil(fromEvent(signal, 'abort')))).catch((error) => {
        throw toPreparingError(error, qualified);
      });
      try {
        const written = await borrow(this.#pool, (client) => this.#writeRows(client, planner, rows), signal);
        return { rows: written };
      } catch (error) {
        const isStale = TABLE_CHANGED.has(sqlStateOf(error) ?? '') && this.#planner$ === planner$;
        if (isStale) this.#planner$ = this.#preparing();
        throw error;
      }
    } catch (error) {
      throw toStoreError(error, writing(qualified));
    }
  }

  /** What is found out before the first write. The first caller starts it; after a failure the next one starts it again. */
  #preparing(): Observable<WritePlanner> {
    const prepare$ = abortable((signal) => borrow(this.#pool, (client) => this.#prepare(client), signal));
    return prepare$.pipe(share({ connector: () => new ReplaySubject(1), resetOnComplete: false }));
  }

  async #prepare(client: PoolClient): Promise<WritePlanner> {
    const { strategy, createTable, table, isMigrated } = this.#config;
    const { exists, create, qualified } = this.#statements;
    const version = await client.query<{ version: string }>('SELECT version() AS version');
    const isPGlite = rememberServer(this.#pool, version.rows[0]?.version ?? '');
    // COPY FROM STDIN ends the process of PGlite.
    if (isPGlite && (strategy === 'copy' || strategy === 'copyUpsert')) {
      throw new StoreError(
        'SLUICE_STORE_UNSUPPORTED',
        `PGlite has no COPY from a client: strategy '${strategy}' needs a Postgres server; leave it at 'auto'`,
      );
    }
    if (createTable) {
      // Looked up first, because a user who may not create tables may be allowed to write into this one.
      const { rows } = await client.query<{ exists: boolean }>(exists, [qualified]);
      if (!rows[0]?.exists) await createBesideOthers(client, create);
    }
    await checkTable(client, table, qualified, isMigrated);
    return new WritePlanner(strategy, !isPGlite);
  }

  async #writeRows(client: PoolClient, planner: WritePlanner, rows: Rows<T>): Promise<number> {
    let isSecondTry = false;
    for (let attempt = 1; ; attempt++) {
      try {
        const ordered = planner.inKeyOrder() ? inKeyOrder(this.#config.table, rows) : rows;
        return await this.#writeOnce(client, planner, ordered);
      } catch (error) {
        const state = sqlStateOf(error);
        if (state === UNIQUE_VIOLATION && !isSecondTry) {
          // Out of an upsert: another writer may have inserted the row at the same time. A second try tells.
          isSecondTry = true;
          continue;
        }
        if (state !== DEADLOCK || attempt === MAX_ATTEMPTS_AT_DEADLOCK) throw error;
        // The server has undone this transaction, so the other one continues.
        planner.deadlocked();
      }
    }
  }

  async #writeOnce(client: PoolClient, planner: WritePlanner, rows: Rows<T>): Promise<number> {
    const count = rows.items.length;
    const strategy = planner.plan(count);
    if (strategy !== 'copy') return this.#upsert(client, planner, strategy, rows);
    try {
      const data = readRows(() => encodeCopy(this.#config.table.columns, rows));
      const written = await this.#copyIn(client, this.#statements.copy, data);
      planner.settle('committed');
      return written;
    } catch (error) {
      const state = sqlStateOf(error);
      planner.settle(state === UNIQUE_VIOLATION ? 'conflicted' : 'failed');
      if (state === UNIQUE_VIOLATION) return this.#upsert(client, planner, planner.upsert(count), rows);
      if (state === NOT_SUPPORTED && planner.drop('copy')) return this.#upsert(client, planner, 'unnest', rows);
      throw error;
    }
  }

  async #upsert(client: PoolClient, planner: WritePlanner, strategy: Strategy, rows: Rows<T>): Promise<number> {
    if (strategy !== 'copyUpsert') return this.#upsertArrays(client, rows);
    try {
      return await this.#upsertStaged(client, rows);
    } catch (error) {
      const state = sqlStateOf(error);
      const isFixed = this.#config.strategy === 'copyUpsert';
      if (isFixed || (state !== NOT_PERMITTED && state !== NOT_SUPPORTED)) throw error;
      // Of the staging table, if another strategy works; else of the table itself.
      const written = await this.#upsertArrays(client, rows);
      planner.drop('copyUpsert');
      return written;
    }
  }

  async #upsertArrays(client: PoolClient, rows: Rows<T>): Promise<number> {
    const { upsertArrays, upsertName } = this.#statements;
    const values = readRows(() => encodeArrays(this.#config.table.columns, rows));
    const unnamed = { text: upsertArrays, values };
    const ask = async (statement: Statement) => (await client.query(statement)).rowCount ?? 0;
    if (this.#isSessionLent) return ask(unnamed);
    try {
      return await ask({ name: upsertName, ...unnamed });
    } catch (error) {
      if (!PREPARED_ELSEWHERE.has(sqlStateOf(error) ?? '')) throw error;
      this.#isSessionLent = true;
      return ask(unnamed);
    }
  }

  async #upsertStaged(client: PoolClient, rows: Rows<T>): Promise<number> {
    const { copyUpsert, stageAndUpsert } = this.#statements;
    const data = readRows(() => encodeCopy(this.#config.table.columns, rows));
    if (this.#staged.has(client) && !this.#isSessionLent) {
      try {
        return await this.#copyIn(client, copyUpsert, data);
      } catch (error) {
        if (!isStageLost(Object(error))) throw error;
        this.#isSessionLent = true;
      }
    }
    const written = await this.#copyIn(client, stageAndUpsert, data);
    this.#staged.add(client);
    return written;
  }

  async #copyIn(client: PoolClient, text: string, data: Buffer): Promise<number> {
    const isMortal = this.#mortal.has(client);
    try {
      const written = await copyIn(client, isMortal ? text : `${KEEPALIVE} ${text}`, data);
      // Undone with the rest where it failed.
      if (!isMortal) this.#mortal.add(client);
      return written;
    } catch (error) {
      // A pooler has the session back with the refusal, and lends it once more for the data that was still on its way, until
      // the server answers again.
      if (!endsSession(error)) await client.query('').catch(() => {});
      throw error;
    }
  }
}

/** `IF NOT EXISTS` does not see what another session is about to commit, which then fails as a duplicate in the catalogue. */
async function createBesideOthers(client: PoolClient, create: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query(create);
      return;
    } catch (error) {
      if (attempt === MAX_CREATIONS || sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
    }
  }
}

/** No item is at fault for what fails before the first write, such as a trigger that forbids to create tables. */
function toPreparingError(error: unknown, table: string): StoreError {
  const explained = toStoreError(error, writing(table));
  const { message, sqlState, failureClass } = explained;
  if (failureClass !== 'poison') return explained;
  return new StoreError('SLUICE_STORE_TABLE', `the table ${table} cannot be prepared for writing: ${message}`, {
    sqlState,
    // Someone else may create the table at the same time, which fails as a duplicate in the catalogue.
    failureClass: sqlState === UNIQUE_VIOLATION ? 'transient' : 'fatal',
    cause: error,
  });
}
