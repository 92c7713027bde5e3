import type { Pool, PoolClient } from 'pg';
import type { WriteReceipt } from '../../model/sink.js';
import { rowArranger } from './arrangeRows.js';
import { copyIn } from './copyIn.js';
import { badValue, encodeArrays, encodeCopy, type Rows } from './encode.js';
import { breaksConnection, explain, sqlStateOf } from './explain.js';
import { type Strategy, WritePlanner } from './planner.js';
import { type Statements, statementsFor } from './statements.js';
import { StoreError } from './storeError.js';
import type { Table } from './tables.js';

export interface TableWriterConfig<T> {
  readonly table: Table<T>;
  readonly schema: string | undefined;
  readonly createTable: boolean;
  readonly strategy: Strategy | 'auto';
  /** The time of receipt in epoch milliseconds. */
  readonly clock: () => number;
}

/** What the server turned out to be. */
interface Server {
  readonly isPGlite: boolean;
  readonly planner: WritePlanner;
}

const UNIQUE_VIOLATION = '23505';
const DEADLOCK = '40P01';

/** Two writers that meet on the same rows in different orders can be each other's victim more than once. */
const ATTEMPTS_AT_DEADLOCK = 5;

const watched = new WeakSet<Pool>();

/** Writes batches into the table of a description, one statement in flight a connection. */
export class TableWriter<T> {
  readonly #pool: Pool;
  readonly #config: TableWriterConfig<T>;
  readonly #statements: Statements;
  readonly #arrange: (rows: Rows<T>) => Rows<T>;
  /** The versions given to a batch, so that a batch that is written again has the same. */
  readonly #numbered = new WeakMap<readonly T[], Float64Array>();
  /** The connections that have the staging table. */
  readonly #staged = new WeakSet<PoolClient>();
  #lastSeq = 0;
  #server: Promise<Server> | undefined;

  constructor(pool: Pool, config: TableWriterConfig<T>) {
    this.#pool = pool;
    this.#config = config;
    this.#statements = statementsFor(config.table, config.schema);
    this.#arrange = rowArranger(config.table);
    // An idle connection that breaks is an event that would end the process; the pool has dropped it by then.
    if (!watched.has(pool)) {
      watched.add(pool);
      pool.on('error', () => {});
    }
  }

  async write(batch: readonly T[]): Promise<WriteReceipt> {
    try {
      const rows = this.#arrange({ items: batch, seqs: this.#seqsOf(batch) });
      const server = await this.#ready();
      const written = await this.#borrow(server, (client) => this.#writeRows(client, server, rows));
      return { rows: written };
    } catch (error) {
      throw explain(error, this.#statements.qualified);
    }
  }

  #seqsOf(batch: readonly T[]): Float64Array {
    const known = this.#numbered.get(batch);
    if (known) return known;
    const { version, versionOf } = this.#config.table;
    const seqs = new Float64Array(batch.length);
    let numbered = false;
    let now = 0;
    for (let i = 0; i < batch.length; i++) {
      const seq = versionOf(batch[i]!);
      if (seq !== undefined && seq !== null) {
        if (!Number.isSafeInteger(seq)) throw badValue(version, 'a safe integer', seq, '22003');
        seqs[i] = seq;
        continue;
      }
      if (!numbered) now = Math.round(this.#config.clock() * 1000);
      numbered = true;
      this.#lastSeq = Math.max(this.#lastSeq + 1, now);
      seqs[i] = this.#lastSeq;
    }
    if (numbered) this.#numbered.set(batch, seqs);
    return seqs;
  }

  /** Once, whoever calls first; after a failure, anew. */
  #ready(): Promise<Server> {
    this.#server ??= this.#borrow(undefined, (client) => this.#prepare(client)).catch((error: unknown) => {
      this.#server = undefined;
      throw error;
    });
    return this.#server;
  }

  async #prepare(client: PoolClient): Promise<Server> {
    const { strategy, createTable } = this.#config;
    const { exists, create, qualified } = this.#statements;
    const version = await client.query<{ version: string }>('SELECT version() AS version');
    // PGlite is Postgres compiled by Emscripten: COPY FROM STDIN ends its process.
    const isPGlite = /emcc|emscripten/i.test(version.rows[0]?.version ?? '');
    if (isPGlite && (strategy === 'copy' || strategy === 'copyUpsert')) {
      throw new StoreError(
        'SLUICE_STORE_UNSUPPORTED',
        `PGlite has no COPY from a client: strategy '${strategy}' needs a Postgres server; leave it at 'auto'`,
      );
    }
    if (createTable) {
      // Asked first, because a user who may not create tables may well write into one.
      const { rows } = await client.query<{ exists: boolean }>(exists, [qualified]);
      if (!rows[0]?.exists) await inTransaction(client, create);
    }
    return { isPGlite, planner: new WritePlanner(strategy, !isPGlite) };
  }

  async #writeRows(client: PoolClient, { planner }: Server, rows: Rows<T>): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      try {
        const ordered = planner.inKeyOrder() ? inKeyOrder(this.#config.table, rows) : rows;
        return await this.#writeOnce(client, planner, ordered);
      } catch (error) {
        if (sqlStateOf(error) !== DEADLOCK || attempt === ATTEMPTS_AT_DEADLOCK) throw error;
        // The server has undone this transaction, and the other may go on.
        planner.deadlocked();
      }
    }
  }

  async #writeOnce(client: PoolClient, planner: WritePlanner, rows: Rows<T>): Promise<number> {
    const count = rows.items.length;
    const strategy = planner.plan(count);
    if (strategy !== 'copy') return this.#upsert(client, strategy, rows);
    try {
      const written = await copyIn(client, this.#statements.copy, encodeCopy(this.#config.table.columns, rows));
      planner.settle('committed');
      return written;
    } catch (error) {
      const conflicted = sqlStateOf(error) === UNIQUE_VIOLATION;
      planner.settle(conflicted ? 'conflicted' : 'failed');
      if (!conflicted) throw error;
      return this.#upsert(client, planner.upsert(count), rows);
    }
  }

  async #upsert(client: PoolClient, strategy: Strategy, rows: Rows<T>): Promise<number> {
    const { columns } = this.#config.table;
    const { upsertArrays, upsertName, createStage, copyUpsert } = this.#statements;
    if (strategy !== 'copyUpsert') {
      const values = encodeArrays(columns, rows);
      const { rowCount } = await client.query({ name: upsertName, text: upsertArrays, values });
      return rowCount ?? 0;
    }
    if (!this.#staged.has(client)) {
      await client.query(createStage);
      this.#staged.add(client);
    }
    try {
      return await copyIn(client, copyUpsert, encodeCopy(columns, rows));
    } catch (error) {
      this.#staged.delete(client);
      throw error;
    }
  }

  /**
   * Lends a client. One whose connection is broken is given back as such; PGlite's never is, because its adapter, once
   * its client has been destroyed, answers one statement late.
   */
  async #borrow<R>(server: Server | undefined, use: (client: PoolClient) => Promise<R>): Promise<R> {
    const client = await this.#pool.connect();
    const onError = () => {};
    client.on('error', onError);
    let broken = false;
    try {
      return await use(client);
    } catch (error) {
      broken = !server?.isPGlite && breaksConnection(error);
      throw error;
    } finally {
      client.removeListener('error', onError);
      client.release(broken);
    }
  }
}

/** Runs statements that begin and commit; should one fail, the client is left outside of the transaction. */
async function inTransaction(client: PoolClient, statements: string): Promise<void> {
  try {
    await client.query(statements);
  } catch (error) {
    if (!breaksConnection(error)) await client.query('ROLLBACK');
    throw error;
  }
}

function inKeyOrder<T>(table: Table<T>, { items, seqs }: Rows<T>): Rows<T> {
  const parts = table.columns.filter(({ name }) => table.key.includes(name));
  const order = items.map((_, i) => i);
  order.sort((a, b) => {
    for (const { of } of parts) {
      const left = of(items[a]!, 0) as string | number;
      const right = of(items[b]!, 0) as string | number;
      if (left !== right) return left < right ? -1 : 1;
    }
    return 0;
  });
  return { items: order.map((i) => items[i]!), seqs: Float64Array.from(order, (i) => seqs[i]!) };
}
