import { join } from 'node:path';
import { type Disk, isMissing } from '../disk/disk.js';
import { type ScannedLine, scanLines } from '../disk/lineScanner.js';
import type { LetterState } from './deadLetter.js';
import type { LetterFormat, ParsedLine } from './letterFormat.js';
import { headOf, placeOf } from './letterLine.js';
import { applyMarks, LetterMarks } from './letterMarks.js';

/** A part of a segment that holds no whole letter. */
export interface Region {
  readonly offset: number;
  readonly length: number;
}

/** A line of a segment, and what it turned out to be. */
export interface SegmentLine extends Region {
  readonly parsed: ParsedLine;
  /** The place of the letter; 0 where the line does not even look like one. */
  readonly ordinal: number;
  /** How many items it says it has. */
  readonly items: number;
  readonly isEnded: boolean;
}

/** A file of letters, with the journal of what has become of them. */
export class Segment {
  readonly state: LetterState;
  readonly name: string;
  readonly path: string;
  readonly journalPath: string;
  readonly marks = new LetterMarks();
  /** The place of the last letter. */
  last = 0;
  openLetters = 0;
  openItems = 0;
  unknownVersion = 0;
  /** Whether nothing is appended any more. */
  isSealed: boolean;
  /** What holds no letter, and has to be in quarantine before the segment may go. */
  broken: Region[] = [];

  constructor(state: LetterState, folder: string, name: string, isSealed: boolean) {
    this.state = state;
    this.name = name;
    this.path = join(folder, `${name}.ndjson`);
    this.journalPath = join(folder, `${name}.journal`);
    this.isSealed = isSealed;
  }

  /** Whether there is nothing in it but letters that can be read. */
  get isSound(): boolean {
    return this.unknownVersion === 0 && this.broken.length === 0;
  }

  /** Whether nothing in it is needed any more. */
  get isSpent(): boolean {
    return this.isSealed && this.openLetters === 0 && this.isSound;
  }

  remove(ordinal: number, items: number): void {
    if (this.marks.isRemoved(ordinal)) return;
    this.marks.remove(ordinal);
    this.openLetters -= 1;
    this.openItems -= items;
  }

  /** A region without a letter; one that goes on where the last ended is the same. */
  addBroken({ offset, length }: Region): void {
    const last = this.broken.at(-1);
    if (last && last.offset + last.length === offset) {
      this.broken[this.broken.length - 1] = { offset: last.offset, length: last.length + length };
    } else {
      this.broken.push({ offset, length });
    }
  }
}

/** The segments of a folder, oldest first, and journals whose segment is gone. */
export async function listSegments(
  disk: Disk,
  folder: string,
): Promise<{ readonly names: readonly string[]; readonly orphans: readonly string[] }> {
  const files = await disk.list(folder);
  const names = files.flatMap((file) => /^(\d+)\.ndjson$/.exec(file)?.[1] ?? []);
  const known = new Set(names);
  const journals = files.flatMap((file) => /^(\d+)\.journal$/.exec(file)?.[1] ?? []);
  return { names: names.sort(byNumber), orphans: journals.filter((name) => !known.has(name)) };
}

export function byNumber(a: string, b: string): number {
  return Number(a) - Number(b);
}

/** Takes up what the journal says; nothing where there is none. */
export async function readJournal(disk: Disk, segment: Segment): Promise<void> {
  try {
    const file = await disk.open(segment.journalPath, 'read');
    try {
      const { size } = await file.stat();
      // A letter takes more than a byte of the segment, so no place in it is beyond its size.
      const segmentBytes = await sizeOf(disk, segment.path);
      for await (const { bytes, isEnded } of scanLines(file, Math.max(1, size))) {
        if (bytes && isEnded) applyMarks(segment.marks, bytes.toString('latin1'), segmentBytes);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

async function sizeOf(disk: Disk, path: string): Promise<number> {
  const file = await disk.open(path, 'read');
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/** Counts the letters of a segment, and finds what holds none. Reads letters no further than it must. */
export async function indexSegment(
  disk: Disk,
  segment: Segment,
  format: LetterFormat,
  maxLetterBytes: number,
): Promise<void> {
  const file = await disk.open(segment.path, 'read');
  try {
    for await (const line of scanLines(file, maxLetterBytes)) {
      const { bytes } = line;
      const place = headIn(line) ?? (bytes && placeIn(format.parse(bytes), line));
      if (!place) segment.addBroken(line);
      else if (place === 'unknownVersion') segment.unknownVersion += 1;
      else {
        segment.last = Math.max(segment.last, place.ordinal);
        if (segment.marks.isRemoved(place.ordinal)) continue;
        segment.openLetters += 1;
        segment.openItems += place.count;
      }
    }
  } finally {
    await file.close();
  }
}

const CLOSING_BRACE = 0x7d;

/** What the beginning of a line says, where its end looks whole. */
function headIn({ bytes, isEnded, offset }: ScannedLine): { ordinal: number; count: number } | undefined {
  const head = bytes && isEnded && bytes.at(-1) === CLOSING_BRACE ? headOf(bytes) : undefined;
  return head && isPossible(head.ordinal, offset) ? head : undefined;
}

function placeIn(
  parsed: ParsedLine,
  { offset }: Region,
): { ordinal: number; count: number } | 'unknownVersion' | undefined {
  if (parsed.is === 'unknownVersion') return 'unknownVersion';
  const ordinal = parsed.is === 'letter' ? (placeOf(parsed.letter.id)?.ordinal ?? 0) : 0;
  return parsed.is === 'letter' && isPossible(ordinal, offset)
    ? { ordinal, count: parsed.letter.items.length }
    : undefined;
}

/** Every letter takes more than a byte: a place beyond that is damage, and would ask for much memory. */
function isPossible(ordinal: number, offset: number): boolean {
  return ordinal >= 1 && ordinal <= offset + 1;
}

const NO_PLACE: ParsedLine = { is: 'corrupt', reason: 'it has no place' };

/** The lines of a segment whose letters are not removed, read to their end. */
export async function* readSegment(
  disk: Disk,
  segment: Segment,
  format: LetterFormat,
  maxLetterBytes: number,
): AsyncGenerator<SegmentLine> {
  const file = await disk.open(segment.path, 'read');
  try {
    for await (const line of scanLines(file, maxLetterBytes)) {
      const { offset, length, bytes, isEnded } = line;
      const head = headIn(line);
      if (head && segment.marks.isRemoved(head.ordinal)) continue;
      const parsed: ParsedLine = bytes ? format.parse(bytes) : { is: 'corrupt', reason: 'it is too long' };
      const place = placeIn(parsed, line);
      if (typeof place === 'object' && segment.marks.isRemoved(place.ordinal)) continue;
      const { ordinal, count } = typeof place === 'object' ? place : (head ?? { ordinal: 0, count: 0 });
      const isLost = parsed.is === 'letter' && !place;
      yield { offset, length, isEnded, ordinal, items: count, parsed: isLost ? NO_PLACE : parsed };
    }
  } finally {
    await file.close();
  }
}
