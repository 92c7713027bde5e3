import { EMPTY, of, type Subscription } from 'rxjs';
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

/** The write was unsubscribed. */
export const UNSUBSCRIBED = Symbol('unsubscribed');

/**
 * Sends a letter's items to the sink once, with all policies. Unsubscribing `writes` rejects the promise with
 * {@link UNSUBSCRIBED}.
 */
export function writeLetter(
  sink: Sink<unknown>,
  policies: WritePolicies<unknown>,
  items: readonly unknown[],
  writes: Subscription,
): Promise<ReplayAttempt> {
  return new Promise((resolve, reject) => {
    let written = 0;
    const failed: Diversion<unknown>[] = [];
    const deadLetters = {
      append(diversion: Diversion<unknown>) {
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
          // The letter is removed for this, so nothing is taken on trust.
          if (settled === items.length) resolve({ written, failed });
          else reject(new Error(`of ${items.length} items of a letter, ${settled} came back from the write`));
        },
      });
    subscription.add(() => reject(UNSUBSCRIBED));
    writes.add(subscription);
  });
}

/** New letters for the items that failed again: one for all that failed alike. */
export function lettersForFailures(
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
    alike.set(key, { draft: continuationOf(letter, changes), items: own });
  }
  return [...alike.values()].map(({ draft }) => draft);
}
