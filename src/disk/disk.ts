import { constants } from 'node:fs';
import { access, type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** An open file, read and written at positions. */
export interface DiskFile {
  /** Reads into `buffer` from `position` on; returns the number of bytes, 0 at the end. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** Writes at `position`; returns how many bytes were accepted, possibly fewer. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  truncate(size: number): Promise<void>;
  /** Resolves when what was written is on the disk. */
  datasync(): Promise<void>;
  /** The size, and how many names the file has: 0 after it was deleted. */
  stat(): Promise<{ readonly size: number; readonly links: number }>;
  close(): Promise<void>;
}

/** The part of a file system that durable files need. A port, so that tests can make it fail. */
export interface Disk {
  /**
   * `create` fails if the file exists, `read` and `update` if it does not; `append` creates it if need be, and every write goes
   * to its end.
   */
  open(path: string, mode: OpenMode): Promise<DiskFile>;
  /** The names in a folder; none if it does not exist. */
  list(folder: string): Promise<string[]>;
  /** Creates a folder and those above it, durably. Fails also if it exists and is not writable. */
  makeFolder(folder: string): Promise<void>;
  /** Removes a file if it exists. */
  remove(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Makes the names in a folder durable: without it, a new file may be gone after a crash. */
  syncFolder(folder: string): Promise<void>;
}

const FLAGS = {
  read: constants.O_RDONLY,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  update: constants.O_RDWR,
  append: constants.O_RDWR | constants.O_CREAT | constants.O_APPEND,
} as const;

type OpenMode = keyof typeof FLAGS;

/** The file system of Node. */
export const nodeDisk: Disk = {
  open: async (path, mode) => diskFile(await open(path, FLAGS[mode])),
  list: (folder) =>
    readdir(folder).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    }),
  async makeFolder(folder) {
    const made = await mkdir(folder, { recursive: true });
    if (made === undefined) {
      await access(folder, constants.W_OK | constants.X_OK);
      return;
    }
    const top = dirname(resolve(made));
    for (let above = dirname(resolve(folder)); ; above = dirname(above)) {
      await syncFolder(above);
      if (above === top || above === dirname(above)) return;
    }
  },
  remove: (path) => rm(path, { force: true }),
  rename,
  syncFolder,
};

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders, and makes their entries durable by itself.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

function diskFile(handle: FileHandle): DiskFile {
  return {
    read: async (buffer, position) => (await handle.read(buffer, 0, buffer.length, position)).bytesRead,
    async write(bytes, position) {
      try {
        return (await handle.write(bytes, 0, bytes.length, position)).bytesWritten;
      } catch (error) {
        // A pipe, such as /dev/stdout, has no positions.
        if (codeOf(error) !== 'ESPIPE') throw error;
        return (await handle.write(bytes)).bytesWritten;
      }
    },
    truncate: (size) => handle.truncate(size),
    datasync: () => handle.datasync(),
    async stat() {
      const { size, nlink } = await handle.stat();
      return { size, links: nlink };
    },
    close: () => handle.close(),
  };
}

/** Opens a file for the time of some work. */
export async function withFile<R>(
  disk: Disk,
  path: string,
  mode: OpenMode,
  work: (file: DiskFile) => Promise<R>,
): Promise<R> {
  const file = await disk.open(path, mode);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

/** Whether there is no such file or folder. */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

/** The code of an error of Node, such as `ENOSPC`. */
export function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}
