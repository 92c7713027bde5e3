import { join } from 'node:path';
import { type Disk, isMissing, NotAFileError, withFile } from '../disk.js';
import { type ScannedLine, scanLines } from '../lineScanner.js';
import type { EntryFormat, ParsedEntry } from './entryFormat.js';
import { Journal } from './journal.js';

/** Part of a segment. */
export interface Region {
  readonly offset: number;
  readonly length: number;
}

/** A line of a segment, and what it turned out to be. */
export interface SegmentLine<E> extends Region {
  readonly parsed: ParsedEntry<E>;
  /** The number of the entry; 0 if the line does not even look like one. */
  readonly ordinal: number;
  /** What it says that it counts for. */
  readonly weight: number;
  readonly isEnded: boolean;
}

/** A file of entries, with the journal of what has become of them. */
export class Segment {
  readonly name: string;
  readonly path: string;
  readonly journalPath: string;
  readonly journal = new Journal();
  /** The number of the last entry. */
  last = 0;
  /** What is not removed. */
  entries = 0;
  weight = 0;
  unknownVersion = 0;
  /** Whether nothing more is appended. */
  isSealed: boolean;
  /** What holds no entry, and must be in quarantine before the segment may go. */
  broken: Region[] = [];

  constructor(folder: string, name: string, isSealed: boolean) {
    this.name = name;
    this.path = join(folder, `${name}.ndjson`);
    this.journalPath = join(folder, `${name}.journal`);
    this.isSealed = isSealed;
  }

  /** Whether it holds nothing but entries that can be read. */
  get isSound(): boolean {
    return this.unknownVersion === 0 && this.broken.length === 0;
  }

  /** Whether nothing in it is needed any more. */
  get isSpent(): boolean {
    return this.isSealed && this.entries === 0 && this.isSound;
  }

  add(ordinal: number, weight: number): void {
    this.last = Math.max(this.last, ordinal);
    if (this.journal.isRemoved(ordinal)) return;
    this.entries += 1;
    this.weight += weight;
  }

  remove(ordinal: number, weight: number): void {
    if (this.journal.isRemoved(ordinal)) return;
    this.journal.apply('-', ordinal);
    this.entries -= 1;
    this.weight -= weight;
  }

  /** Adjacent regions become one. */
  addBroken({ offset, length }: Region): void {
    const last = this.broken.at(-1);
    if (last && last.offset + last.length === offset) {
      this.broken[this.broken.length - 1] = { offset: last.offset, length: last.length + length };
    } else {
      this.broken.push({ offset, length });
    }
  }
}

/** What a folder of segments is read with. */
export interface SegmentReader<E> {
  readonly disk: Disk;
  readonly format: Pick<EntryFormat<E>, 'headOf' | 'parse'>;
  /** A longer line is damage. */
  readonly maxEntryBytes: number;
}

/** The names of the segments in a folder, oldest first, and of journals whose segment is gone. */
export async function listSegments(disk: Disk, folder: string): Promise<{ names: string[]; orphans: string[] }> {
  const files = await disk.list(folder);
  const names = files.flatMap((file) => /^(\d+)\.ndjson$/.exec(file)?.[1] ?? []);
  const known = new Set(names);
  const journals = files.flatMap((file) => /^(\d+)\.journal$/.exec(file)?.[1] ?? []);
  return {
    names: names.sort((a, b) => Number(a) - Number(b)),
    orphans: journals.filter((name) => !known.has(name)),
  };
}

/**
 * Whether an error says that a folder or a link has the name of a segment, which is passed over. Anything else that is no file is
 * refused, and so is whatever lies where the journal of a segment belongs: without it the segment would have all its entries again.
 */
export function isPassedOver(error: unknown): error is NotAFileError {
  return error instanceof NotAFileError && (error.is === 'a folder' || error.is === 'a link') && !error.isNeeded;
}

/** Reads the journal of a segment, if it has one. */
async function readJournal(disk: Disk, { path, journalPath, journal }: Segment): Promise<void> {
  // An entry takes more than a byte, so no number is beyond the size of the segment.
  const maxOrdinal = await withFile(disk, path, 'read', async (file) => (await file.stat()).size);
  try {
    for await (const lines of linesOf(disk, journalPath, Number.POSITIVE_INFINITY)) {
      for (const { bytes, isEnded } of lines) {
        if (bytes && isEnded) journal.applyLine(bytes.toString('latin1'), maxOrdinal);
      }
    }
  } catch (error) {
    if (error instanceof NotAFileError) error.isNeeded = true;
    if (!isMissing(error)) throw error;
  }
}

/** Reads the journal of a segment and counts its entries, reading their lines no further than it must. */
export async function openSegment<E>(reader: SegmentReader<E>, folder: string, name: string): Promise<Segment> {
  const { disk, format, maxEntryBytes } = reader;
  const segment = new Segment(folder, name, true);
  await readJournal(disk, segment);
  for await (const lines of linesOf(disk, segment.path, maxEntryBytes)) {
    for (const line of lines) {
      const parsed = headIn(reader, line) ?? (line.bytes && format.parse(line.bytes));
      const place = placeIn(parsed, line);
      if (place) segment.add(place.ordinal, place.weight);
      else if (parsed && 'is' in parsed && parsed.is === 'unknownVersion') segment.unknownVersion += 1;
      else segment.addBroken(line);
    }
  }
  return segment;
}

/** The lines of a segment whose entries are not removed, read to their end, in blocks. */
export async function* readSegment<E>(reader: SegmentReader<E>, segment: Segment): AsyncGenerator<SegmentLine<E>[]> {
  for await (const lines of linesOf(reader.disk, segment.path, reader.maxEntryBytes)) {
    const entries: SegmentLine<E>[] = [];
    for (const line of lines) {
      const entry = entryIn(reader, segment, line);
      if (entry) entries.push(entry);
    }
    if (entries.length > 0) yield entries;
  }
}

function entryIn<E>(reader: SegmentReader<E>, { journal }: Segment, line: ScannedLine): SegmentLine<E> | undefined {
  const { offset, length, bytes, isEnded } = line;
  const head = headIn(reader, line);
  if (head && journal.isRemoved(head.ordinal)) return undefined;
  const parsed: ParsedEntry<E> = bytes ? reader.format.parse(bytes) : { is: 'corrupt', reason: 'it is too long' };
  const place = placeIn(parsed, line);
  if (place && journal.isRemoved(place.ordinal)) return undefined;
  const { ordinal, weight } = place ?? head ?? NO_PLACE;
  const isLost = parsed.is === 'entry' && !place;
  return { offset, length, isEnded, ordinal, weight, parsed: isLost ? LOST : parsed };
}

async function* linesOf(disk: Disk, path: string, maxBytes: number): AsyncGenerator<ScannedLine[]> {
  const file = await disk.open(path, 'read');
  try {
    yield* scanLines(file, maxBytes);
  } finally {
    await file.close();
  }
}

type Place = { readonly ordinal: number; readonly weight: number };

const NO_PLACE: Place = { ordinal: 0, weight: 0 };
const LOST = { is: 'corrupt', reason: 'it has no place' } as const;
const CLOSING_BRACE = 0x7d;

/** What the beginning of a line says, provided that its end looks whole. */
function headIn<E>({ format }: SegmentReader<E>, line: ScannedLine): Place | undefined {
  const { bytes, isEnded } = line;
  return placeIn(bytes && isEnded && bytes.at(-1) === CLOSING_BRACE ? format.headOf(bytes) : undefined, line);
}

/** Every entry takes more than a byte: a number beyond that is damage, and would ask for much memory. */
function placeIn<E>(found: Place | ParsedEntry<E> | undefined, { offset }: Region): Place | undefined {
  return found && 'ordinal' in found && found.ordinal >= 1 && found.ordinal <= offset + 1 ? found : undefined;
}

/**
 * Reads a folder of segments without its lock, oldest first, while another process may write to it: what comes or goes
 * meanwhile may be missed.
 */
export async function* readFolder<E>(
  reader: SegmentReader<E>,
  folder: string,
  onPassedOver: (error: NotAFileError, segment: string) => void = () => {},
): AsyncGenerator<SegmentLine<E> & { readonly segment: string }> {
  for (const name of (await listSegments(reader.disk, folder)).names) {
    const segment = new Segment(folder, name, true);
    try {
      await readJournal(reader.disk, segment);
      for await (const lines of readSegment(reader, segment)) {
        for (const line of lines) yield { ...line, segment: name };
      }
    } catch (error) {
      if (isPassedOver(error)) onPassedOver(error, name);
      // Removed meanwhile: all its entries are.
      else if (!isMissing(error)) throw error;
    }
  }
}

/** Counts what {@link readFolder} would find, without reading entries to their end. */
export async function countFolder<E>(
  reader: SegmentReader<E>,
  folder: string,
): Promise<Pick<Segment, 'entries' | 'weight' | 'unknownVersion'>> {
  const sum = { entries: 0, weight: 0, unknownVersion: 0 };
  for (const name of (await listSegments(reader.disk, folder)).names) {
    const segment = await openSegment(reader, folder, name).catch((error: unknown) => {
      if (!isMissing(error) && !isPassedOver(error)) throw error;
    });
    sum.entries += segment?.entries ?? 0;
    sum.weight += segment?.weight ?? 0;
    sum.unknownVersion += segment?.unknownVersion ?? 0;
  }
  return sum;
}
