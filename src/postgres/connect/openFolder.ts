import { accessSync, chmodSync, constants, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import type pg from 'pg';
import { isMissing } from '../../disk/disk.js';
import { lockFolder } from '../../disk/folderLock.js';
import { isFolderLockedError } from '../../disk/folderLockedError.js';
import { errnoSentence } from '../../failures/errno.js';
import { loadPeers } from '../../primitives/peers.js';
import { within } from '../../primitives/within.js';
import type { Store } from '../store.js';
import { StoreError } from '../storeError.js';
import { reasonOf } from '../toStoreError.js';
import { PgliteThread } from './pgliteThread.js';
import { storeOf } from './storeOf.js';

const USE = {
  user: 'the embedded store, PGlite,',
  remedy: 'give the databaseUrl (DATABASE_URL) of a Postgres server',
};

/** Opens the embedded database of a folder. */
export async function openFolder(folder: string, closeTimeoutMs: number): Promise<Store> {
  // They are large, so they are loaded only where they are used; and before anything is made on the disk.
  const driver = await loadPeers(USE, {
    '@electric-sql/pglite': () => import('@electric-sql/pglite'),
    '@electric-sql/pglite/node-postgres': () => import('@electric-sql/pglite/node-postgres'),
    pg: () => import('pg'),
  });
  const { protocol } = driver['@electric-sql/pglite'];
  const { createPgConfig } = driver['@electric-sql/pglite/node-postgres'];
  let unlock: (() => Promise<void>) | undefined;
  try {
    makeFolder(folder);
    closeToOthers(folder);
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    // PGlite keeps nobody out, and two of them in one folder destroy it.
    unlock = await lockFolder(folder);
    const database = new PgliteThread(folder, protocol.Parser);
    await database.waitReady;
    const adapted = createPgConfig(database as unknown as PGlite);
    // The one connection is kept while idle: the pool would only make it anew.
    const pool = new driver.pg.default.Pool({ ...adapted, max: 1, idleTimeoutMillis: 0 });
    return storeOf(pool, 'pglite', {
      // It has one session, and a question of ours could end up within a transaction of its user.
      async ask() {
        if (!database.ready || database.closed) throw new Error('the embedded database has ended');
      },
      async release() {
        try {
          await within(closeTimeoutMs, emptied(pool));
          await database.close();
        } finally {
          await unlock?.();
        }
      },
    });
  } catch (error) {
    await unlock?.();
    throw toFolderError(folder, error);
  }
}

/** Node says of a folder that a read-only file system refuses that it does not exist, unless it is made by itself. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (!isMissing(error)) throw error;
    let first = folder;
    while (!existsSync(dirname(first))) first = dirname(first);
    mkdirSync(first, { mode: 0o700 });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
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
