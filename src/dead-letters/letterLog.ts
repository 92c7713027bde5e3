import { join } from 'node:path';
import type { EncodedEntry, EntryCount, Placed } from '../disk/log/entryFormat.js';
import type { Hold } from '../disk/log/groupCommit.js';
import type { MarkSign } from '../disk/log/journal.js';
import { LogCommon, type LogProblem } from '../disk/log/logCommon.js';
import { SegmentLog, type SegmentLogConfig } from '../disk/log/segmentLog.js';
import { errnoText } from '../failures/errno.js';
import { type DeadLetter, type LetterCount, type LetterFilter, type LetterState, matches } from './deadLetter.js';
import { DeadLetterError } from './deadLetterError.js';
import { idOf } from './letterLine.js';

/** Something in the folder that cannot be read as a letter. It stays where it is, or in quarantine. */
export type LetterProblem =
  | Extract<LogProblem, { readonly kind: 'quarantined' }>
  | { readonly kind: 'unknownVersion'; readonly segment: string; readonly letters: number };

export interface LetterLogConfig
  extends Omit<SegmentLogConfig<DeadLetter, EncodedEntry>, 'common' | 'prefix' | 'onProblem'> {
  readonly onProblem: (problem: LetterProblem) => void;
}

/** Where a letter lies. Its weight is the number of its items. */
export interface LetterPlace extends Placed {
  readonly state: LetterState;
}

/** A letter that no other reader gets until it is settled or released. */
export interface LeasedLetter extends LetterPlace {
  readonly letter: DeadLetter;
  /** The length of its line. */
  readonly bytes: number;
}

/** The subfolder of parked letters. */
export function folderOf(folder: string, state: LetterState): string {
  return state === 'parked' ? join(folder, 'parked') : folder;
}

export const letterCount = ({ entries, weight }: EntryCount): LetterCount => ({ letters: entries, items: weight });

/** The dead letters of one folder, for all in this process that have it open: a log of open ones and a log of parked ones. */
export class LetterLog {
  readonly config: LetterLogConfig;
  readonly #common: LogCommon;
  readonly #logs: Readonly<Record<LetterState, SegmentLog<DeadLetter, EncodedEntry>>>;
  readonly #leases = new Set<string>();

  constructor(config: LetterLogConfig) {
    const { disk, folder, now, onProblem } = config;
    const common = new LogCommon(disk, folder, now);
    const report = (problem: LogProblem): void => {
      if (problem.kind === 'quarantined') onProblem(problem);
      else onProblem({ kind: problem.kind, segment: problem.segment, letters: problem.entries });
    };
    const logConfig = { ...config, common, onProblem: report };
    this.config = config;
    this.#common = common;
    this.#logs = {
      open: new SegmentLog(logConfig),
      parked: new SegmentLog({ ...logConfig, folder: folderOf(folder, 'parked'), prefix: 'parked-' }),
    };
  }

  async load(): Promise<void> {
    await this.#common.load();
    await this.#logs.open.load();
    await this.#logs.parked.load();
  }

  count(state: LetterState): LetterCount {
    return letterCount(this.#logs[state].count);
  }

  get quarantined(): number {
    return this.#common.quarantine.size;
  }

  get unknownVersion(): number {
    return this.#logs.open.unknownVersion + this.#logs.parked.unknownVersion;
  }

  /** Set while the disk accepts nothing: the one that began first. */
  get hold(): Hold | undefined {
    const { open, parked } = this.#logs;
    if (!open.hold || !parked.hold) return open.hold ?? parked.hold;
    return open.hold.since <= parked.hold.since ? open.hold : parked.hold;
  }

  /** The letters that are not durable yet. */
  get waiting(): LetterCount {
    const { open, parked } = this.#logs;
    const letters = open.waiting.entries + parked.waiting.entries;
    return { letters, items: open.waiting.weight + parked.waiting.weight };
  }

  /** Resolves to the ids of the letters when they are durable. */
  async append(state: LetterState, letters: readonly EncodedEntry[]): Promise<string[]> {
    return (await this.#logs[state].append(letters)).map(idOf);
  }

  /** Marks letters, durably. Those that are removed are gone when the promise resolves. */
  async mark(sign: MarkSign, letters: readonly LetterPlace[]): Promise<void> {
    const of = (state: LetterState) => letters.filter((letter) => letter.state === state);
    await Promise.all([this.#logs.open.mark(sign, of('open')), this.#logs.parked.mark(sign, of('parked'))]);
  }

  /** How many replays of a letter have begun and never ended. */
  begun(letter: LetterPlace): number {
    return this.#logs[letter.state].begun(letter);
  }

  /**
   * The letters that are there now, oldest first, each leased to the caller. What is appended later is not among them, and
   * neither is what another one has leased. Calls `passed` for each that is there and not meant.
   */
  async *lease(state: LetterState, filter: LetterFilter, passed = () => {}): AsyncGenerator<LeasedLetter> {
    for await (const { value, ...entry } of this.#logs[state].read(undefined, passed)) {
      const letter = { ...entry, state, letter: value };
      const key = leaseKey(letter);
      if (!matches(value, filter) || this.#leases.has(key)) {
        passed();
        continue;
      }
      this.#leases.add(key);
      yield letter;
    }
  }

  release(letters: Iterable<LetterPlace>): void {
    for (const letter of letters) this.#leases.delete(leaseKey(letter));
  }

  /** What is there now is in segments of its own: what is appended from now on begins the next. */
  seal(state: LetterState): Promise<void> {
    return this.#logs[state].seal();
  }

  /** Fails what is not durable. */
  async close(): Promise<void> {
    const error = this.#lateness();
    await Promise.all([this.#logs.open.close(error), this.#logs.parked.close(error)]);
  }

  #lateness(): DeadLetterError {
    const { waiting, hold, config } = this;
    if (waiting.letters === 0) {
      return new DeadLetterError('SLUICE_DEAD_LETTERS_CLOSED', `the dead letters in ${config.folder} are closed`);
    }
    const why = hold ? `: ${errnoText(hold.error)}` : '';
    return new DeadLetterError(
      'SLUICE_DEAD_LETTERS_CLOSED',
      `the dead letters in ${config.folder} were closed before ${waiting.items} items were on the disk${why}`,
      hold ? { cause: hold.error } : {},
    );
  }
}

function leaseKey({ state, segment, ordinal }: LetterPlace): string {
  return `${state}/${segment}-${ordinal}`;
}
