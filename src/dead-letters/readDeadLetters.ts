import { resolve } from 'node:path';
import { nodeDisk, requireNoLink } from '../disk/disk.js';
import { countQuarantined as countParts } from '../disk/log/quarantine.js';
import { countFolder, type Region, readFolder, type SegmentReader } from '../disk/log/segment.js';
import { func, integer, type OptionsOf, readArgument, readOptions } from '../primitives/options.js';
import { folderPath } from '../primitives/unexpandedPath.js';
import { type DeadLetter, type LetterFilter, type LetterState, matches, STATE_FILTER } from './deadLetter.js';
import type { DeadLetterStats } from './deadLetterQueue.js';
import { folderOf, letterCount } from './letterLog.js';

export interface ReadDeadLettersConfig {
  /** The longest letter that is read, in bytes. Integer from 1,024 to 256 MiB, the default. */
  readonly maxLetterBytes?: number;
  /** Called for each line that is no letter of a known version. */
  readonly onProblem?: (problem: UnreadLine) => void;
}

/** A line of a segment that was skipped. */
export interface UnreadLine extends Region {
  readonly segment: string;
  /** `corrupt`: no letter at all. `unknownVersion`: one of a later program. */
  readonly is: 'corrupt' | 'unknownVersion';
  readonly reason: string;
}

/** A letter in its folder. */
export interface StoredLetter<T> extends DeadLetter<T> {
  readonly state: LetterState;
}

/** The contents of a folder of dead letters. */
export type DeadLetterCount = Pick<DeadLetterStats, 'open' | 'parked' | 'quarantined' | 'unknownVersion'>;

/** A line is read into one string, which ends before half a gigabyte. */
export const MAX_LETTER_BYTES = 256 << 20;

const OPTIONS = {
  maxLetterBytes: integer({ min: 1_024, max: MAX_LETTER_BYTES }).default(MAX_LETTER_BYTES),
  onProblem: func(),
} satisfies OptionsOf<ReadDeadLettersConfig>;

/**
 * The letters in a folder, oldest first, for inspection. Nothing is locked or changed, and another process may be writing:
 * what comes or goes meanwhile may be missed. A folder that does not exist has no letters.
 *
 * @example
 * ```ts
 * import { readDeadLetters } from 'sluice/dead-letters';
 *
 * for await (const letter of readDeadLetters('.dlq', { reason: 'poison' })) {
 *   console.log(letter.id, letter.stage, letter.error?.message, letter.items.length);
 * }
 * ```
 */
export function readDeadLetters<T>(
  folder: string,
  filter: LetterFilter = {},
  config: ReadDeadLettersConfig = {},
): AsyncIterable<StoredLetter<T>> {
  const owner = 'readDeadLetters';
  const path = resolve(readArgument(owner, 'folder', folder, folderPath()));
  readOptions(`${owner}: filter`, filter, STATE_FILTER);
  const { maxLetterBytes, onProblem = () => {} } = readOptions(owner, config, OPTIONS);
  return { [Symbol.asyncIterator]: () => read<T>(path, filter, maxLetterBytes, onProblem) };
}

async function* read<T>(
  folder: string,
  filter: LetterFilter,
  maxLetterBytes: number,
  onProblem: (problem: UnreadLine) => void,
): AsyncGenerator<StoredLetter<T>> {
  const state = filter.state ?? 'open';
  if (state === 'parked') await requireNoLink(folderOf(folder, state));
  const lines = readFolder(await letterReader(maxLetterBytes), folderOf(folder, state), ({ is, path }, segment) => {
    onProblem({ segment, offset: 0, length: 0, is: 'corrupt', reason: `${path} is ${is} rather than a file` });
  });
  for await (const { parsed, segment, offset, length, isEnded } of lines) {
    if (parsed.is === 'entry') {
      if (matches(parsed.value, filter)) yield { ...(parsed.value as DeadLetter<T>), state };
    } else if (isEnded) {
      const reason = parsed.is === 'corrupt' ? parsed.reason : `it is of version ${parsed.version}`;
      onProblem({ segment, offset, length, is: parsed.is, reason });
    }
  }
}

async function letterReader(maxEntryBytes: number): Promise<SegmentReader<DeadLetter>> {
  // Loaded only where letters are read, as it checks them with Effect's Schema, which is large.
  const { LetterFormat } = await import('./letterFormat.js');
  return { disk: nodeDisk, format: new LetterFormat(), maxEntryBytes };
}

/** Counts what lies in a folder, as {@link readDeadLetters} would see it, without reading letters to their end. */
export async function countDeadLetters(folder: string): Promise<DeadLetterCount> {
  const path = resolve(readArgument('countDeadLetters', 'folder', folder, folderPath()));
  const reader = await letterReader(MAX_LETTER_BYTES);
  const open = await countFolder(reader, folderOf(path, 'open'));
  const parked = await countFolder(reader, folderOf(path, 'parked'));
  return {
    open: letterCount(open),
    parked: letterCount(parked),
    quarantined: await countQuarantined(path),
    unknownVersion: open.unknownVersion + parked.unknownVersion,
  };
}

/** How many damaged parts of segments are kept in a folder. */
export function countQuarantined(folder: string): Promise<number> {
  return countParts(nodeDisk, folder);
}
