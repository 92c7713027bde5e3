import { Observable } from 'rxjs';
import type { DeadLetters, Diversion } from '../contracts/diversion.js';
import type { Placed } from '../disk/log/entryFormat.js';
import type { SharedFolder } from '../disk/log/sharedFolders.js';
import { readOptions } from '../primitives/options.js';
import { within } from '../primitives/within.js';
import {
  type DeadLetter,
  LETTER_FILTER,
  type LetterCount,
  type LetterFilter,
  type LetterState,
  STATE_FILTER,
} from './deadLetter.js';
import { DeadLetterError } from './deadLetterError.js';
import { recordError } from './errorRecord.js';
import { encodeLetters, type LetterDraft } from './letterLine.js';
import { addTo, type LetterLog, letterCount, type PlacedLetter } from './letterLog.js';

/** The disk accepts no data, and a number of letters wait to be written. */
export interface DeadLetterHold extends LetterCount {
  /** The last error of the disk. */
  readonly error: unknown;
  /** For how long, in milliseconds. */
  readonly sinceMs: number;
}

/** The numbers of a folder of dead letters. Totals count from the opening of the folder in this process. */
export interface DeadLetterStats {
  /** In the folder now, waiting for a replay. */
  readonly open: LetterCount;
  /** In the folder now, waiting for a decision. */
  readonly parked: LetterCount;
  readonly appended: LetterCount;
  /** Written by a replay; a letter counts when it is removed, its items as they are written. */
  readonly replayed: LetterCount;
  readonly purged: LetterCount;
  /** Damaged parts of segments in `quarantine/`. */
  readonly quarantined: number;
  /** Letters of a version that this one does not know. */
  readonly unknownVersion: number;
}

/** Dead letters on disk, opened by `openDeadLetters()`. */
export interface DeadLetterQueue<T> extends DeadLetters<T> {
  /** The real path of the folder. */
  readonly folder: string;
  readonly pipeline: string;
  /**
   * Makes a letter of items that were given up, one per subscription. Completes when it is durable; while the disk accepts no
   * data, it waits without limit. Fails with a `DeadLetterError` if an item cannot be put into a letter, or the queue is closed.
   * After unsubscription the letter may still be written.
   */
  append(diversion: Diversion<T>): Observable<void>;
  /** Set while the disk accepts no data. */
  readonly holding: DeadLetterHold | undefined;
  stats(): DeadLetterStats;
  /**
   * Removes letters permanently. Works on a full disk for segments of which every letter is removed, also while new letters wait
   * for space; otherwise waits for space as well.
   */
  purge(filter: LetterFilter): Promise<LetterCount>;
  /** Moves open letters out of the reach of replays. */
  park(filter: LetterFilter): Promise<LetterCount>;
  /** Opens parked letters again, with their replays reset to 0. */
  unpark(filter: LetterFilter): Promise<LetterCount>;
  /**
   * Waits for letters in flight, up to `closeTimeoutMs`; those that are not durable then fail. The folder is free when all users
   * in this process have closed it. May be called again.
   */
  close(): Promise<void>;
}

/** How many letters are moved per wait for the disk, and how many bytes of them. */
const MAX_MOVED_LETTERS = 32;
const MAX_MOVED_BYTES = 8 << 20;

interface Grouping {
  readonly maxLetters: number;
  /** A letter that has more has a group of its own. */
  readonly maxBytes: number;
  /** How many letters are read at most. */
  readonly limit?: number;
  /** Whether a letter has a group of its own. */
  readonly isAlone?: (letter: PlacedLetter) => boolean;
}

/** Groups letters, as far as memory allows. What was read before an error comes as a group before it. */
export async function* groupsOf(
  blocks: AsyncIterable<PlacedLetter[]>,
  { maxLetters, maxBytes, limit = Number.POSITIVE_INFINITY, isAlone = () => false }: Grouping,
): AsyncGenerator<PlacedLetter[]> {
  let group: PlacedLetter[] = [];
  let bytes = 0;
  let taken = 0;
  const take = (): PlacedLetter[] => {
    const whole = group;
    group = [];
    bytes = 0;
    return whole;
  };
  let failure: { readonly error: unknown } | undefined;
  try {
    read: for await (const block of blocks) {
      for (const letter of block) {
        const goesAlone = isAlone(letter);
        if (goesAlone && group.length > 0) yield take();
        group.push(letter);
        bytes += letter.bytes;
        taken += 1;
        if (taken >= limit) break read;
        if (goesAlone || group.length >= maxLetters || bytes >= maxBytes) yield take();
      }
    }
  } catch (error) {
    failure = { error };
  }
  if (group.length > 0) yield group;
  if (failure) throw failure.error;
}

const movedGroups = (blocks: AsyncIterable<PlacedLetter[]>) =>
  groupsOf(blocks, { maxLetters: MAX_MOVED_LETTERS, maxBytes: MAX_MOVED_BYTES });

/** The places of all letters of a segment, without their contents: a full disk can lose a segment only as a whole. */
async function* placesOf(blocks: AsyncIterable<PlacedLetter[]>): AsyncGenerator<Placed[]> {
  let places: Placed[] = [];
  for await (const block of blocks) {
    for (const { segment, ordinal, weight } of block) {
      if (places[0] && places[0].segment !== segment) {
        yield places;
        places = [];
      }
      places.push({ segment, ordinal, weight });
    }
  }
  if (places.length > 0) yield places;
}

export interface QueueSettings {
  readonly pipeline: string;
  readonly shared: SharedFolder<LetterLog>;
  readonly now: () => number;
  readonly closeTimeoutMs: number;
}

/** One user's view of a folder. */
export class StoredQueue<T> implements DeadLetterQueue<T> {
  readonly #settings: QueueSettings;
  readonly #log: LetterLog;
  readonly #pending = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(settings: QueueSettings) {
    this.#settings = settings;
    this.#log = settings.shared.resource;
  }

  /** The letters behind a queue. */
  static logOf(owner: string, queue: object): LetterLog {
    if (#log in queue) return queue.#log;
    throw new RangeError(`${owner}: queue must come from openDeadLetters()`);
  }

  get folder(): string {
    return this.#log.config.folder;
  }

  get pipeline(): string {
    return this.#settings.pipeline;
  }

  get holding(): DeadLetterHold | undefined {
    return holdOf(this.#log);
  }

  append({ items, stage, reason, error, attempts, sink }: Diversion<T>): Observable<void> {
    return new Observable<void>((subscriber) => {
      const { pipeline, now } = this.#settings;
      this.#requireOpen();
      const at = now();
      const draft = {
        ...{ at, pipeline, stage, reason, error: recordError(error), attempts, replays: 0, items },
        ...(sink && { sink }),
      };
      const letters = encodeLetters(draft, this.#log.config.maxEntryBytes);
      this.#track(this.#log.open.append(letters)).then(
        () => {
          addTo(this.#log.totals.appended, letters.length, items.length);
          subscriber.complete();
        },
        (failure: unknown) => subscriber.error(failure),
      );
    });
  }

  stats(): DeadLetterStats {
    return {
      open: letterCount(this.#log.open.count),
      parked: letterCount(this.#log.parked.count),
      ...structuredClone(this.#log.totals),
      quarantined: this.#log.quarantined,
      unknownVersion: this.#log.open.unknownVersion + this.#log.parked.unknownVersion,
    };
  }

  async purge(filter: LetterFilter): Promise<LetterCount> {
    const { state = 'open' } = readOptions('purge: filter', filter, STATE_FILTER);
    const count = await this.#each(state, filter, placesOf, (places) => this.#log[state].mark('-', places));
    addTo(this.#log.totals.purged, count.letters, count.items);
    return count;
  }

  park(filter: LetterFilter): Promise<LetterCount> {
    return this.#move('park', 'open', 'parked', filter);
  }

  unpark(filter: LetterFilter): Promise<LetterCount> {
    return this.#move('unpark', 'parked', 'open', filter);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { closeTimeoutMs, shared } = this.#settings;
    await within(closeTimeoutMs, Promise.allSettled(this.#pending), undefined, this.#log.config.scheduler);
    await shared.leave();
  }

  /** The new letters are durable before the old ones are removed: a crash in between leaves both, and never none. */
  #move(owner: string, from: LetterState, to: LetterState, filter: Omit<LetterFilter, 'state'>): Promise<LetterCount> {
    readOptions(`${owner}: filter`, filter, LETTER_FILTER);
    return this.#each(from, filter, movedGroups, async (group) => {
      const moved = group.flatMap((letter) => {
        const replays = to === 'open' ? 0 : letter.value.replays + this.#log[from].begun(letter);
        return encodeLetters(continuationOf(letter.value, { replays }), this.#log.config.maxEntryBytes);
      });
      await this.#log[to].append(moved);
      await this.#log[from].mark('-', group);
    });
  }

  async #each<P extends Placed>(
    state: LetterState,
    filter: LetterFilter,
    grouped: (blocks: AsyncIterable<PlacedLetter[]>) => AsyncIterable<P[]>,
    handle: (group: P[]) => Promise<void>,
  ): Promise<LetterCount> {
    this.#requireOpen();
    const handleAll = async (): Promise<LetterCount> => {
      await this.#log[state].seal();
      const total = { letters: 0, items: 0 };
      const lease = this.#log.lease(state, filter);
      try {
        for await (const group of grouped(lease.letters)) {
          await handle(group);
          this.#log.release(group);
          for (const { weight } of group) addTo(total, 1, weight);
        }
      } finally {
        // Also of letters that were read and not handled.
        lease.end();
      }
      return total;
    };
    return this.#track(handleAll());
  }

  /** `close()` waits for the work. */
  #track<R>(work: Promise<R>): Promise<R> {
    this.#pending.add(work);
    const settled = (): void => void this.#pending.delete(work);
    work.then(settled, settled);
    return work;
  }

  #requireOpen(): void {
    if (!this.#closing) return;
    throw new DeadLetterError(
      'SLUICE_DEAD_LETTERS_CLOSED',
      `the dead letters in ${this.folder} are closed: close them after the pipelines that write to them have ended`,
    );
  }
}

/** A letter that goes on where another one ends: as old as that one, of the same stage. */
export function continuationOf({ id, kind: _, ...letter }: DeadLetter, changes: Partial<LetterDraft>): LetterDraft {
  return { ...letter, previous: id, ...changes };
}

export function holdOf({ hold, waiting, config }: LetterLog): DeadLetterHold | undefined {
  return hold && { error: hold.error, sinceMs: Math.max(0, config.scheduler.now() - hold.since), ...waiting };
}
