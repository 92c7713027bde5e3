import { resolve } from 'node:path';
import { checked, duration, func, integer, type OptionsOf, readOptions } from '../primitives/options.js';
import { isMissingPackageError } from '../primitives/peers.js';
import { folderPath } from '../primitives/unexpandedPath.js';
import { openFolder } from './connect/openFolder.js';
import { openServer } from './connect/openServer.js';
import type { Store } from './store.js';
import { StoreError } from './storeError.js';

export type { Store } from './store.js';

export interface OpenStoreConfig {
  /**
   * The connection string of one Postgres server, `postgres://user:password@host:port/database`, as the driver `pg` takes it.
   * Default: none.
   */
  readonly databaseUrl?: string | undefined;
  /**
   * Gives the password for each new connection in place of the one in `databaseUrl`, for passwords that expire. Default: none is
   * asked for.
   */
  readonly password?: (() => string | PromiseLike<string>) | undefined;
  /**
   * How long writers wait when the server refuses a login that it accepted before, in milliseconds, until that counts as fatal.
   * From 0, default 600,000.
   */
  readonly passwordPatienceMs?: number | undefined;
  /** The folder of the embedded database, used without a `databaseUrl`; created if need be. Default `.sluice/pglite`. */
  readonly folder?: string | undefined;
  /** The most connections to a server. Integer of at least 1, default 4. The embedded database has one. */
  readonly poolSize?: number | undefined;
  /** How long connect and login may take, in milliseconds. At least 1, default 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long `close()` waits for connections in use before it cuts them, in milliseconds. From 0, default 5,000. */
  readonly closeTimeoutMs?: number | undefined;
}

const OPTIONS = {
  databaseUrl: checked('a string', (value) => typeof value === 'string'),
  password: func(),
  passwordPatienceMs: duration().default(600_000),
  folder: folderPath().default('.sluice/pglite'),
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
 * cut, and the server is asked to cancel what they were doing.
 * **Errors when**: the server cannot be reached, refuses the login or TLS, or lacks the database, or the folder is locked,
 * damaged or not writable, or a package is missing: `StoreError`.
 *
 * **Delivery**: a server is as durable as it is configured; PGlite writes through to its folder.
 *
 * **Gotchas**:
 *
 * - A server needs the package `pg`, a folder `@electric-sql/pglite` too: `npm install pg@8 @electric-sql/pglite@0.5`. Both
 *   are optional peers of Sluice, and without them the error says what to install.
 * - With this driver `sslmode=require` checks the certificate of the server, as `verify-full` does; see the notes.
 * - PGlite takes about 320 MB of memory, the first creation of a folder 840 MB. It has one connection, and runs in a thread of its
 *   own, so that the event loop is free while a statement runs. Promises about memory and latency are for a real server.
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
  const databaseUrl = options.databaseUrl?.trim();
  try {
    if (databaseUrl) return await openServer(databaseUrl, options);
    return await openFolder(resolve(options.folder), options.closeTimeoutMs);
  } catch (error) {
    if (!isMissingPackageError(error)) throw error;
    throw new StoreError('SLUICE_STORE_PACKAGE', error.message, { cause: error });
  }
}
