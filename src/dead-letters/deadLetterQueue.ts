import { Observable } from 'rxjs';
import type { DeadLetters, Diversion } from '../contracts/diversion.js';
import { type DeadLetter, type LetterFilter, requireFilter, type Tally } from './deadLetter.js';
import { DeadLetterError } from './deadLetterError.js';
import { recordError } from './errorRecord.js';
import { encodeLetters, type LetterDraft } from './letterLine.js';
import type { LeasedLetter, LetterPlace, LetterStore } from './letterStore.js';

/** The disk takes nothing, and the items wait. */
export interface DeadLetterHold {
  /** What the disk said last. */
  readonly error: unknown;
  /** For how long by now, in milliseconds. */
  readonly sinceMs: number;
  /** What waits to be written. */
  readonly letters: number;
  readonly items: number;
}

/** The numbers of a folder of dead letters. What is counted by time is counted since it was opened in this process. */
export interface DeadLetterStats {
  /** In the folder now, waiting for a replay. */
  readonly open: Tally;
  /** In the folder now, waiting for a person. */
  readonly parked: Tally;
  readonly appended: Tally;
  /** Written by a replay; a letter counts when it is removed, its items as they are written. */
  readonly replayed: Tally;
  readonly purged: Tally;
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
   * Makes a letter of items that were given up; one on each subscription. Completes when it is durable. While the disk takes
   * nothing, it waits for as long as it takes. Fails with a `DeadLetterError` where an item cannot be put into a letter, or the
   * queue is closed. Unsubscribed, the letter may still be written.
   */
  append(diversion: Diversion<T>): Observable<void>;
  /** Set while the disk takes nothing. */
  readonly holding: DeadLetterHold | undefined;
  stats(): DeadLetterStats;
  /** Removes letters for good. On a full disk too, where no letter of a segment is kept; else it waits for room. */
  purge(filter: LetterFilter): Promise<Tally>;
  /** Puts open letters aside, out of the reach of replays. */
  park(filter: LetterFilter): Promise<Tally>;
  /** Opens parked letters again, with their replays forgotten. */
  unpark(filter: LetterFilter): Promise<Tally>;
  /**
   * Waits for letters under way, up to `closeTimeoutMs`; those that are not durable then fail. The folder is free when all in
   * this process that have it open have closed it. May be called again.
   */
  close(): Promise<void>;
}

/** How many letters are moved with one wait for the disk, and how many bytes of them. */
export const GROUP_LETTERS = 32;
export const GROUP_BYTES = 8 << 20;

/** Letters together, as far as memory allows. */
export async function* groupsOf(letters: AsyncIterable<LeasedLetter>): AsyncGenerator<LeasedLetter[]> {
  let group: LeasedLetter[] = [];
  let bytes = 0;
  for await (const letter of letters) {
    group.push(letter);
    bytes += letter.bytes;
    if (group.length < GROUP_LETTERS && bytes < GROUP_BYTES) continue;
    yield group;
    group = [];
    bytes = 0;
  }
  if (group.length > 0) yield group;
}

/**
 * All letters of a segment together, and nothing of what is in them: a disk without room lets go of a segment only as a whole.
 */
async function* placesOf(letters: AsyncIterable<LeasedLetter>): AsyncGenerator<LetterPlace[]> {
  let places: LetterPlace[] = [];
  for await (const { segment, ordinal, count } of letters) {
    if (places[0] && places[0].segment !== segment) {
      yield places;
      places = [];
    }
    places.push({ segment, ordinal, count });
  }
  if (places.length > 0) yield places;
}

export class Counter {
  letters = 0;
  items = 0;

  add(letters: number, items: number): void {
    this.letters += letters;
    this.items += items;
  }

  get tally(): Tally {
    return { letters: this.letters, items: this.items };
  }
}

/** What all that have a folder open in this process share. */
export interface SharedStore {
  readonly store: LetterStore;
  readonly counters: { readonly appended: Counter; readonly replayed: Counter; readonly purged: Counter };
}

const shared = new WeakMap<object, SharedStore>();

/** What is behind a queue. */
export function sharedStoreOf(owner: string, queue: object): SharedStore {
  const found = shared.get(queue);
  if (!found) throw new RangeError(`${owner}: queue must come from openDeadLetters()`);
  return found;
}

export interface QueueSettings {
  readonly folder: string;
  readonly pipeline: string;
  readonly shared: SharedStore;
  readonly now: () => number;
  /** Gives up this one's part in the folder. */
  readonly close: (pending: Iterable<Promise<unknown>>) => Promise<void>;
}

/** One user's view of a folder. */
export class StoredQueue<T> implements DeadLetterQueue<T> {
  readonly #settings: QueueSettings;
  readonly #store: LetterStore;
  readonly #pending = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(settings: QueueSettings) {
    this.#settings = settings;
    this.#store = settings.shared.store;
    shared.set(this, settings.shared);
  }

  get folder(): string {
    return this.#settings.folder;
  }

  get pipeline(): string {
    return this.#settings.pipeline;
  }

  get holding(): DeadLetterHold | undefined {
    return holdOf(this.#store);
  }

  append({ items, stage, reason, error, attempts }: Diversion<T>): Observable<void> {
    return new Observable<void>((subscriber) => {
      const { pipeline, now } = this.#settings;
      this.#requireOpen();
      const at = now();
      const draft = { at, pipeline, stage, reason, error: recordError(error), attempts, replays: 0, items };
      const letters = encodeLetters(draft, this.#store.settings.maxLetterBytes);
      const written = this.#store.append('open', letters);
      this.#pending.add(written);
      written
        .finally(() => this.#pending.delete(written))
        .then(
          () => {
            this.#settings.shared.counters.appended.add(letters.length, items.length);
            subscriber.complete();
          },
          (failure: unknown) => subscriber.error(failure),
        );
    });
  }

  stats(): DeadLetterStats {
    const { appended, replayed, purged } = this.#settings.shared.counters;
    return {
      open: this.#store.tally('open'),
      parked: this.#store.tally('parked'),
      appended: appended.tally,
      replayed: replayed.tally,
      purged: purged.tally,
      quarantined: this.#store.quarantine.size,
      unknownVersion: this.#store.unknownVersion,
    };
  }

  async purge(filter: LetterFilter): Promise<Tally> {
    const state = requireFilter('purge', filter).state ?? 'open';
    const tally = await this.#each(state, filter, placesOf, (places) => this.#store.mark('-', places));
    this.#settings.shared.counters.purged.add(tally.letters, tally.items);
    return tally;
  }

  park(filter: LetterFilter): Promise<Tally> {
    return this.#move('park', 'open', 'parked', filter);
  }

  unpark(filter: LetterFilter): Promise<Tally> {
    return this.#move('unpark', 'parked', 'open', filter);
  }

  close(): Promise<void> {
    this.#closing ??= this.#settings.close(this.#pending);
    return this.#closing;
  }

  /** The new letters are durable before the old ones are removed: a crash in between leaves both, and never none. */
  #move(owner: string, from: 'open' | 'parked', to: 'open' | 'parked', filter: LetterFilter): Promise<Tally> {
    if (requireFilter(owner, filter).state !== undefined) {
      throw new RangeError(`${owner}: state is not for it to choose, got ${JSON.stringify(filter.state)}`);
    }
    return this.#each(from, filter, groupsOf, async (group) => {
      const moved = group.map(({ letter, segment, ordinal }) => {
        const replays = to === 'open' ? 0 : letter.replays + segment.marks.unfinished(ordinal);
        return draftAfter(letter, { replays });
      });
      const { maxLetterBytes } = this.#store.settings;
      await this.#store.append(
        to,
        moved.flatMap((draft) => encodeLetters(draft, maxLetterBytes)),
      );
      await this.#store.mark('-', group);
    });
  }

  async #each<P extends LetterPlace>(
    state: 'open' | 'parked',
    filter: LetterFilter,
    together: (letters: AsyncIterable<LeasedLetter>) => AsyncIterable<P[]>,
    handle: (group: P[]) => Promise<void>,
  ): Promise<Tally> {
    this.#requireOpen();
    const work = this.#handleAll(state, filter, together, handle);
    this.#pending.add(work);
    try {
      return await work;
    } finally {
      this.#pending.delete(work);
    }
  }

  async #handleAll<P extends LetterPlace>(
    state: 'open' | 'parked',
    filter: LetterFilter,
    together: (letters: AsyncIterable<LeasedLetter>) => AsyncIterable<P[]>,
    handle: (group: P[]) => Promise<void>,
  ): Promise<Tally> {
    await this.#store.seal(state);
    const counter = new Counter();
    for await (const group of together(this.#store.lease(state, filter))) {
      try {
        await handle(group);
      } finally {
        this.#store.release(group);
      }
      counter.add(
        group.length,
        group.reduce((items, { count }) => items + count, 0),
      );
    }
    return counter.tally;
  }

  #requireOpen(): void {
    if (!this.#closing) return;
    throw new DeadLetterError(
      'SLUICE_DEAD_LETTERS_CLOSED',
      `the dead letters in ${this.folder} are closed: close them after the pipelines that write to them have ended`,
    );
  }
}

/** The rest of a letter. It is as old as the letter, and goes by its stage. */
export function draftAfter({ id, kind: _, ...letter }: DeadLetter, changes: Partial<LetterDraft>): LetterDraft {
  return { ...letter, previous: id, ...changes };
}

export function holdOf(store: LetterStore): DeadLetterHold | undefined {
  const { hold } = store;
  return (
    hold && { error: hold.error, sinceMs: Math.max(0, store.settings.scheduler.now() - hold.since), ...store.waiting }
  );
}
