import { close, open, read } from 'node:fs';
import { promisify } from 'node:util';

const openFile = promisify(open);
const readFile = promisify(read);
const closeFile = promisify(close);

/** How much is read at a time. */
export const CHUNK_BYTES = 64 * 1024;

/** A file, a pipe or a terminal, read from its beginning on demand, and never ahead. */
export class FileInput {
  readonly fd: number;
  readonly #isOwn: boolean;

  private constructor(fd: number, isOwn: boolean) {
    this.fd = fd;
    this.#isOwn = isOwn;
  }

  static async open(path: string): Promise<FileInput> {
    try {
      return new FileInput(await openFile(path, 'r'), true);
    } catch (error) {
      // A socket cannot be opened by its name, and Node makes sockets of the pipes of its child processes.
      if (path === '/dev/stdin' && (error as NodeJS.ErrnoException).code === 'ENXIO') return new FileInput(0, false);
      throw error;
    }
  }

  /** The next bytes; `undefined` at the end. A pipe may give few at a time. */
  async next(): Promise<Buffer | undefined> {
    // Each chunk has its own memory: readers keep views of it.
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const { bytesRead } = await readFile(this.fd, buffer, 0, CHUNK_BYTES, null);
    return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
  }

  async close(): Promise<void> {
    if (this.#isOwn) await closeFile(this.fd);
  }
}
