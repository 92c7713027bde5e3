import { Observable } from 'rxjs';
import type { Diversion } from '../contracts/diversion.js';
import {
  type DeadLetter,
  kindOf,
  LETTER_FILTER,
  type LetterCount,
  type LetterFilter,
  type LetterState,
  matches,
  STATE_FILTER,
} from '../dead-letters/deadLetter.js';
import { DeadLetterError } from '../dead-letters/deadLetterError.js';
import type { DeadLetterHold, DeadLetterQueue, DeadLetterStats } from '../dead-letters/deadLetterQueue.js';
import { recordError } from '../dead-letters/errorRecord.js';
import { encodeValue } from '../dead-letters/valueCodec.js';
import { func, type OptionsOf, readOptions, text } from '../primitives/options.js';

export interface MemoryDeadLettersConfig {
  /** The pipeline that its letters name. Default `test`. */
  readonly pipeline?: string;
  /** The clock, in Unix epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

const OPTIONS = {
  pipeline: text().default('test'),
  now: func().default(Date.now),
} satisfies OptionsOf<MemoryDeadLettersConfig>;

/** Letters that one caller works on: nobody else gets them until they are settled or released. */
export interface MemoryLease<T> {
  readonly letters: readonly DeadLetter<T>[];
  /** All items of the letter are written: it is removed. */
  ack(letter: DeadLetter<T>): void;
  /** These items of the letter could not be written: a new letter takes its place, and the other items count as replayed. */
  nack(letter: DeadLetter<T>, error: unknown, items?: readonly T[]): void;
  /** Gives back what is not settled. */
  release(): void;
}

/** A queue of dead letters in memory. */
export interface MemoryDeadLetters<T> extends DeadLetterQueue<T> {
  /** The letters that are there now, oldest first. */
  letters(filter?: LetterFilter): DeadLetter<T>[];
  /** Leases the open letters that are meant, for a replay of one's own. */
  lease(filter?: Omit<LetterFilter, 'state'>): MemoryLease<T>;
  /** Has letters wait from now on, as a full disk does: `append` completes once {@link resume} is called. */
  hold(error?: unknown): void;
  /** Has `append` fail with this error from now on. */
  fail(error: unknown): void;
  /** Takes letters again, and those that wait first. */
  resume(): void;
}

/** Why nothing is taken. */
interface Refusal {
  readonly kind: 'hold' | 'fail';
  readonly error: unknown;
  readonly since: number;
}

interface Waiting<T> {
  readonly letter: DeadLetter<T>;
  readonly done: () => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Dead letters in memory, for tests of pipelines without a disk: what `openDeadLetters()` gives, but that `replayDeadLetters()` needs
 * a queue on disk. It can hold and fail on command. Items are copied as they are given up, and what a letter on disk could not hold,
 * such as a function, is refused here too.
 *
 * @example
 * ```ts
 * import { batch, writeTo } from 'sluice/operators';
 * import { run } from 'sluice/pipelines';
 * import { fromIterable } from 'sluice/sources';
 * import { memoryDeadLetters } from 'sluice/testing';
 *
 * const deadLetters = memoryDeadLetters<number>();
 * const sink = {
 *   name: 'picky',
 *   write() {
 *     throw Object.assign(new Error('no odd numbers'), { failureClass: 'poison' });
 *   },
 * };
 * await run(fromIterable([1]).pipe(batch({ size: 1 }), writeTo<number>(sink, { deadLetters })));
 * console.log(deadLetters.letters().map(({ reason, items }) => `${reason} ${items}`));
 * ```
 */
export function memoryDeadLetters<T>(config: MemoryDeadLettersConfig = {}): MemoryDeadLetters<T> {
  return new MemoryQueue<T>(readOptions('memoryDeadLetters', config, OPTIONS));
}

class MemoryQueue<T> implements MemoryDeadLetters<T> {
  readonly folder = 'memory';
  readonly pipeline: string;
  readonly #now: () => number;
  readonly #letters: Record<LetterState, DeadLetter<T>[]> = { open: [], parked: [] };
  readonly #leased = new Set<DeadLetter<T>>();
  readonly #totals = {
    appended: { letters: 0, items: 0 },
    replayed: { letters: 0, items: 0 },
    purged: { letters: 0, items: 0 },
  };
  #waiting: Waiting<T>[] = [];
  #refusal: Refusal | undefined;
  #isClosed = false;
  #ordinal = 0;

  constructor({ pipeline, now }: Required<MemoryDeadLettersConfig>) {
    this.pipeline = pipeline;
    this.#now = now;
  }

  append({ items, stage, reason, error, attempts, sink }: Diversion<T>): Observable<void> {
    return new Observable<void>((subscriber) => {
      this.#requireOpen();
      // What a letter on disk refuses, and a copy of the rest.
      const copies = items.map((item, i) => {
        encodeValue(item, `items[${i}]`);
        return structuredClone(item);
      });
      const letter = this.#letter({
        ...{ at: this.#now(), pipeline: this.pipeline, stage, reason, error: recordError(error) },
        ...{ attempts, replays: 0, items: copies, ...(sink && { sink }) },
      });
      const refusal = this.#refusal;
      if (refusal?.kind === 'fail') {
        subscriber.error(refusal.error);
        return;
      }
      const entry = {
        letter,
        done: () => {
          this.#letters.open.push(letter);
          add(this.#totals.appended, 1, copies.length);
          subscriber.complete();
        },
        fail: (failure: unknown) => subscriber.error(failure),
      };
      if (refusal) this.#waiting.push(entry);
      // Never before the caller goes on, as on a disk.
      else queueMicrotask(entry.done);
    });
  }

  get holding(): DeadLetterHold | undefined {
    const refusal = this.#refusal;
    if (refusal?.kind !== 'hold' || this.#waiting.length === 0) return undefined;
    const { error, since } = refusal;
    return { ...countOf(this.#waiting.map(({ letter }) => letter)), error, sinceMs: this.#now() - since };
  }

  stats(): DeadLetterStats {
    return {
      open: countOf(this.#letters.open),
      parked: countOf(this.#letters.parked),
      ...structuredClone(this.#totals),
      quarantined: 0,
      unknownVersion: 0,
    };
  }

  letters(filter: LetterFilter = {}): DeadLetter<T>[] {
    const { state = 'open' } = readOptions('letters: filter', filter, STATE_FILTER);
    return this.#letters[state].filter((letter) => matches(letter, filter));
  }

  lease(filter: Omit<LetterFilter, 'state'> = {}): MemoryLease<T> {
    this.#requireOpen();
    readOptions('lease: filter', filter, LETTER_FILTER);
    const own = new Set(this.letters(filter).filter((letter) => !this.#leased.has(letter)));
    for (const letter of own) this.#leased.add(letter);
    const settle = (letter: DeadLetter<T>) => {
      if (!own.delete(letter)) throw new Error(`the letter ${letter.id} is not of this lease, or was settled before`);
      this.#leased.delete(letter);
      this.#remove('open', [letter]);
    };
    return {
      letters: [...own],
      ack: (letter) => {
        settle(letter);
        add(this.#totals.replayed, 1, letter.items.length);
      },
      nack: (letter, error, items = letter.items) => {
        settle(letter);
        add(this.#totals.replayed, 0, letter.items.length - items.length);
        const { id: previous, kind: _, ...rest } = letter;
        const { attempts, replays } = letter;
        const changes = { error: recordError(error), attempts: attempts + 1, replays: replays + 1, items, previous };
        this.#letters.open.push(this.#letter({ ...rest, ...changes }));
      },
      release: () => {
        for (const letter of own) this.#leased.delete(letter);
        own.clear();
      },
    };
  }

  hold(error: unknown = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })): void {
    this.#refusal = { kind: 'hold', error, since: this.#now() };
  }

  fail(error: unknown): void {
    this.#refusal = { kind: 'fail', error, since: this.#now() };
  }

  resume(): void {
    this.#refusal = undefined;
    for (const { done } of this.#waiting.splice(0)) done();
  }

  async purge(filter: LetterFilter): Promise<LetterCount> {
    this.#requireOpen();
    const { state = 'open' } = readOptions('purge: filter', filter, STATE_FILTER);
    const purged = this.#free(state, filter);
    this.#remove(state, purged);
    const total = countOf(purged);
    add(this.#totals.purged, total.letters, total.items);
    return total;
  }

  async park(filter: Omit<LetterFilter, 'state'>): Promise<LetterCount> {
    return this.#move('park', 'open', 'parked', filter);
  }

  async unpark(filter: Omit<LetterFilter, 'state'>): Promise<LetterCount> {
    return this.#move('unpark', 'parked', 'open', filter);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const closed = new DeadLetterError(
      'SLUICE_DEAD_LETTERS_CLOSED',
      'the dead letters in memory were closed while letters waited',
    );
    for (const { fail } of this.#waiting.splice(0)) fail(closed);
  }

  #move(owner: string, from: LetterState, to: LetterState, filter: Omit<LetterFilter, 'state'>): LetterCount {
    this.#requireOpen();
    readOptions(`${owner}: filter`, filter, LETTER_FILTER);
    const moved = this.#free(from, filter);
    this.#remove(from, moved);
    for (const { id: previous, kind: _, ...letter } of moved) {
      this.#letters[to].push(this.#letter({ ...letter, replays: to === 'open' ? 0 : letter.replays, previous }));
    }
    return countOf(moved);
  }

  #letter(letter: Omit<DeadLetter<T>, 'id' | 'kind'>): DeadLetter<T> {
    this.#ordinal += 1;
    return Object.freeze({ id: `0-${this.#ordinal}`, kind: kindOf(letter.items), ...letter });
  }

  /** Those that nobody works on. */
  #free(state: LetterState, filter: Omit<LetterFilter, 'state'>): DeadLetter<T>[] {
    return this.#letters[state].filter((letter) => !this.#leased.has(letter) && matches(letter, { ...filter, state }));
  }

  #remove(state: LetterState, removed: readonly DeadLetter<T>[]): void {
    const gone = new Set(removed);
    this.#letters[state] = this.#letters[state].filter((letter) => !gone.has(letter));
  }

  #requireOpen(): void {
    if (!this.#isClosed) return;
    throw new DeadLetterError(
      'SLUICE_DEAD_LETTERS_CLOSED',
      'the dead letters in memory are closed: close them after the pipelines that write to them have ended',
    );
  }
}

function add(total: { letters: number; items: number }, letters: number, items: number): void {
  total.letters += letters;
  total.items += items;
}

function countOf(letters: readonly DeadLetter[]): LetterCount {
  return { letters: letters.length, items: letters.reduce((sum, { items }) => sum + items.length, 0) };
}
