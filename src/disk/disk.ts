import { constants, type Stats } from 'node:fs';
import { access, type FileHandle, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { printable } from '../primitives/printable.js';

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
   * `create` fails if the file exists, `read` and `update` if it does not; `append` and `appendOwn` create it if need be, and
   * every write goes to its end. All but `append` are for files of our own: a link is not followed, and what is no file, such as
   * a pipe, is refused with a {@link NotAFileError}. A new file is for its owner alone.
   */
  open(path: string, mode: OpenMode): Promise<DiskFile>;
  /** The names in a folder; none if it does not exist. */
  list(folder: string): Promise<string[]>;
  /** Creates a folder and those above it, durably and for their owner alone. Fails also if it exists and is not writable. */
  makeFolder(folder: string): Promise<void>;
  /** Removes a file if it exists. */
  remove(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Makes the names in a folder durable: without it, a new file may be gone after a crash. */
  syncFolder(folder: string): Promise<void>;
}

/** Windows has neither: there, links need a privilege, and pipes have names of their own. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants as Partial<typeof constants>;
/** To open a pipe that nobody writes to would take for ever. */
const OWN = O_NOFOLLOW | O_NONBLOCK;
const APPEND = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND;

const FLAGS = {
  read: constants.O_RDONLY | OWN,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | OWN,
  update: constants.O_RDWR | OWN,
  append: APPEND,
  appendOwn: APPEND | OWN,
} as const;

type OpenMode = keyof typeof FLAGS;

const OWNER_FILE = 0o600;
const OWNER_FOLDER = 0o700;

/** The file system of Node. */
export const nodeDisk: Disk = {
  open: async (path, mode) =>
    diskFile(mode === 'append' ? await open(path, FLAGS[mode], OWNER_FILE) : await openOwn(path, mode)),
  list: (folder) =>
    readdir(folder).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    }),
  async makeFolder(folder) {
    const made = await mkdir(folder, { recursive: true, mode: OWNER_FOLDER });
    if (made === undefined) {
      await access(folder, constants.W_OK | constants.X_OK);
      return;
    }
    const top = dirname(resolve(made));
    for (let above = dirname(resolve(folder)); ; above = dirname(above)) {
      // Whoever creates a file in the folder syncs it too, and says what it cannot.
      await syncFolder(above).catch((error: unknown) => {
        if (!isUnsupportedSync(error)) throw error;
      });
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

/** What systems answer where a folder cannot be synced: some network, FUSE and Windows-backed file systems. */
const UNSUPPORTED_SYNC = new Set<unknown>(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EBADF', 'EPERM']);

function isUnsupportedSync(error: unknown): boolean {
  return UNSUPPORTED_SYNC.has(codeOf(error));
}

/**
 * The disk, on which folders that cannot be synced are used all the same: `tell` is called once, with the first of them. A disk
 * that fails to sync one, as by `EIO`, fails still.
 */
export function withUnsyncedFolders(disk: Disk, tell: (folder: string, code: string) => void): Disk {
  let isTold = false;
  return {
    open: (path, mode) => disk.open(path, mode),
    list: (folder) => disk.list(folder),
    makeFolder: (folder) => disk.makeFolder(folder),
    remove: (path) => disk.remove(path),
    rename: (from, to) => disk.rename(from, to),
    async syncFolder(folder) {
      try {
        await disk.syncFolder(folder);
      } catch (error) {
        if (!isUnsupportedSync(error)) throw error;
        if (isTold) return;
        isTold = true;
        tell(folder, String(codeOf(error)));
      }
    },
  };
}

/** Under the name of a file there is something else. */
export class NotAFileError extends Error {
  override readonly name = 'NotAFileError';
  readonly code = 'SLUICE_NOT_A_FILE';
  readonly path: string;
  /** Folders and links do no harm where they lie; opening anything else may wait for ever, or change a device. */
  readonly is: 'a folder' | 'a link' | 'a pipe' | 'a socket' | 'a device';

  /** Whether one cannot do without the file. */
  isNeeded = false;

  constructor(path: string, is: NotAFileError['is'], options?: ErrorOptions) {
    super(printable(`${path} is ${is}, which is not used: move it out of its folder`), options);
    this.path = path;
    this.is = is;
  }
}

async function openOwn(path: string, mode: OpenMode): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(path, FLAGS[mode], OWNER_FILE);
  } catch (error) {
    // A link, a socket, a folder or a pipe without a reader; a file that cannot be opened is neither.
    const is = await lstat(path).then(kindOf, () => undefined);
    throw is === undefined || codeOf(error) === 'EEXIST' ? error : new NotAFileError(path, is, { cause: error });
  }
  try {
    const is = kindOf(await handle.stat());
    if (is !== undefined) throw new NotAFileError(path, is);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Fails if a folder of our own making is a link, which could lead anywhere. One that does not exist yet is fine. */
export async function requireNoLink(folder: string): Promise<void> {
  const stats = await lstat(folder).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
  if (stats?.isSymbolicLink()) throw new NotAFileError(folder, 'a link');
}

/** What is there, if it is no file. */
function kindOf(stats: Stats): NotAFileError['is'] | undefined {
  if (stats.isFile()) return undefined;
  if (stats.isDirectory()) return 'a folder';
  if (stats.isSymbolicLink()) return 'a link';
  if (stats.isFIFO()) return 'a pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
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
