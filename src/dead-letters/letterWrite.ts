import { EMPTY, of, type Subscription } from 'rxjs';
import type { Diversion } from '../contracts/diversion.js';
import type { Sink } from '../contracts/sink.js';
import { writeTo } from '../operators/writeTo.js';
import type { WritePolicies } from '../operators/writing/writePolicies.js';
import type { DeadLetter } from './deadLetter.js';
import { draftAfter } from './deadLetterQueue.js';
import { recordError } from './errorRecord.js';
import type { LetterDraft } from './letterLine.js';

/** What became of the items of a letter. */
export interface WrittenLetter {
  readonly written: number;
  /** What the sink did not take, as it was given up. */
  readonly failed: readonly Diversion<unknown>[];
}

/** A write that nobody waits for any more. */
export const UNSUBSCRIBED = Symbol('unsubscribed');

/**
 * Sends a letter's items to the sink once, with all policies. `started` is given what stops it; stopped, the promise is
 * rejected with {@link UNSUBSCRIBED}.
 */
export function writeLetter<T>(
  sink: Sink<T>,
  policies: WritePolicies<T>,
  items: readonly T[],
  started: (subscription: Subscription) => void,
): Promise<WrittenLetter> {
  return new Promise((resolve, reject) => {
    let written = 0;
    const failed: Diversion<T>[] = [];
    const deadLetters = {
      append(diversion: Diversion<T>) {
        failed.push(diversion);
        return EMPTY;
      },
    };
    const subscription = of(items)
      .pipe(writeTo(sink, { ...policies, deadLetters }))
      .subscribe({
        next(outcome) {
          if (outcome.status === 'written') written += outcome.items.length;
        },
        error: reject,
        complete() {
          const settled = failed.reduce((sum, diversion) => sum + diversion.items.length, written);
          // Removing the letter would lose items, so that nothing may be taken on trust here.
          if (settled === items.length) resolve({ written, failed });
          else reject(new Error(`of ${items.length} items of a letter, ${settled} came back from the write`));
        },
      });
    subscription.add(() => reject(UNSUBSCRIBED));
    started(subscription);
  });
}

/** The letters for what has failed again: one for all items that failed alike, as old as the letter they come from. */
export function successorsOf(
  letter: DeadLetter,
  replays: number,
  failed: readonly Diversion<unknown>[],
): LetterDraft[] {
  const alike = new Map<string, { readonly draft: LetterDraft; readonly items: unknown[] }>();
  for (const { items, reason, error } of failed) {
    const record = recordError(error);
    const key = JSON.stringify([reason, record]);
    const former = alike.get(key);
    if (former) {
      for (const item of items) former.items.push(item);
      continue;
    }
    const own = [...items];
    const changes = { reason, error: record, attempts: letter.attempts + 1, replays, items: own };
    alike.set(key, { draft: draftAfter(letter, changes), items: own });
  }
  return [...alike.values()].map(({ draft }) => draft);
}
