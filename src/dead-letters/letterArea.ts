import { join } from 'node:path';
import { AppendFile } from '../disk/appendFile.js';
import type { Disk } from '../disk/disk.js';
import type { LetterState, Tally } from './deadLetter.js';
import type { LetterFormat } from './letterFormat.js';
import { type EncodedLetter, lineHead } from './letterLine.js';
import { type MarkSign, markLine } from './letterMarks.js';
import { indexSegment, listSegments, readJournal, Segment } from './segment.js';

export interface AreaSettings {
  readonly disk: Disk;
  readonly folder: string;
  readonly format: LetterFormat;
  readonly segmentBytes: number;
  readonly maxLetterBytes: number;
  /** A name that no segment has had, greater than all before it. */
  readonly nextName: () => string;
}

/** The folder that letters of a state lie in. */
export function folderOf(folder: string, state: LetterState): string {
  return state === 'parked' ? join(folder, 'parked') : folder;
}

/** The segments of one folder. What it does to the disk is done by one at a time: see LetterStore. */
export class LetterArea {
  readonly state: LetterState;
  readonly #settings: AreaSettings;
  readonly #folder: string;
  /** Oldest first. */
  readonly #segments = new Map<string, Segment>();
  #active: { readonly segment: Segment; readonly file: AppendFile } | undefined;
  /** The journal that was written to last: letters are mostly removed in the order they lie in. */
  #journal: AppendFile | undefined;
  #isClosed = false;

  constructor(state: LetterState, settings: AreaSettings) {
    this.state = state;
    this.#settings = settings;
    this.#folder = folderOf(settings.folder, state);
  }

  get segments(): readonly Segment[] {
    return [...this.#segments.values()];
  }

  get tally(): Tally {
    let letters = 0;
    let items = 0;
    for (const segment of this.#segments.values()) {
      letters += segment.openLetters;
      items += segment.openItems;
    }
    return { letters, items };
  }

  get unknownVersion(): number {
    let letters = 0;
    for (const segment of this.#segments.values()) letters += segment.unknownVersion;
    return letters;
  }

  /** Takes up what lies in the folder; returns the names that are taken. */
  async load(): Promise<readonly string[]> {
    const { disk, format, maxLetterBytes } = this.#settings;
    const { names, orphans } = await listSegments(disk, this.#folder);
    // A journal outlives its segment where a crash came in between.
    for (const name of orphans) await disk.remove(join(this.#folder, `${name}.journal`));
    for (const name of names) {
      const segment = new Segment(this.state, this.#folder, name, true);
      await readJournal(disk, segment);
      await indexSegment(disk, segment, format, maxLetterBytes);
      this.#segments.set(name, segment);
    }
    return [...names, ...orphans];
  }

  /** Nothing more is appended to the segment at hand: the next letter begins a new one. */
  async seal(): Promise<void> {
    const active = this.#active;
    if (!active) return;
    this.#active = undefined;
    active.segment.isSealed = true;
    await active.file.close();
  }

  /**
   * Appends letters durably, as many at a time as a segment has room for; `done` is told the id of each that is on the
   * disk.
   */
  async append<L extends EncodedLetter>(letters: readonly L[], done: (letter: L, id: string) => void): Promise<void> {
    for (let next = 0; next < letters.length; ) {
      const { segment, file } = await this.#writable();
      const room = this.#settings.segmentBytes - file.size;
      const group: L[] = [];
      let bytes = 0;
      let lines = '';
      for (const letter of letters.slice(next)) {
        if (group.length > 0 && bytes + letter.bytes > room) break;
        group.push(letter);
        bytes += letter.bytes;
        lines += lineHead(segment.name, segment.last + group.length) + letter.rest;
      }
      await file.append(Buffer.from(lines));
      for (const letter of group) {
        segment.last += 1;
        segment.openLetters += 1;
        segment.openItems += letter.count;
        done(letter, `${segment.name}-${segment.last}`);
      }
      next += group.length;
      if (file.size >= this.#settings.segmentBytes) await this.seal();
    }
  }

  #requireOpen(): void {
    // A commit that was under way must not go on in a folder that another process may have by now.
    if (this.#isClosed) throw new Error('the folder of the dead letters was closed');
  }

  async #writable(): Promise<{ segment: Segment; file: AppendFile }> {
    this.#requireOpen();
    if (this.#active && (await this.#active.file.isGone())) {
      // Somebody has deleted it, and the letters in it: what is written now must not go the same way.
      this.#segments.delete(this.#active.segment.name);
      await this.#active.file.close().catch(() => {});
      this.#active = undefined;
    }
    if (this.#active) return this.#active;
    const { disk, nextName } = this.#settings;
    await disk.makeFolder(this.#folder);
    const segment = new Segment(this.state, this.#folder, nextName(), false);
    const file = new AppendFile(disk, segment.path, 'create');
    await file.create();
    this.#segments.set(segment.name, segment);
    this.#active = { segment, file };
    return this.#active;
  }

  /** Writes lines to the journal of a segment, durably. */
  async mark(segment: Segment, marks: readonly (readonly [MarkSign, readonly number[]])[]): Promise<void> {
    this.#requireOpen();
    if (!this.#segments.has(segment.name)) return;
    if (this.#journal?.path !== segment.journalPath) {
      await this.#closeJournal();
      this.#journal = new AppendFile(this.#settings.disk, segment.journalPath, 'append');
    }
    const lines = marks.map(([sign, ordinals]) => markLine(sign, ordinals)).join('');
    await this.#journal!.append(Buffer.from(lines));
  }

  async #closeJournal(): Promise<void> {
    const journal = this.#journal;
    this.#journal = undefined;
    await journal?.close().catch(() => {});
  }

  /** Removes segments in which nothing is needed any more. */
  async sweep(): Promise<void> {
    for (const segment of this.#segments.values()) if (segment.isSpent) await this.discard(segment);
  }

  /**
   * Removes a segment. First the segment, and its journal when that is known to be gone: a segment without its journal would
   * have all its letters again.
   */
  async discard(segment: Segment): Promise<void> {
    const { disk } = this.#settings;
    this.#requireOpen();
    if (this.#journal?.path === segment.journalPath) await this.#closeJournal();
    await disk.remove(segment.path);
    await disk.syncFolder(this.#folder);
    await disk.remove(segment.journalPath);
    this.#segments.delete(segment.name);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#closeJournal();
    await this.seal();
  }
}
