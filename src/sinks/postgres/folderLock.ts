import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { StoreError } from './storeError.js';

/** The folders that this process has open. */
const own = new Set<string>();

/**
 * Keeps a second process, and a second store in this one, out of a folder: PGlite itself does not, and two of them in
 * one folder destroy it. A file beside the folder holds the id of the process; one whose process is gone is taken over.
 * Returns how to unlock.
 */
export function lockFolder(folder: string): () => void {
  const file = `${folder}.lock`;
  for (let tries = 0; tries < 10; tries++) {
    try {
      writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
      own.add(file);
      return () => {
        if (own.delete(file)) rmSync(file, { force: true });
      };
    } catch (cause) {
      if ((cause as { code?: unknown }).code !== 'EEXIST') throw cause;
    }
    const holder = holderOf(file);
    if (holder !== undefined && isAlive(holder, file)) {
      const who = holder === process.pid ? 'this process' : `process ${holder}`;
      throw new StoreError(
        'SLUICE_STORE_LOCKED',
        `the store folder ${folder} is in use by ${who}: close that one, or choose another folder (if there is no such ` +
          `process any more, delete ${file})`,
      );
    }
    rmSync(file, { force: true });
  }
  throw new StoreError(
    'SLUICE_STORE_LOCKED',
    `the store folder ${folder} cannot be locked: others keep taking ${file}`,
  );
}

function holderOf(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** An id is used again sooner or later, in a container often at once: our own, without our lock, is a leftover. */
function isAlive(pid: number, file: string): boolean {
  if (pid === process.pid) return own.has(file);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === 'EPERM';
  }
}
