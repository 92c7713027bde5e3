import { resolve } from 'node:path';
import { Option } from 'commander';
import { openStore, type Store } from '../postgres/openStore.js';
import { type CommandContext, UsageError } from './commandContext.js';
import { path } from './parsers.js';

export interface StoreOptions {
  readonly storeFolder?: string;
}

/** There is no option for a connection string, because every user of the machine can read a command line. */
export function storeFolderOption(): Option {
  return new Option('--store-folder <path>', 'use the embedded store in this folder instead of DATABASE_URL').argParser(
    path,
  );
}

/**
 * Opens the store that `--store-folder` or `DATABASE_URL` names, and closes it after the work. There is no default: rows
 * written to the wrong store would count as written.
 */
export async function withStore<R>(
  context: CommandContext,
  { storeFolder }: StoreOptions,
  work: (store: Store) => Promise<R>,
): Promise<R> {
  const { databaseUrl, coordinator } = context.settings();
  if (storeFolder === undefined && databaseUrl === undefined) {
    throw new UsageError(
      'no store is configured: set DATABASE_URL in the environment or .env, or pass --store-folder for an embedded store',
    );
  }
  const store = await openStore(
    storeFolder === undefined
      ? { databaseUrl: databaseUrl?.reveal(), poolSize: coordinator.workers }
      : { folder: resolve(context.terminal.cwd, storeFolder) },
  );
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
