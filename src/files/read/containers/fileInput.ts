import { close, fstat, open, read } from 'node:fs';
import { promisify } from 'node:util';

const openFile = promisify(open);
const readFile = promisify(read);
const closeFile = promisify(close);
const statFile = promisify(fstat);

/** How much is read at a time. */
export const CHUNK_BYTES = 64 * 1024;

/** A file, a pipe or a terminal, read from its beginning on demand, and never ahead. */
export class FileInput {
  readonly fd: number;
  readonly #isOwn: boolean;
  readonly #counts: { read: number };

  private constructor(fd: number, isOwn: boolean, counts: { read: number }) {
    this.fd = fd;
    this.#isOwn = isOwn;
    this.#counts = counts;
  }

  /** `counts` receives how many bytes are read. */
  static async open(path: string, counts = { read: 0 }): Promise<FileInput> {
    try {
      return new FileInput(await openFile(path, 'r'), true, counts);
    } catch (error) {
      // A socket cannot be opened by its name, and Node makes sockets of the pipes of its child processes.
      if (path === '/dev/stdin' && (error as NodeJS.ErrnoException).code === 'ENXIO')
        return new FileInput(0, false, counts);
      throw error;
    }
  }

  /** The next bytes; `undefined` at the end. A pipe may give few at a time. */
  async next(): Promise<Buffer | undefined> {
    // Each chunk has its own memory: readers keep views of it.
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const { bytesRead } = await readFile(this.fd, buffer, 0, CHUNK_BYTES, null);
    this.#counts.read += bytesRead;
    return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
  }

  /** Whether it is a file, of which any part can be read. */
  async isSeekable(): Promise<boolean> {
    return (await statFile(this.fd)).isFile();
  }

  /** Bytes from any place, without moving that of {@link next}; fewer if the file ends before. */
  async *part(start: number, length: number): AsyncGenerator<Buffer, void, void> {
    for (let done = 0; done < length; ) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, length - done));
      const { bytesRead } = await readFile(this.fd, buffer, 0, buffer.length, start + done);
      if (bytesRead === 0) return;
      done += bytesRead;
      this.#counts.read += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async close(): Promise<void> {
    if (this.#isOwn) await closeFile(this.fd);
  }
}
