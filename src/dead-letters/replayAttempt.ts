import { EMPTY, lastValueFrom, type Observable, of, reduce, takeUntil } from 'rxjs';
import type { Diversion } from '../contracts/diversion.js';
import type { Sink } from '../contracts/sink.js';
import { writeTo } from '../operators/writeTo.js';
import type { WritePolicies } from '../operators/writing/writePolicies.js';
import type { DeadLetter } from './deadLetter.js';
import { continuationOf } from './deadLetterQueue.js';
import { recordError } from './errorRecord.js';
import type { LetterDraft } from './letterLine.js';
import type { PlacedLetter } from './letterLog.js';

/** Changes an item on its way to the sink. */
export type Mend = (item: unknown, letter: DeadLetter) => unknown;

/** An item that failed again, as its next letter is to hold it. */
interface Failure {
  readonly item: unknown;
  readonly reason: string;
  readonly error: unknown;
  /** How often a sink was asked to take it. */
  readonly attempts: number;
}

/** A letter whose items are being written, perhaps in several writes. */
export class LetterInFlight {
  readonly leased: PlacedLetter;
  /** How many of its parts have not ended. */
  pending = 0;
  written = 0;
  readonly failures: Failure[] = [];
  /** Whether a part has ended without a result: the letter stays as it is. */
  isKept = false;

  constructor(leased: PlacedLetter) {
    this.leased = leased;
  }

  /** New letters for the items that failed again: one for all that failed alike. */
  drafts(replays: number): LetterDraft[] {
    const { value: letter } = this.leased;
    const alike = new Map<string, LetterDraft & { readonly items: unknown[] }>();
    for (const { item, reason, error, attempts } of this.failures) {
      const changes = { reason, error: recordError(error), attempts: letter.attempts + attempts, replays };
      const key = JSON.stringify(changes);
      const draft = alike.get(key) ?? { ...continuationOf(letter, changes), items: [] as unknown[] };
      alike.set(key, draft);
      draft.items.push(item);
    }
    return [...alike.values()];
  }
}

/** An item on its way to the sink. */
export interface LetterItem {
  readonly letter: LetterInFlight;
  /** What the sink gets. */
  readonly item: unknown;
  /** What a new letter gets if the item fails again; without it, the item as the sink stamped it. */
  readonly original?: { readonly item: unknown };
}

/** The items of a letter, mended. One that cannot be mended has failed. */
export function itemsOf(letter: LetterInFlight, mend: Mend | undefined): LetterItem[] {
  const { value } = letter.leased;
  if (!mend) return value.items.map((item) => ({ letter, item }));
  return value.items.flatMap((item): LetterItem[] => {
    try {
      const mended = mend(item, value);
      if (mended === undefined) throw new TypeError('mend returned undefined instead of an item');
      return [{ letter, item: mended, original: { item } }];
    } catch (error) {
      letter.failures.push({ item, reason: 'mend', error, attempts: 0 });
      return [];
    }
  });
}

/** Sends items of any number of letters to the sink in one write, with all policies. Fails when `cancelled` does. */
export async function writeItems(
  sink: Sink<unknown>,
  policies: WritePolicies<unknown>,
  items: readonly LetterItem[],
  cancelled: Observable<never>,
): Promise<void> {
  let failed = 0;
  const deadLetters = {
    append({ items: given, reason, error }: Diversion<LetterItem>) {
      failed += given.length;
      for (const { letter, item, original } of given) {
        letter.failures.push({ item: original ? original.item : item, reason, error, attempts: 1 });
      }
      return EMPTY;
    },
  };
  const written$ = of(items).pipe(
    // Rows that a rule of the table has refused before are what a replay is made of.
    writeTo(unwrapping(sink), { whenTableRefuses: 'divert', ...(policies as WritePolicies<LetterItem>), deadLetters }),
    reduce((sum, outcome) => {
      if (outcome.status !== 'written') return sum;
      for (const { letter } of outcome.items) letter.written += 1;
      return sum + outcome.items.length;
    }, 0),
    takeUntil(cancelled),
  );
  const written = await lastValueFrom(written$);
  // The letters are removed for this, so nothing is taken on trust.
  if (written + failed !== items.length) {
    throw new Error(`of ${items.length} items of letters, ${written + failed} came back from the write`);
  }
}

const unwrapped = new WeakMap<object, Sink<LetterItem>>();

/**
 * The sink, for items that know their letter: two that are equal may be of two letters. The same for each write, so that a pause
 * that the sink asks for holds all of them.
 */
function unwrapping(sink: Sink<unknown>): Sink<LetterItem> {
  const known = unwrapped.get(sink) ?? itemSinkOf(sink);
  unwrapped.set(sink, known);
  return known;
}

function itemSinkOf(sink: Sink<unknown>): Sink<LetterItem> {
  const { name, keyOf, stamp, classify } = sink;
  return {
    name,
    ...(keyOf && { keyOf: ({ item }) => keyOf.call(sink, item) }),
    ...(classify && { classify: (error) => classify.call(sink, error) }),
    ...(stamp && {
      stamp(items) {
        const bare = items.map(({ item }) => item);
        const stamped = stamp.call(sink, bare);
        if (stamped === bare) return items;
        return stamped.map((item, i) => ({ ...items[i]!, item }));
      },
    }),
    write: (items) => sink.write(items.map(({ item }) => item)),
  };
}
