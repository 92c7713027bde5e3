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

/** Items of one letter that are written together. */
export interface LetterPart {
  readonly letter: LetterInFlight;
  readonly items: unknown[];
  /** The items as they were before they were mended, each at its place. */
  readonly originals?: unknown[];
}

/** The items of a letter, mended. One that cannot be mended has failed. */
export function partOf(letter: LetterInFlight, mend: Mend | undefined): LetterPart {
  const { value } = letter.leased;
  if (!mend) return { letter, items: value.items as unknown[] };
  const items: unknown[] = [];
  const originals: unknown[] = [];
  for (const item of value.items) {
    try {
      const mended = mend(item, value);
      if (mended === undefined) throw new TypeError('mend returned undefined instead of an item');
      items.push(mended);
      originals.push(item);
    } catch (error) {
      letter.failures.push({ item, reason: 'mend', error, attempts: 0 });
    }
  }
  return { letter, items, originals };
}

/** Sends parts of any number of letters to the sink in one write, with all policies. Fails when `cancelled` does. */
export async function writeParts(
  sink: Sink<unknown>,
  policies: WritePolicies<unknown>,
  parts: readonly LetterPart[],
  cancelled: Observable<never>,
): Promise<void> {
  const [first] = parts;
  if (first && parts.length === 1 && !first.originals) {
    const { letter, items } = first;
    await writeItems(sink, policies, items, cancelled, {
      written(taken) {
        letter.written += taken.length;
      },
      failed: (item, reason, error) => letter.failures.push({ item, reason, error, attempts: 1 }),
    });
    return;
  }
  const owned = parts.flatMap((part) => part.items.map((item, at): OwnedItem => ({ item, part, at })));
  await writeItems(unwrapping(sink), policies as WritePolicies<OwnedItem>, owned, cancelled, {
    written(items) {
      for (const { part } of items) part.letter.written += 1;
    },
    failed({ item, part: { letter, originals }, at }, reason, error) {
      letter.failures.push({ item: originals ? originals[at] : item, reason, error, attempts: 1 });
    },
  });
}

interface Fates<I> {
  written(items: readonly I[]): void;
  failed(item: I, reason: string, error: unknown): void;
}

async function writeItems<I>(
  sink: Sink<I>,
  policies: WritePolicies<I>,
  items: readonly I[],
  cancelled: Observable<never>,
  fates: Fates<I>,
): Promise<void> {
  let failed = 0;
  const deadLetters = {
    append({ items: given, reason, error }: Diversion<I>) {
      failed += given.length;
      for (const item of given) fates.failed(item, reason, error);
      return EMPTY;
    },
  };
  const written$ = of(items).pipe(
    // Rows that a rule of the table has refused before are what a replay is made of: it must come to an end.
    writeTo(sink, { whenTableRefuses: 'divert', ...policies, deadLetters }),
    reduce((sum, outcome) => {
      if (outcome.status !== 'written') return sum;
      fates.written(outcome.items);
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

/** An item that knows its letter: two that are equal may be of two letters. */
interface OwnedItem {
  readonly item: unknown;
  readonly part: LetterPart;
  readonly at: number;
}

/** The sink, for items that know their letter. */
function unwrapping(sink: Sink<unknown>): Sink<OwnedItem> {
  const { name, keyOf, stamp, classify } = sink;
  return {
    name,
    ...(keyOf && { keyOf: ({ item }) => keyOf.call(sink, item) }),
    ...(classify && { classify: (error) => classify.call(sink, error) }),
    ...(stamp && {
      stamp(owned) {
        const bare = owned.map(({ item }) => item);
        const stamped = stamp.call(sink, bare);
        if (stamped === bare) return owned;
        return stamped.map((item, i) => ({ ...owned[i]!, item }));
      },
    }),
    write: (owned) => sink.write(owned.map(({ item }) => item)),
  };
}
