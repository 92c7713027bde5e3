import { join } from 'node:path';
import { type EncodedEntry, type Entry, type EntryCount, type Position, sumOf } from '../disk/log/entryFormat.js';
import type { Hold } from '../disk/log/groupCommit.js';
import { LogCommon, type LogProblem } from '../disk/log/logCommon.js';
import { SegmentLog, type SegmentLogConfig } from '../disk/log/segmentLog.js';
import { errnoText } from '../failures/errno.js';
import { type DeadLetter, type LetterCount, type LetterFilter, type LetterState, matches } from './deadLetter.js';
import { DeadLetterError } from './deadLetterError.js';
import { idOf } from './letterLine.js';

/** Something in the folder that cannot be read as a letter. It stays where it is, or in quarantine. */
export type LetterProblem =
  | Extract<LogProblem, { readonly kind: 'quarantined' | 'passedOver' }>
  /** The names in the folder cannot be synced: after a crash of the machine, the last letters may be gone. */
  | { readonly kind: 'unsyncedFolder'; readonly folder: string; readonly code: string }
  | { readonly kind: 'unknownVersion'; readonly segment: string; readonly letters: number };

export interface LetterLogConfig
  extends Omit<SegmentLogConfig<DeadLetter, EncodedEntry>, 'common' | 'prefix' | 'onProblem'> {
  readonly onProblem: (problem: LetterProblem) => void;
}

/** A letter as it was read: it weighs its items. */
export type PlacedLetter = Entry<DeadLetter>;

/** Letters that one caller works on. */
export interface Lease {
  /** In blocks, oldest first. */
  readonly letters: AsyncIterable<PlacedLetter[]>;
  /** Releases those that are not released yet, whatever has become of the work. */
  end(): void;
}

/** The subfolder of parked letters. */
export function folderOf(folder: string, state: LetterState): string {
  return state === 'parked' ? join(folder, 'parked') : folder;
}

export const letterCount = ({ entries, weight }: EntryCount): LetterCount => ({ letters: entries, items: weight });

export function addTo(total: Record<keyof LetterCount, number>, letters: number, items: number): void {
  total.letters += letters;
  total.items += items;
}

/** The dead letters of one folder, for all in this process that have it open: a log of open ones and a log of parked ones. */
export class LetterLog {
  readonly config: LetterLogConfig;
  readonly open: SegmentLog<DeadLetter, EncodedEntry>;
  readonly parked: SegmentLog<DeadLetter, EncodedEntry>;
  /** Since the folder was opened in this process. */
  readonly totals = {
    appended: { letters: 0, items: 0 },
    replayed: { letters: 0, items: 0 },
    purged: { letters: 0, items: 0 },
  };
  readonly #common: LogCommon;
  /** Whose each letter is that somebody works on, by its id. */
  readonly #leases = new Map<string, Lease>();

  constructor(config: LetterLogConfig) {
    const { disk, folder, now, onProblem } = config;
    const common = new LogCommon(disk, folder, now);
    const report = (problem: LogProblem): void => {
      if (problem.kind !== 'unknownVersion') onProblem(problem);
      else onProblem({ kind: problem.kind, segment: problem.segment, letters: problem.entries });
    };
    const logConfig = { ...config, common, onProblem: report };
    this.config = config;
    this.#common = common;
    this.open = new SegmentLog(logConfig);
    this.parked = new SegmentLog({ ...logConfig, folder: folderOf(folder, 'parked'), prefix: 'parked-' });
  }

  async load(): Promise<void> {
    await this.#common.load();
    await this.open.load();
    await this.parked.load();
  }

  get quarantined(): number {
    return this.#common.quarantine.size;
  }

  /** Set while the disk accepts no data: the hold that began first. */
  get hold(): Hold | undefined {
    const { open, parked } = this;
    if (!open.hold || !parked.hold) return open.hold ?? parked.hold;
    return open.hold.since <= parked.hold.since ? open.hold : parked.hold;
  }

  /** The letters that are not durable yet. */
  get waiting(): LetterCount {
    return letterCount(sumOf([this.open.waiting, this.parked.waiting]));
  }

  /**
   * The letters that are there now, oldest first, each leased to the caller: nobody else gets it until it is released. What is
   * appended later is not among them, and neither is what another one has leased. Calls `passed` for each that is not meant.
   */
  lease(state: LetterState, filter: LetterFilter, passed = () => {}): Lease {
    const lease: Lease = {
      letters: this.#leased(state, filter, passed, () => lease),
      end: () => {
        for (const [id, owner] of this.#leases) if (owner === lease) this.#leases.delete(id);
      },
    };
    return lease;
  }

  async *#leased(
    state: LetterState,
    filter: LetterFilter,
    passed: () => void,
    lease: () => Lease,
  ): AsyncGenerator<PlacedLetter[]> {
    const log = this[state];
    for await (const block of log.readBlocks(undefined, passed)) {
      const leased: PlacedLetter[] = [];
      for (const letter of block) {
        const id = idOf(letter);
        if (this.#leases.has(id) || log.isRemoved(letter) || !matches(letter.value, filter)) {
          passed();
          continue;
        }
        this.#leases.set(id, lease());
        leased.push(letter);
      }
      if (leased.length > 0) yield leased;
    }
  }

  release(letters: Iterable<Position>): void {
    for (const letter of letters) this.#leases.delete(idOf(letter));
  }

  /** Fails what is not durable. */
  async close(): Promise<void> {
    const { waiting, hold } = this;
    const closed = `the dead letters in ${this.config.folder}`;
    const why = hold ? `: ${errnoText(hold.error)}` : '';
    const error = new DeadLetterError(
      'SLUICE_DEAD_LETTERS_CLOSED',
      waiting.letters === 0
        ? `${closed} are closed`
        : `${closed} were closed before ${waiting.items} items were on the disk${why}`,
      hold ? { cause: hold.error } : {},
    );
    await Promise.all([this.open.close(error), this.parked.close(error)]);
  }
}
