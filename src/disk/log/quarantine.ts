import { join } from 'node:path';
import { writeAll } from '../appendFile.js';
import { type Disk, withFile } from '../disk.js';
import type { Region, Segment } from './segment.js';

const CHUNK_BYTES = 1 << 18;
const FOLDER = 'quarantine';

/** Keeps damaged parts of segments, byte for byte as they were found. */
export class Quarantine {
  readonly folder: string;
  readonly #disk: Disk;
  readonly #files = new Set<string>();

  constructor(disk: Disk, folder: string) {
    this.#disk = disk;
    this.folder = join(folder, FOLDER);
  }

  /** How many parts there are. */
  get size(): number {
    return this.#files.size;
  }

  /** Reads what lies in the folder; returns the names of the segments that parts have come from. */
  async load(): Promise<readonly string[]> {
    for (const file of await listParts(this.#disk, this.folder)) this.#files.add(file);
    return [...this.#files].flatMap((file) => /^(?:[a-z]+-)?(\d+)@/.exec(file)?.[1] ?? []);
  }

  /** Copies a part of a segment, durably, unless that is done; returns the file, and whether it is new. */
  async keep(segment: Segment, region: Region, prefix = ''): Promise<{ path: string; isNew: boolean }> {
    const name = `${prefix}${segment.name}@${region.offset}.ndjson`;
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

  #copy(from: string, { offset, length }: Region, to: string): Promise<void> {
    return withFile(this.#disk, from, 'read', (source) =>
      withFile(this.#disk, to, 'appendOwn', async (target) => {
        await target.truncate(0);
        const buffer = new Uint8Array(Math.min(CHUNK_BYTES, length));
        for (let done = 0; done < length; ) {
          const read = await source.read(buffer.subarray(0, length - done), offset + done);
          if (read === 0) break;
          await writeAll(target, buffer.subarray(0, read), done);
          done += read;
        }
        await target.datasync();
      }),
    );
  }
}

async function listParts(disk: Disk, folder: string): Promise<string[]> {
  return (await disk.list(folder)).filter((file) => !file.endsWith('.part'));
}

/** How many parts are kept in the quarantine of a log's folder. */
export async function countQuarantined(disk: Disk, folder: string): Promise<number> {
  return (await listParts(disk, join(folder, FOLDER))).length;
}
