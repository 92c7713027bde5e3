import { resolve } from 'node:path';
import { Option } from 'commander';
import { openStore, type Store } from '../postgres/openStore.js';
import { withoutPassword } from '../settings/secret.js';
import type { Invocation } from './invocation.js';
import { UsageError } from './usageError.js';

export interface StoreOptions {
  readonly storeFolder?: string;
}

/** There is none for a connection string: a command line is there for everyone on the machine to read. */
export function storeFolderOption(): Option {
  return new Option(
    '--store-folder <path>',
    'the embedded store in this folder, in place of the server of DATABASE_URL',
  );
}

/**
 * Opens the store that the options or `DATABASE_URL` name, and closes it after the work. There is no default: rows that
 * went to a store by mistake would count as written.
 */
export async function withStore<R>(
  invocation: Invocation,
  { storeFolder }: StoreOptions,
  work: (store: Store) => Promise<R>,
): Promise<R> {
  const { databaseUrl, coordinator } = invocation.settings();
  if (storeFolder === undefined && databaseUrl === undefined) {
    throw new UsageError(
      'no store is named: set DATABASE_URL in the environment or .env, or --store-folder for an embedded one',
    );
  }
  const store = await openStore(
    storeFolder === undefined
      ? { databaseUrl: databaseUrl?.reveal(), poolSize: coordinator.workers }
      : { folder: resolve(invocation.terminal.cwd, storeFolder) },
  );
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Which store that is, for a person. */
export function storeName(invocation: Invocation, { storeFolder }: StoreOptions): string {
  const { databaseUrl } = invocation.settings();
  if (storeFolder !== undefined) return `the store in ${resolve(invocation.terminal.cwd, storeFolder)}`;
  return databaseUrl ? withoutPassword(databaseUrl) : 'no store';
}
