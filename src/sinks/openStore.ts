import { accessSync, constants, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import pg from 'pg';
import { requireInteger, requireKnownOptions } from '../policies/validate.js';
import { explain } from './postgres/explain.js';
import { lockFolder } from './postgres/folderLock.js';
import { StoreError } from './postgres/storeError.js';

export interface OpenStoreConfig {
  /** The connection string of a Postgres server, `postgres://user:password@host:port/database`. Default: none. */
  readonly databaseUrl?: string | undefined;
  /** Where the embedded database lives if there is no `databaseUrl`; created if need be. Default `.sluice/pglite`. */
  readonly folder?: string | undefined;
  /** The most connections to a server. Integer of at least 1, default 4. The embedded database has one. */
  readonly poolSize?: number | undefined;
}

/** An open database. */
export interface Store {
  readonly pool: pg.Pool;
  readonly kind: 'postgres' | 'pglite';
  /** Ends all connections, waiting for those in use. May be called again. */
  close(): Promise<void>;
}

/** How long to wait for a connection. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Opens the database for a sink such as `barsSink`: a Postgres server if there is a `databaseUrl`, else an embedded
 * Postgres (PGlite) in a folder. It has answered once when the promise resolves.
 *
 * ```text
 * openStore({ databaseUrl })   --(connect, ask)--> { pool, kind: 'postgres' }
 * openStore({ folder })        --(lock, open)----> { pool, kind: 'pglite' }
 * ```
 *
 * **Emits when**: does not apply; the promise resolves with the open store.
 * **Backpressure**: does not apply; who needs a connection while all are in use waits for one.
 * **Completes when**: does not apply; `close()` ends the connections and unlocks the folder.
 * **Errors when**: the server cannot be reached, refuses the login or lacks the database, or the folder is locked,
 * damaged or cannot be written: `StoreError`, with one sentence that names it and the remedy, and never the password.
 * **On unsubscribe**: does not apply.
 *
 * **Delivery**: a server is as durable as it is configured; PGlite writes through to its folder.
 *
 * **Gotchas**: PGlite takes about 320 MB of memory, the first creation of a folder 840 MB; it has one connection, and
 * blocks the event loop while a statement runs. Promises about memory and latency are for a real server. Its folder
 * belongs to one process at a time: a file `<folder>.lock` beside it says which.
 *
 * @example
 * ```ts
 * import { barsSink, openStore, sinkSubscriber } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 *
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * const writer = sinkSubscriber(barsSink(store.pool));
 * synthetic({ count: 10_000, seed: 7 }).subscribe(writer);
 * await writer.finished;
 * await store.close();
 * ```
 */
export async function openStore(config: OpenStoreConfig = {}): Promise<Store> {
  const owner = 'openStore';
  requireKnownOptions(owner, config, ['databaseUrl', 'folder', 'poolSize']);
  const poolSize = requireInteger(owner, 'poolSize', config.poolSize ?? 4);
  const { databaseUrl } = config;
  if (databaseUrl !== undefined && databaseUrl !== '') return openServer(databaseUrl, poolSize);
  const folder = config.folder ?? '.sluice/pglite';
  if (folder === '' || folder.includes('://')) {
    throw new RangeError(`${owner}: folder must be the path of a folder, got ${JSON.stringify(folder)}`);
  }
  return openFolder(resolve(folder));
}

async function openServer(databaseUrl: string, poolSize: number): Promise<Store> {
  const options = {
    connectionString: requireUrl(databaseUrl),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'sluice',
  };
  // Not through the pool: it forgets a connection that fails at the login, which the server then keeps for a minute.
  const client = new pg.Client(options);
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('SELECT 1');
  } catch (error) {
    throw explain(error);
  } finally {
    await client.end().catch(() => {});
  }
  return storeOf(new pg.Pool({ ...options, max: poolSize }), 'postgres', async () => {});
}

/** The connection string is neither quoted nor kept as a cause: it may hold a password. */
function requireUrl(databaseUrl: string): string {
  const isPostgres = /^postgres(ql)?:\/\//.test(databaseUrl);
  // A socket's URL has no host, which the parser of the driver takes, and that of Node too.
  if (!isPostgres || !URL.canParse(databaseUrl)) {
    throw new StoreError(
      'SLUICE_STORE_URL',
      'DATABASE_URL is not a connection string: write postgres://user:password@host:port/database, and %40 for an @, ' +
        '%2F for a / and %3A for a : in the password',
    );
  }
  return databaseUrl;
}

async function openFolder(folder: string): Promise<Store> {
  let unlock: () => void;
  try {
    mkdirSync(dirname(folder), { recursive: true });
    unlock = lockFolder(folder);
  } catch (error) {
    throw explainFolder(folder, error);
  }
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    // Loaded only where it is used: it is large.
    const [{ PGlite }, { createPgConfig }] = await Promise.all([
      import('@electric-sql/pglite'),
      import('@electric-sql/pglite/node-postgres'),
    ]);
    const database = await PGlite.create({ dataDir: folder });
    // Its one connection is never given up while idle: the pool would only make it anew.
    const pool = new pg.Pool({ ...createPgConfig(database), max: 1, idleTimeoutMillis: 0 });
    return storeOf(pool, 'pglite', async () => {
      try {
        await database.close();
      } finally {
        unlock();
      }
    });
  } catch (error) {
    unlock();
    throw explainFolder(folder, error);
  }
}

function storeOf(pool: pg.Pool, kind: Store['kind'], release: () => Promise<void>): Store {
  // An idle connection that breaks is an event that would end the process; the pool has dropped it by then.
  pool.on('error', () => {});
  let closing: Promise<void> | undefined;
  return {
    pool,
    kind,
    close() {
      closing ??= pool.end().then(release);
      return closing;
    },
  };
}

const REASONS: Record<string, string> = {
  EACCES: 'no permission to write there',
  EPERM: 'no permission to write there',
  EROFS: 'its file system is read-only',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'it is a file',
};

function explainFolder(folder: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const known = typeof code === 'string' ? REASONS[code] : undefined;
  if (known) {
    return new StoreError(
      'SLUICE_STORE_FOLDER',
      `cannot use ${folder} as the store: ${known}; choose another folder, or give a DATABASE_URL`,
      { cause: error },
    );
  }
  const said = typeof message === 'string' && message !== '' ? message : 'no reason given';
  return new StoreError(
    'SLUICE_STORE_FOLDER',
    `cannot open the store in ${folder} (${said}): it is damaged, or of another kind or version; move it away for a new ` +
      'one to be created, or give a DATABASE_URL',
    { cause: error },
  );
}
