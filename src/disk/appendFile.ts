import { dirname } from 'node:path';
import { type Disk, type DiskFile, isMissing } from './disk.js';

const LF = 0x0a;

/**
 * A file of lines to which bytes are appended whole and durably, or not at all. What a failed append has left is cut off
 * before the next one writes; so is what has been written and could not be synced: its pages may count as clean by then,
 * and a second sync would say that all is well.
 */
export class AppendFile {
  readonly path: string;
  readonly #disk: Disk;
  #mode: 'create' | 'update' | 'upsert';
  #file: DiskFile | undefined;
  /** How many bytes are on the disk, once that is known. */
  #size: number | undefined;
  #isDirty = false;
  #isNamed = false;
  /** Whether another left a line without its end: the next one must not become a part of it. */
  #isTorn = false;

  /** `create` for a file that must be new, `upsert` for one that may be there. */
  constructor(disk: Disk, path: string, mode: 'create' | 'upsert') {
    this.#disk = disk;
    this.path = path;
    this.#mode = mode;
  }

  /** How many bytes are durable. */
  get size(): number {
    return this.#size ?? 0;
  }

  /** Makes the file, where it is not there yet. */
  async create(): Promise<void> {
    await this.#opened();
  }

  /** Whether the file was deleted after it was made: what is written to it would be gone with it. */
  async isGone(): Promise<boolean> {
    if (this.#mode !== 'update') return false;
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
      const file = await this.#opened();
      const size = this.size;
      if (this.#isDirty) await file.truncate(size);
      const bytes = this.#isTorn ? Buffer.concat([Buffer.of(LF), lines]) : lines;
      this.#isDirty = true;
      await writeAll(file, bytes, size);
      await file.datasync();
      if (!this.#isNamed) {
        await this.#disk.syncFolder(dirname(this.path));
        this.#isNamed = true;
      }
      this.#isDirty = false;
      this.#isTorn = false;
      this.#size = size + bytes.length;
    } catch (error) {
      await this.#cut();
      throw error;
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  /** As early as can be: a process that ends now would leave a torn line. Where it fails, the next append does it. */
  async #cut(): Promise<void> {
    try {
      if (this.#isDirty && this.#file) {
        await this.#file.truncate(this.size);
        await this.#file.datasync();
        this.#isDirty = false;
      }
    } catch {
      // The disk is in trouble, and whoever appends is told so.
    }
    await this.close().catch(() => {});
  }

  async #opened(): Promise<DiskFile> {
    if (this.#file) return this.#file;
    const file = await this.#disk.open(this.path, this.#mode);
    try {
      if (this.#size === undefined) {
        const { size } = await file.stat();
        const last = new Uint8Array(1);
        this.#isTorn = size > 0 && (await file.read(last, size - 1)) === 1 && last[0] !== LF;
        this.#size = size;
      }
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
    this.#mode = 'update';
    this.#file = file;
    return file;
  }
}

/** Writes all bytes: a write may take only a part of them. */
export async function writeAll(file: DiskFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const taken = await file.write(bytes.subarray(done), position + done);
    if (taken === 0) throw Object.assign(new Error('the disk takes nothing'), { code: 'EIO' });
    done += taken;
  }
}
