import { join } from 'node:path';
import { writeAll } from '../disk/appendFile.js';
import type { Disk } from '../disk/disk.js';
import type { Region, Segment } from './segment.js';

const CHUNK = 1 << 18;

/** Where damaged parts of segments are kept, byte by byte as they were found. */
export class Quarantine {
  readonly folder: string;
  readonly #disk: Disk;
  readonly #files = new Set<string>();

  constructor(disk: Disk, folder: string) {
    this.#disk = disk;
    this.folder = join(folder, 'quarantine');
  }

  /** How many parts there are. */
  get size(): number {
    return this.#files.size;
  }

  /** The segments that parts have come from. */
  get segments(): string[] {
    return [...this.#files].flatMap((file) => /^(?:parked-)?(\d+)@/.exec(file)?.[1] ?? []);
  }

  async load(): Promise<void> {
    for (const file of await this.#disk.list(this.folder)) if (!file.endsWith('.part')) this.#files.add(file);
  }

  /** Copies a part of a segment, durably, unless it has been; returns the file, and whether it is new. */
  async keep(segment: Segment, region: Region): Promise<{ readonly path: string; readonly isNew: boolean }> {
    const name = `${segment.state === 'parked' ? 'parked-' : ''}${segment.name}@${region.offset}.ndjson`;
    const path = join(this.folder, name);
    if (this.#files.has(name)) return { path, isNew: false };
    await this.#disk.makeFolder(this.folder);
    const draft = `${path}.part`;
    await this.#copy(segment.path, region, draft);
    await this.#disk.rename(draft, path);
    await this.#disk.syncFolder(this.folder);
    this.#files.add(name);
    return { path, isNew: true };
  }

  async #copy(from: string, { offset, length }: Region, to: string): Promise<void> {
    const source = await this.#disk.open(from, 'read');
    try {
      const target = await this.#disk.open(to, 'append');
      try {
        await target.truncate(0);
        const buffer = new Uint8Array(Math.min(CHUNK, length));
        for (let done = 0; done < length; ) {
          const view = buffer.subarray(0, Math.min(buffer.length, length - done));
          const read = await source.read(view, offset + done);
          if (read === 0) break;
          await writeAll(target, view.subarray(0, read), done);
          done += read;
        }
        await target.datasync();
      } finally {
        await target.close();
      }
    } finally {
      await source.close();
    }
  }
}
