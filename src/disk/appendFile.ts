import { dirname } from 'node:path';
import { type Disk, type DiskFile, isMissing } from './disk.js';

const LF = 0x0a;

export interface AppendFileOptions {
  /** Whether an append waits for the disk. Default true. */
  readonly isDurable?: boolean;
  /** Whether the file stays open between appends. Default true; what others do to a closed file is noticed. */
  readonly staysOpen?: boolean;
}

/**
 * A file of lines to which bytes are appended whole and durably, or not at all. What a failed append has left is cut off
 * before the next one writes. So is what was written and could not be synced: its pages may count as clean by then, and a
 * second sync would report success.
 */
export class AppendFile {
  readonly path: string;
  readonly #disk: Disk;
  readonly #options: Required<AppendFileOptions>;
  #mode: 'create' | 'update' | 'append' | 'appendOwn';
  #file: DiskFile | undefined;
  /** How many bytes are on the disk. */
  #size = 0;
  /** Whether there may be more in the file than that. */
  #isDirty = false;
  /** Whether another one left a line without its end: the next one must not become a part of it. */
  #isTorn = false;

  /** `create` for a file that must be new, `append` for one that may exist, `appendOwn` for one that is no link or pipe. */
  constructor(disk: Disk, path: string, mode: 'create' | 'append' | 'appendOwn', options: AppendFileOptions = {}) {
    this.#disk = disk;
    this.path = path;
    this.#mode = mode;
    this.#options = { isDurable: true, staysOpen: true, ...options };
  }

  /** How many bytes are durable. */
  get size(): number {
    return this.#size;
  }

  /** Creates the file if it does not exist yet. */
  async create(): Promise<void> {
    await this.#opened();
  }

  /** Whether the file was deleted after it was created: what is written to it would be gone with it. */
  async isGone(): Promise<boolean> {
    // One that may exist is created again.
    if (!this.#file && this.#mode !== 'update') return false;
    try {
      return (await (await this.#opened()).stat()).links === 0;
    } catch (error) {
      if (isMissing(error)) return true;
      throw error;
    }
  }

  /** Appends lines. They are on the disk when the promise resolves, and none of them is when it rejects. */
  async append(lines: Uint8Array): Promise<void> {
    try {
      const { isDurable, staysOpen } = this.#options;
      const file = await this.#opened();
      const size = this.#size;
      if (this.#isDirty) await file.truncate(size);
      const bytes = this.#isTorn ? Buffer.concat([Buffer.of(LF), lines]) : lines;
      this.#isDirty = true;
      await writeAll(file, bytes, size);
      if (isDurable) await file.datasync();
      // The name of a new file is in its folder.
      if (isDurable && size === 0) await this.#disk.syncFolder(dirname(this.path));
      // Some file systems report only now that they have not taken it.
      if (!staysOpen) await this.close();
      this.#isDirty = false;
      this.#isTorn = false;
      this.#size = size + bytes.length;
    } catch (error) {
      await this.#cutAtOnce();
      throw error;
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  /** Cuts off what a failed append has left. */
  async cut(): Promise<void> {
    if (!this.#isDirty) return;
    const file = await this.#opened();
    // Of one that was deleted and created again nothing is left.
    if (!this.#isDirty) return;
    await file.truncate(this.#size);
    await file.datasync();
    this.#isDirty = false;
  }

  /** As early as possible: a process that ends now would leave a torn line. If it fails, the next append does it. */
  async #cutAtOnce(): Promise<void> {
    // The disk is in trouble, and the caller learns it from the failure that led here.
    await this.cut().catch(() => {});
    await this.close().catch(() => {});
  }

  async #opened(): Promise<DiskFile> {
    if (this.#file) return this.#file;
    const file = await this.#disk.open(this.path, this.#mode);
    try {
      const { size } = await file.stat();
      // Deleted and created again, it has nothing to be cut off.
      if (size < this.#size) this.#isDirty = false;
      if (!this.#isDirty) {
        const last = new Uint8Array(1);
        if (size !== this.#size) {
          this.#isTorn = size > 0 && (await file.read(last, size - 1)) === 1 && last[0] !== LF;
        }
        this.#size = size;
      }
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
    if (this.#mode === 'create') this.#mode = 'update';
    this.#file = file;
    return file;
  }
}

/** Writes all bytes; a single write may accept only some. */
export async function writeAll(file: DiskFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const taken = await file.write(bytes.subarray(done), position + done);
    if (taken === 0) throw Object.assign(new Error('the disk accepted no data'), { code: 'EIO' });
    done += taken;
  }
}
