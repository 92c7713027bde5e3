import { accessSync, chmodSync, constants, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { lockFolder } from '../disk/folderLock.js';
import { isFolderLockedError } from '../disk/folderLockedError.js';
import { errnoSentence } from '../failures/errno.js';
import { checked, duration, integer, type OptionsOf, type Read, readOptions } from '../primitives/options.js';
import { within } from '../primitives/within.js';
import { destroyClient, OpenClients } from './openClients.js';
import type { StorePool } from './pool.js';
import { watchPool } from './session.js';
import { StoreError } from './storeError.js';
import { reasonOf, toStoreError } from './toStoreError.js';

export interface OpenStoreConfig {
  /** The connection string of a Postgres server, `postgres://user:password@host:port/database`. Default: none. */
  readonly databaseUrl?: string | undefined;
  /** The folder of the embedded database, used without a `databaseUrl`; created if need be. Default `.sluice/pglite`. */
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
  readonly pool: StorePool;
  readonly kind: 'postgres' | 'pglite';
  /**
   * Ends all connections. Waits for those in use, at most `closeTimeoutMs`, and then cuts them. May be called again, and after
   * `pool.end()`.
   */
  close(): Promise<void>;
}

const OPTIONS = {
  databaseUrl: checked('a string', (value) => typeof value === 'string'),
  folder: checked(
    'the path of a folder',
    (value): value is string => typeof value === 'string' && value !== '',
  ).default('.sluice/pglite'),
  poolSize: integer({ min: 1 }).default(4),
  connectTimeoutMs: duration({ min: 1 }).default(10_000),
  closeTimeoutMs: duration().default(5_000),
} satisfies OptionsOf<OpenStoreConfig>;

/**
 * Opens the database for a sink such as `barsSink`: a Postgres server if there is a `databaseUrl`, else an embedded Postgres
 * (PGlite) in a folder. The promise resolves once the database has answered, and rejects with a `StoreError` if it cannot be
 * used: one sentence with the cause and the remedy, which never holds the password.
 *
 * ```text
 * openStore({ databaseUrl })   --(connect, ask)--> { pool, kind: 'postgres' }
 * openStore({ folder })        --(lock, open)----> { pool, kind: 'pglite' }
 * ```
 *
 * **Backpressure**: while all connections are in use, the next user waits for one, for as long as it takes.
 * **Completes when**: `close()` ends the connections and unlocks the folder. Connections still in use after `closeTimeoutMs` are
 * cut, and what they were doing is rolled back.
 * **Errors when**: the server cannot be reached, refuses the login or TLS, or lacks the database, or the folder is locked,
 * damaged or not writable: `StoreError`.
 *
 * **Delivery**: a server is as durable as it is configured; PGlite writes through to its folder.
 *
 * **Gotchas**:
 *
 * - PGlite takes about 320 MB of memory, the first creation of a folder 840 MB. It has one connection, and blocks the event loop
 *   while a statement runs. Promises about memory and latency are for a real server.
 * - The folder of PGlite belongs to one process at a time: the kernel holds the lock, and releases it when the process ends, however
 *   it ends.
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
  const options = readOptions('openStore', config, OPTIONS);
  // Not quoted: a connection string may hold a password.
  if (options.folder.includes('://')) throw new RangeError('openStore: folder must be a path rather than a URL');
  if (!options.databaseUrl) return openFolder(resolve(options.folder), options.closeTimeoutMs);
  return openServer(options.databaseUrl, options);
}

async function openServer(
  connectionString: string,
  { poolSize, connectTimeoutMs, closeTimeoutMs }: Read<OpenStoreConfig, typeof OPTIONS>,
): Promise<Store> {
  const settings = { connectionString, keepAlive: true, application_name: 'sluice' };
  const clients = new OpenClients(connectTimeoutMs);
  // Not through the pool: it forgets a connection that fails at the login, which the server then keeps for a minute.
  const client = makeClient(clients, settings);
  try {
    await client.connect();
    // A server may stop answering after the login.
    const question = { text: 'SELECT 1', query_timeout: connectTimeoutMs };
    await client.query(question);
    await within(connectTimeoutMs, client.end());
  } catch (error) {
    throw toOpeningError(error, client, connectTimeoutMs);
  } finally {
    destroyClient(client);
  }
  const pool = new pg.Pool({ ...settings, Client: clients.Client, max: poolSize });
  return storeOf(pool, 'postgres', async () => {
    await within(closeTimeoutMs, clients.empty());
    clients.destroy();
  });
}

/**
 * The driver reads the connection string here, and the certificates that it names. The string is neither quoted nor kept as a
 * cause: it may hold a password.
 */
function makeClient(clients: OpenClients, settings: { readonly connectionString: string }): pg.Client {
  try {
    const isPostgres = /^postgres(ql)?:\/\//.test(settings.connectionString);
    // The URL of a socket has no host, which is fine with the parsers of the driver and of Node.
    if (isPostgres && URL.canParse(settings.connectionString)) return new clients.Client(settings);
  } catch (error) {
    const { code, path } = error as { code?: unknown; path?: unknown };
    if (typeof path === 'string') {
      throw new StoreError(
        'SLUICE_STORE_URL',
        `DATABASE_URL names a file that cannot be read, ${path} (${code}): correct sslrootcert, sslcert or sslkey in it`,
      );
    }
  }
  throw new StoreError(
    'SLUICE_STORE_URL',
    'DATABASE_URL is not a connection string: write postgres://user:password@host:port/database, and %40 for an @, ' +
      '%2F for a /, %3A for a : and %25 for a % in the password',
  );
}

const TLS_CODE =
  /^(ERR_SSL|ERR_TLS|ERR_OSSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_(GET_ISSUER|VERIFY)|HOSTNAME_MISMATCH)/;

/** Nothing is written yet, so a connection that breaks here counts as unreachable. */
function toOpeningError(error: unknown, client: pg.Client, connectTimeoutMs: number): StoreError {
  const { code } = Object(error) as { readonly code?: unknown };
  const said = reasonOf(error);
  const at = client.host.startsWith('/') ? client.host : `${client.host}:${client.port}`;
  const unreachable = (reason: string) =>
    new StoreError('SLUICE_STORE_UNREACHABLE', `cannot reach Postgres at ${at} ${reason}`, { cause: error });
  if (/support SSL|SSL connection/.test(said)) {
    return unreachable(
      `over TLS (${said}): enable TLS on the server, or write sslmode=disable in DATABASE_URL if the network is safe`,
    );
  }
  if (typeof code === 'string' && TLS_CODE.test(code)) {
    return unreachable(
      `over TLS (${said}): name the certificate of its authority by sslrootcert in DATABASE_URL, or correct the host`,
    );
  }
  if (said === 'timeout expired' || said === 'Query read timeout') {
    return unreachable(
      `(no answer within ${connectTimeoutMs} ms): start the server, or correct host and port in DATABASE_URL`,
    );
  }
  const explained = toStoreError(error);
  if (explained.code !== 'SLUICE_STORE_CONNECTION_LOST' || explained.sqlState !== undefined) return explained;
  return unreachable(`(${said}): check that a Postgres server runs there, or correct host and port in DATABASE_URL`);
}

async function openFolder(folder: string, closeTimeoutMs: number): Promise<Store> {
  let unlock: (() => Promise<void>) | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    closeToOthers(folder);
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    // PGlite keeps nobody out, and two of them in one folder destroy it.
    unlock = await lockFolder(folder);
    // It is large, so it is loaded only where it is used.
    const [{ PGlite }, { createPgConfig }] = await Promise.all([
      import('@electric-sql/pglite'),
      import('@electric-sql/pglite/node-postgres'),
    ]);
    const database = await PGlite.create({ dataDir: folder });
    // The one connection is kept while idle: the pool would only make it anew.
    const pool = new pg.Pool({ ...createPgConfig(database), max: 1, idleTimeoutMillis: 0 });
    return storeOf(pool, 'pglite', async () => {
      try {
        await within(closeTimeoutMs, emptied(pool));
        await database.close();
      } finally {
        await unlock?.();
      }
    });
  } catch (error) {
    await unlock?.();
    throw toFolderError(folder, error);
  }
}

/** PGlite writes files that every user may change: nobody else must come near them, in a folder of a former version either. */
function closeToOthers(folder: string): void {
  if (process.platform === 'win32') return;
  const { uid, mode } = statSync(folder);
  const isOurs =
    uid === process.getuid?.() && (readdirSync(folder).length === 0 || existsSync(join(folder, 'PG_VERSION')));
  if (isOurs && (mode & 0o077) !== 0) chmodSync(folder, 0o700);
}

function storeOf(pool: pg.Pool, kind: Store['kind'], release: () => Promise<void>): Store {
  watchPool(pool);
  let closing: Promise<void> | undefined;
  return {
    pool,
    kind,
    close() {
      // The pool's own end takes as long as its slowest client is in use, and may be called only once.
      if (!closing && !pool.ending) pool.end().catch(() => {});
      closing ??= release();
      return closing;
    },
  };
}

/** Resolves when a pool that is ending has no client left. */
async function emptied(pool: pg.Pool): Promise<void> {
  while (pool.totalCount > 0) await new Promise((resolve) => pool.once('remove', resolve));
}

function toFolderError(folder: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (isFolderLockedError(error)) {
    return new StoreError(
      'SLUICE_STORE_LOCKED',
      `the store folder ${error.folder} is in use by ${error.holder}: close that one, or choose another folder` +
        (error.remedy && ` (${error.remedy})`),
    );
  }
  const known = errnoSentence(error);
  const message = known
    ? `cannot use ${folder} as the store: ${known.meaning}; ${known.remedy}, choose another folder, or set DATABASE_URL`
    : `cannot open the store in ${folder} (${reasonOf(error)}): free some space if its disk is full; otherwise the folder ` +
      'is damaged, or of another kind or version: move it away so that a new one is created, or set DATABASE_URL';
  return new StoreError('SLUICE_STORE_FOLDER', message, { cause: error });
}
