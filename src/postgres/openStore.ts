import { accessSync, constants, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import pg from 'pg';
import { lockFolder } from '../disk/folderLock.js';
import { isFolderLockedError } from '../disk/folderLockedError.js';
import { errnoSentence } from '../failures/errno.js';
import { requireDuration, requireInteger, requireKnownOptions } from '../primitives/validate.js';
import { within } from '../primitives/within.js';
import { destroyClient, OpenClients } from './openClients.js';
import { watchPool } from './session.js';
import { StoreError } from './storeError.js';
import { toStoreError } from './toStoreError.js';

export interface OpenStoreConfig {
  /** The connection string of a Postgres server, `postgres://user:password@host:port/database`. Default: none. */
  readonly databaseUrl?: string | undefined;
  /** Where the embedded database lives if there is no `databaseUrl`; created if need be. Default `.sluice/pglite`. */
  readonly folder?: string | undefined;
  /** The most connections to a server. Integer of at least 1, default 4. The embedded database has one. */
  readonly poolSize?: number | undefined;
  /** How long connect and login may take, in milliseconds. At least 1, default 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long `close()` waits for connections in use before it cuts them, in milliseconds. From 0, default 5,000. */
  readonly closeTimeoutMs?: number | undefined;
}

/** An open database. */
export interface Store {
  readonly pool: pg.Pool;
  readonly kind: 'postgres' | 'pglite';
  /**
   * Ends all connections, waiting for those in use, but no longer than `closeTimeoutMs`: then they are cut. May be called
   * again, and after `pool.end()`.
   */
  close(): Promise<void>;
}

const OWNER = 'openStore';

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
 * **Backpressure**: does not apply; who needs a connection while all are in use waits for one, for as long as it takes.
 * **Completes when**: does not apply; `close()` ends the connections and unlocks the folder. Connections still in use after
 * `closeTimeoutMs` are cut, and what they were doing is rolled back.
 * **Errors when**: the server cannot be reached, refuses the login or TLS, or lacks the database, or the folder is locked,
 * damaged or cannot be written: `StoreError`, with one sentence that names it and the remedy, and never the password.
 * **On unsubscribe**: does not apply.
 *
 * **Delivery**: a server is as durable as it is configured; PGlite writes through to its folder.
 *
 * **Gotchas**: PGlite takes about 320 MB of memory, the first creation of a folder 840 MB; it has one connection, and
 * blocks the event loop while a statement runs. Promises about memory and latency are for a real server. Its folder
 * belongs to one process at a time: the kernel holds the lock, and releases it when the process ends, however it ends.
 *
 * @example
 * ```ts
 * import { barsSink, openStore, sinkSubscriber } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 *
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * const writer = sinkSubscriber(barsSink(store.pool));
 * synthetic({ count: 10_000, seed: 7 }).subscribe(writer);
 * await writer.whenFinished();
 * await store.close();
 * ```
 */
export async function openStore(config: OpenStoreConfig = {}): Promise<Store> {
  requireKnownOptions(OWNER, config, ['databaseUrl', 'folder', 'poolSize', 'connectTimeoutMs', 'closeTimeoutMs']);
  const { databaseUrl, folder = '.sluice/pglite' } = config;
  const poolSize = requireInteger(OWNER, 'poolSize', config.poolSize ?? 4);
  const connectTimeoutMs = requireDuration(OWNER, 'connectTimeoutMs', config.connectTimeoutMs ?? 10_000, 1);
  const closeTimeoutMs = requireDuration(OWNER, 'closeTimeoutMs', config.closeTimeoutMs ?? 5_000);
  if (databaseUrl !== undefined && typeof databaseUrl !== 'string') {
    throw new RangeError(`${OWNER}: databaseUrl must be a string, got a ${typeof databaseUrl}`);
  }
  if (typeof folder !== 'string' || folder === '' || folder.includes('://')) {
    throw new RangeError(`${OWNER}: folder must be the path of a folder, got ${JSON.stringify(folder)}`);
  }
  if (databaseUrl) return openServer(requireUrl(databaseUrl), poolSize, connectTimeoutMs, closeTimeoutMs);
  return openFolder(resolve(folder), closeTimeoutMs);
}

async function openServer(
  connectionString: string,
  poolSize: number,
  connectTimeoutMs: number,
  closeTimeoutMs: number,
): Promise<Store> {
  const options = { connectionString, keepAlive: true, application_name: 'sluice' };
  const clients = new OpenClients(connectTimeoutMs);
  // Not through the pool: it forgets a connection that fails at the login, which the server then keeps for a minute.
  const client = makeClient(clients, options);
  try {
    await client.connect();
    // A server that has stopped answering after the login is not there either.
    const question = { text: 'SELECT 1', query_timeout: connectTimeoutMs };
    await client.query(question);
    await within(connectTimeoutMs, client.end());
  } catch (error) {
    throw explainOpening(error, client, connectTimeoutMs);
  } finally {
    destroyClient(client);
  }
  const pool = new pg.Pool({ ...options, Client: clients.Client, max: poolSize });
  return storeOf(pool, 'postgres', async () => {
    await within(closeTimeoutMs, clients.empty());
    clients.destroy();
  });
}

/** The connection string is neither quoted nor kept as a cause: it may hold a password. */
function requireUrl(databaseUrl: string): string {
  const isPostgres = /^postgres(ql)?:\/\//.test(databaseUrl);
  // A socket's URL has no host, which the parser of the driver takes, and that of Node too.
  if (!isPostgres || !URL.canParse(databaseUrl)) throw badUrl();
  return databaseUrl;
}

function badUrl(): StoreError {
  return new StoreError(
    'SLUICE_STORE_URL',
    'DATABASE_URL is not a connection string: write postgres://user:password@host:port/database, and %40 for an @, ' +
      '%2F for a /, %3A for a : and %25 for a % in the password',
  );
}

/** The driver reads the connection string here, and the certificates that it names. */
function makeClient(clients: OpenClients, options: pg.ClientConfig): pg.Client {
  try {
    return new clients.Client(options);
  } catch (error) {
    const { code, path } = error as { code?: unknown; path?: unknown };
    if (typeof path === 'string') {
      throw new StoreError(
        'SLUICE_STORE_URL',
        `DATABASE_URL names a file that cannot be read, ${path} (${code}): correct sslrootcert, sslcert or sslkey in it`,
      );
    }
    throw badUrl();
  }
}

const TLS_CODE =
  /^(ERR_SSL|ERR_TLS|ERR_OSSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_(GET_ISSUER|VERIFY)|HOSTNAME_MISMATCH)/;

/** As nothing is written yet, a connection that breaks here is one that was not to be had. */
function explainOpening(error: unknown, client: pg.Client, connectTimeoutMs: number): StoreError {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const said = String(message);
  const at = client.host.startsWith('/') ? client.host : `${client.host}:${client.port}`;
  const unreachable = (reason: string) =>
    new StoreError('SLUICE_STORE_UNREACHABLE', `cannot reach Postgres at ${at} ${reason}`, { cause: error });
  if (/support SSL|SSL connection/.test(said)) {
    return unreachable(
      `over TLS (${said}): switch TLS on in the server, or write sslmode=disable in DATABASE_URL where the network is safe`,
    );
  }
  if (typeof code === 'string' && TLS_CODE.test(code)) {
    return unreachable(
      `over TLS (${said}): name the certificate of its authority with sslrootcert in DATABASE_URL, or correct the host`,
    );
  }
  if (said === 'timeout expired' || said === 'Query read timeout') {
    return unreachable(
      `(no answer within ${connectTimeoutMs} ms): start the server, or correct host and port in DATABASE_URL`,
    );
  }
  const explained = toStoreError(error);
  if (explained.code !== 'SLUICE_STORE_CONNECTION_LOST' || explained.sqlState !== undefined) return explained;
  return unreachable(`(${said}): see that it is a Postgres server and is up, or correct host and port in DATABASE_URL`);
}

async function openFolder(folder: string, closeTimeoutMs: number): Promise<Store> {
  let unlock: (() => Promise<void>) | undefined;
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    // PGlite keeps nobody out, and two of them in one folder destroy it.
    const locked = await lockFolder(folder);
    unlock = locked;
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
        await within(closeTimeoutMs, emptied(pool));
        await database.close();
      } finally {
        await locked();
      }
    });
  } catch (error) {
    await unlock?.();
    throw explainFolder(folder, error);
  }
}

function storeOf(pool: pg.Pool, kind: Store['kind'], release: () => Promise<void>): Store {
  watchPool(pool);
  let closing: Promise<void> | undefined;
  return {
    pool,
    kind,
    close() {
      // The pool's own end takes as long as the slowest client is in use, and cannot be asked for twice.
      if (!closing && !pool.ending) pool.end().catch(() => {});
      closing ??= release();
      return closing;
    },
  };
}

/** Resolves when a pool that is ending has no client any more. */
function emptied(pool: pg.Pool): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (pool.totalCount === 0) resolve();
    };
    pool.on('remove', look);
    look();
  });
}

function explainFolder(folder: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (isFolderLockedError(error)) {
    return new StoreError(
      'SLUICE_STORE_LOCKED',
      `the store folder ${error.folder} is in use by ${error.holder}: close that one, or choose another folder` +
        (error.remedy && ` (${error.remedy})`),
    );
  }
  const known = errnoSentence(error);
  if (known) {
    return new StoreError(
      'SLUICE_STORE_FOLDER',
      `cannot use ${folder} as the store: ${known.meaning}; ${known.remedy}, choose another folder, or set DATABASE_URL`,
      { cause: error },
    );
  }
  const { message } = (error ?? {}) as { message?: unknown };
  const said = typeof message === 'string' && message !== '' ? message : 'no reason given';
  return new StoreError(
    'SLUICE_STORE_FOLDER',
    `cannot open the store in ${folder} (${said}): see first whether its disk is full, and make room; otherwise it is ` +
      'damaged, or of another kind or version: move it away for a new one to be created, or give a DATABASE_URL',
    { cause: error },
  );
}
