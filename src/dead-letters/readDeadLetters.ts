import { join, resolve } from 'node:path';
import { isMissing, nodeDisk } from '../disk/disk.js';
import { requireFunction, requireInteger, requireKnownOptions, requireText } from '../primitives/validate.js';
import {
  type DeadLetter,
  type LetterFilter,
  type LetterState,
  matches,
  requireFilter,
  type Tally,
} from './deadLetter.js';
import { folderOf } from './letterArea.js';
import { LetterFormat } from './letterFormat.js';
import { indexSegment, listSegments, readJournal, readSegment, Segment } from './segment.js';

export interface ReadDeadLettersConfig {
  /** The longest letter that is read, in bytes. From 1,024, default 256 MiB. */
  readonly maxLetterBytes?: number;
  /** Told of each line that is no letter of a known version. Default: nobody is. */
  readonly onProblem?: (problem: UnreadLine) => void;
}

/** A line of a segment that was passed over. */
export interface UnreadLine {
  readonly segment: string;
  readonly offset: number;
  readonly length: number;
  /** `corrupt`: no letter at all. `unknownVersion`: one for a later program, which is left alone. */
  readonly is: 'corrupt' | 'unknownVersion';
  readonly reason: string;
}

/** A letter as it lies in its folder. */
export interface StoredLetter<T> extends DeadLetter<T> {
  readonly state: LetterState;
}

/** What lies in a folder of dead letters. */
export interface DeadLetterCount {
  readonly open: Tally;
  readonly parked: Tally;
  /** Damaged parts of segments in `quarantine/`. */
  readonly quarantined: number;
  readonly unknownVersion: number;
}

const MAX_LENGTH = 256 << 20;

/**
 * The letters in a folder, oldest first, for looking at. Nothing is locked or changed, and a process that writes to it may be
 * at work: what comes or goes meanwhile may or may not be seen. A folder that is not there has none.
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
  requireText(owner, 'folder', folder);
  requireFilter(owner, filter);
  requireKnownOptions(owner, config, ['maxLetterBytes', 'onProblem']);
  const maxLetterBytes = requireInteger(
    owner,
    'maxLetterBytes',
    config.maxLetterBytes ?? MAX_LENGTH,
    1_024,
    MAX_LENGTH,
  );
  const onProblem = requireFunction(owner, 'onProblem', config.onProblem ?? (() => {}));
  return { [Symbol.asyncIterator]: () => read<T>(resolve(folder), filter, maxLetterBytes, onProblem) };
}

async function* read<T>(
  folder: string,
  filter: LetterFilter,
  maxLetterBytes: number,
  onProblem: (problem: UnreadLine) => void,
): AsyncGenerator<StoredLetter<T>> {
  const format = new LetterFormat();
  const state = filter.state ?? 'open';
  for (const segment of await segmentsIn(folder, state)) {
    try {
      await readJournal(nodeDisk, segment);
      for await (const { parsed, offset, length, isEnded } of readSegment(nodeDisk, segment, format, maxLetterBytes)) {
        if (parsed.is === 'letter') {
          if (matches(parsed.letter, filter)) yield { ...(parsed.letter as DeadLetter<T>), state };
        } else if (isEnded) {
          const reason = parsed.is === 'corrupt' ? parsed.reason : `it is of version ${parsed.version}`;
          onProblem({ segment: segment.name, offset, length, is: parsed.is, reason });
        }
      }
    } catch (error) {
      // Removed meanwhile: all its letters are settled.
      if (!isMissing(error)) throw error;
    }
  }
}

async function segmentsIn(folder: string, state: LetterState): Promise<Segment[]> {
  const place = folderOf(folder, state);
  const { names } = await listSegments(nodeDisk, place);
  return names.map((name) => new Segment(state, place, name, true));
}

/** Counts what lies in a folder, as {@link readDeadLetters} would see it, without reading letters to their end. */
export async function countDeadLetters(folder: string): Promise<DeadLetterCount> {
  const path = resolve(requireText('countDeadLetters', 'folder', folder));
  const format = new LetterFormat();
  let unknownVersion = 0;
  const count = async (state: LetterState): Promise<Tally> => {
    let letters = 0;
    let items = 0;
    for (const segment of await segmentsIn(path, state)) {
      try {
        await readJournal(nodeDisk, segment);
        await indexSegment(nodeDisk, segment, format, MAX_LENGTH);
      } catch (error) {
        if (!isMissing(error)) throw error;
        continue;
      }
      letters += segment.openLetters;
      items += segment.openItems;
      unknownVersion += segment.unknownVersion;
    }
    return { letters, items };
  };
  const open = await count('open');
  const parked = await count('parked');
  return { open, parked, quarantined: await countQuarantined(path), unknownVersion };
}

/** How many damaged parts of segments are kept in a folder. */
export async function countQuarantined(folder: string): Promise<number> {
  const kept = await nodeDisk.list(join(folder, 'quarantine'));
  return kept.filter((file) => !file.endsWith('.part')).length;
}
