import { EMPTY, lastValueFrom, type Observable, of, reduce, takeUntil } from 'rxjs';
import type { Diversion } from '../contracts/diversion.js';
import type { Sink } from '../contracts/sink.js';
import { writeTo } from '../operators/writeTo.js';
import type { WritePolicies } from '../operators/writing/writePolicies.js';
import type { DeadLetter } from './deadLetter.js';
import { continuationOf } from './deadLetterQueue.js';
import { recordError } from './errorRecord.js';
import type { LetterDraft } from './letterLine.js';

/** What became of the items of a letter. */
export interface ReplayAttempt {
  readonly written: number;
  /** What the sink did not take. */
  readonly failed: readonly Diversion<unknown>[];
}

/** Sends a letter's items to the sink once, with all policies. Fails when `cancelled` does. */
export async function writeLetter(
  sink: Sink<unknown>,
  policies: WritePolicies<unknown>,
  items: readonly unknown[],
  cancelled: Observable<never>,
): Promise<ReplayAttempt> {
  const failed: Diversion<unknown>[] = [];
  const deadLetters = {
    append(diversion: Diversion<unknown>) {
      failed.push(diversion);
      return EMPTY;
    },
  };
  const written$ = of(items).pipe(
    writeTo(sink, { ...policies, deadLetters }),
    reduce((sum, outcome) => (outcome.status === 'written' ? sum + outcome.items.length : sum), 0),
    takeUntil(cancelled),
  );
  const written = await lastValueFrom(written$);
  const settled = failed.reduce((sum, diversion) => sum + diversion.items.length, written);
  // The letter is removed for this, so nothing is taken on trust.
  if (settled !== items.length) {
    throw new Error(`of ${items.length} items of a letter, ${settled} came back from the write`);
  }
  return { written, failed };
}

/** New letters for the items that failed again: one for all that failed alike. */
export function lettersForFailures(
  letter: DeadLetter,
  replays: number,
  failed: readonly Diversion<unknown>[],
): LetterDraft[] {
  const alike = new Map<string, LetterDraft & { readonly items: unknown[] }>();
  for (const { items, reason, error: thrown } of failed) {
    const changes = { reason, error: recordError(thrown), attempts: letter.attempts + 1, replays };
    const key = JSON.stringify(changes);
    const draft = alike.get(key) ?? { ...continuationOf(letter, changes), items: [] as unknown[] };
    for (const item of items) draft.items.push(item);
    alike.set(key, draft);
  }
  return [...alike.values()];
}
