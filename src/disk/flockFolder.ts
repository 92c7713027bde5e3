import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { FolderLockedError } from './folderLockedError.js';

/** How the program says that somebody else has the lock. */
const IS_HELD = 1;

/**
 * Locks a folder by the `flock` of its kernel, which needs no file and no room in it; resolves to how to unlock. Node has no such
 * call, but a program has: it locks what it shares with this process, an open file, and ends. The lock stays until this process
 * closes the file, or ends.
 */
export async function flockFolder(folder: string): Promise<() => Promise<void>> {
  const fd = openSync(folder, 'r');
  let code: unknown;
  try {
    const program = spawn('flock', ['-n', '-x', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
    [code] = await once(program, 'exit');
  } catch (error) {
    closeSync(fd);
    throw unlockable(folder, 'there is no program flock', error);
  }
  if (code === 0) return async () => closeSync(fd);
  closeSync(fd);
  if (code !== IS_HELD) throw unlockable(folder, `flock ended with ${String(code)}`);
  throw new FolderLockedError(folder, { pid: undefined, holder: 'another process', remedy: '' });
}

function unlockable(folder: string, why: string, cause?: unknown): Error {
  const message = `the file system of ${folder} has no sockets, and ${why}: install util-linux, or choose a folder on a local disk`;
  return Object.assign(new Error(message, { cause }), { code: 'SLUICE_FOLDER_UNLOCKABLE' });
}
