import { join } from 'node:path';
import { AppendFile } from '../appendFile.js';
import { type NotAFileError, withFile } from '../disk.js';
import type { EncodedEntry, EntryFormat, Placed } from './entryFormat.js';
import { type MarkSign, markLine } from './journal.js';
import { isPassedOver, listSegments, openSegment, Segment, type SegmentReader } from './segment.js';

export interface SegmentFolderConfig<E, D> extends SegmentReader<E> {
  readonly folder: string;
  readonly format: EntryFormat<E, D>;
  /** From this size on, a new segment is begun. */
  readonly segmentBytes: number;
}

/** The segments of one folder. Only one call at a time may change the disk: see {@link SegmentLog}. */
export class SegmentFolder<E, D> {
  readonly #config: SegmentFolderConfig<E, D>;
  readonly #nextName: () => string;
  /** By name, oldest first. */
  readonly segments = new Map<string, Segment>();
  #active: { readonly segment: Segment; readonly file: AppendFile } | undefined;
  /** The journal that was written to last: entries are mostly removed in the order in which they lie. */
  #journal: AppendFile | undefined;
  #isClosed = false;

  /** `nextName` gives a name that no segment has had, greater than all before it. */
  constructor(config: SegmentFolderConfig<E, D>, nextName: () => string) {
    this.#config = config;
    this.#nextName = nextName;
  }

  /**
   * Reads what lies in the folder; returns the names that are taken. Calls `onPassedOver` for each folder or link that has the
   * name of a file.
   */
  async load(onPassedOver: (error: NotAFileError) => void): Promise<readonly string[]> {
    const { disk, folder } = this.#config;
    const { names, orphans } = await listSegments(disk, folder);
    // A crash between the two removals leaves the journal of a segment that is gone.
    for (const name of orphans) {
      const path = join(folder, `${name}.journal`);
      await this.#unlessPassedOver(onPassedOver, async () => {
        await withFile(disk, path, 'read', async () => {});
        await disk.remove(path);
      });
    }
    for (const name of names) {
      await this.#unlessPassedOver(onPassedOver, async () => {
        this.segments.set(name, await openSegment(this.#config, folder, name));
      });
    }
    return [...names, ...orphans];
  }

  async #unlessPassedOver(onPassedOver: (error: NotAFileError) => void, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isPassedOver(error)) throw error;
      onPassedOver(error);
    }
  }

  /**
   * Ends the active segment, if it has an entry: the next one begins a new one. Fails while it ends in lines that are not durable
   * and cannot be cut off: they are written again, elsewhere.
   */
  async seal(): Promise<void> {
    if (!this.#active || this.#active.segment.last === 0) return;
    await this.#active.file.cut();
    await this.#closeActive();
  }

  async #closeActive(): Promise<void> {
    const active = this.#active;
    if (!active) return;
    this.#active = undefined;
    active.segment.isSealed = true;
    await active.file.close();
  }

  /** Appends entries durably, as many at a time as a segment has room for; calls `done` for each that is on the disk. */
  async append<P extends EncodedEntry>(entries: readonly P[], done: (entry: P, placed: Placed) => void): Promise<void> {
    const { segmentBytes, format } = this.#config;
    for (let next = 0; next < entries.length; ) {
      const { segment, file } = await this.#writable();
      const room = segmentBytes - file.size;
      const first = next;
      let bytes = 0;
      let lines = '';
      for (let entry = entries[next]; entry && (next === first || bytes + entry.bytes <= room); entry = entries[next]) {
        next += 1;
        bytes += entry.bytes;
        lines += format.head(segment.name, segment.last + next - first) + entry.rest;
      }
      await file.append(Buffer.from(lines));
      for (const entry of entries.slice(first, next)) {
        const { weight } = entry;
        const ordinal = segment.last + 1;
        segment.add(ordinal, weight);
        done(entry, { segment: segment.name, ordinal, weight });
      }
      if (file.size >= segmentBytes) await this.seal();
    }
  }

  async #writable(): Promise<{ segment: Segment; file: AppendFile }> {
    this.#requireOpen();
    if (this.#active && (await this.#active.file.isGone())) {
      // Somebody has deleted it, and the entries in it: what is written now must not go the same way.
      this.segments.delete(this.#active.segment.name);
      await this.#active.file.close().catch(() => {});
      this.#active = undefined;
    }
    if (this.#active) return this.#active;
    const { disk, folder } = this.#config;
    await disk.makeFolder(folder);
    const segment = new Segment(folder, this.#nextName(), false);
    const file = new AppendFile(disk, segment.path, 'create');
    await file.create();
    this.segments.set(segment.name, segment);
    this.#active = { segment, file };
    return this.#active;
  }

  /** Writes lines to the journal of a segment, durably. */
  async mark(segment: Segment, marks: readonly (readonly [MarkSign, readonly number[]])[]): Promise<void> {
    this.#requireOpen();
    if (!this.segments.has(segment.name)) return;
    if (this.#journal?.path !== segment.journalPath) {
      await this.#closeJournal();
      this.#journal = new AppendFile(this.#config.disk, segment.journalPath, 'appendOwn');
    }
    const lines = marks.map(([sign, ordinals]) => markLine(sign, ordinals)).join('');
    await this.#journal!.append(Buffer.from(lines));
  }

  async #closeJournal(): Promise<void> {
    const journal = this.#journal;
    this.#journal = undefined;
    await journal?.close().catch(() => {});
  }

  /**
   * Removes a segment, and its journal only when the segment is known to be gone: without its journal it would have all its
   * entries again.
   */
  async discard(segment: Segment): Promise<void> {
    const { disk, folder } = this.#config;
    this.#requireOpen();
    if (this.#journal?.path === segment.journalPath) await this.#closeJournal();
    await disk.remove(segment.path);
    await disk.syncFolder(folder);
    await disk.remove(segment.journalPath);
    this.segments.delete(segment.name);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#closeJournal();
    await this.#closeActive();
  }

  #requireOpen(): void {
    // A commit in flight must not go on in a folder that another process may have by now.
    if (this.#isClosed) throw new Error(`the log in ${this.#config.folder} is closed`);
  }
}
