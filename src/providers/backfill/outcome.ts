import { walkFailure } from '../../failures/walkFailure.js';
import type { Gap } from '../../market/gap.js';

/**
 * Why a gap is still open, as a label. `provider`: no provider can be asked for it; `refused`: the vendor says that it will not
 * answer; `failed`: asking failed, or took too long; `endless`: the answer does not end; `foreign`: the answer had records that were
 * not asked for, or that cannot be read; `missing`: rows of the answer are not in the store; `incomplete`: records of the store, or
 * known to be missing, are not in the answer; `early`: the vendor may not have all of it yet; `ledger`: the store could not be asked; `cancelled`: the repair was ended.
 */
export type OpenReason =
  | 'provider'
  | 'refused'
  | 'failed'
  | 'endless'
  | 'foreign'
  | 'missing'
  | 'incomplete'
  | 'early'
  | 'ledger'
  | 'cancelled';

/** What went wrong with a part of a gap. */
export interface Fault {
  readonly why: OpenReason;
  /** One sentence for a person. */
  readonly reason: string;
  /** Whether asking again makes no sense, in this run at least. */
  readonly isFinal: boolean;
  /** How long to wait before it is asked again, in milliseconds; 0 for what the backoff says. */
  readonly retryAfterMs: number;
}

/** How the repair of a gap ended. */
export type RepairOutcome =
  | {
      readonly state: 'filled' | 'empty';
      /** The gap, closed. */
      readonly gap: Gap;
      readonly rows: number;
    }
  | ({
      readonly state: 'open';
      /** The gap, with the reason. */
      readonly gap: Gap;
    } & Fault)
  | {
      /** Another process has closed it, or a person has. */
      readonly state: 'closedElsewhere';
      readonly gap: Gap;
    };

export function fault(why: OpenReason, reason: string, more: Partial<Fault> = {}): Fault {
  return { why, reason: tidy(reason), isFinal: false, retryAfterMs: 0, ...more };
}

const MAX_REASON = 500;

/** On one line, without what a table refuses, and of a bounded length: much of it comes from outside. */
function tidy(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cs}\uFFFD\s]+/gu, ' ').trim();
  return line.length > MAX_REASON ? `${line.slice(0, MAX_REASON - 1)}…` : line;
}

/** What was thrown, with the words of its causes that it does not repeat. */
export function wordsOf(error: unknown): string {
  const words: string[] = [];
  walkFailure(error, (link) => {
    const word = typeof link.message === 'string' ? link.message.trim() : '';
    if (word !== '' && !words.some((one) => one.includes(word))) words.push(word);
    return undefined;
  });
  if (words.length === 0) words.push(typeof error === 'object' && error !== null ? 'no message' : String(error));
  return words.join(': ');
}
