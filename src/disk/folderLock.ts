import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { FolderLockedError } from './folderLockedError.js';

/** The locks that this process holds. */
const own = new Set<string>();

/**
 * Keeps a second process, and a second user in this one, out of a folder. A file beside the folder holds the id of the
 * process; one whose process is gone is taken over. Returns how to unlock. Fails with a `FolderLockedError`.
 */
export function lockFolder(folder: string): () => void {
  const file = `${folder}.lock`;
  const mark = `${process.pid}\n${randomUUID()}\n`;
  const isMine = create(file, mark) || takeOver(folder, file, mark);
  // Who deletes the file of a living process by hand lets another in: the last to look is the one who has it.
  if (!isMine || read(file) !== mark) throw inUse(folder, file, pidIn(read(file)));
  own.add(file);
  return () => {
    if (own.delete(file) && read(file) === mark) rmSync(file, { force: true });
  };
}

/**
 * Puts a new lock in the place of one whose process is gone. Between the look at it and its removal another process could
 * have done the same, and its new lock would be removed: so only the holder of a second lock may remove the first.
 */
function takeOver(folder: string, file: string, mark: string): boolean {
  if (isHeld(file)) return false;
  const guard = `${file}.takeover`;
  if (!create(guard, mark)) throw inUse(folder, guard, pidIn(read(guard)));
  try {
    if (isHeld(file)) return false;
    rmSync(file, { force: true });
    return create(file, mark);
  } finally {
    rmSync(guard, { force: true });
  }
}

/** Creates a file with its contents in one step, so that nobody sees it without; false if there is one. */
function create(file: string, contents: string): boolean {
  const draft = `${file}.${randomUUID()}`;
  try {
    writeFileSync(draft, contents, { flag: 'wx' });
    linkSync(draft, file);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return false;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    return createUnlinked(file, contents);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** For file systems without links. */
function createUnlinked(file: string, contents: string): boolean {
  try {
    writeFileSync(file, contents, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function isHeld(file: string): boolean {
  const pid = pidIn(read(file));
  return pid !== undefined && isAlive(pid, file);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function pidIn(contents: string): number | undefined {
  const pid = Number(contents.split('\n', 1)[0]);
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

/** An id is used again sooner or later, in a container often at once: our own, without our lock, is a leftover. */
function isAlive(pid: number, file: string): boolean {
  if (pid === process.pid) return own.has(file);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function inUse(folder: string, file: string, pid: number | undefined): FolderLockedError {
  return new FolderLockedError(folder, pid, `if there is no such process any more, delete ${file}`);
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}
