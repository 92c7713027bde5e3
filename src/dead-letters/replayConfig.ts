import type { SchedulerLike } from 'rxjs';
import type { Sink } from '../contracts/sink.js';
import type { WritePolicies } from '../operators/writing/writePolicies.js';
import type { DeadLetter, LetterFilter } from './deadLetter.js';
import type { Mend } from './replayAttempt.js';

export interface ReplayDeadLettersConfig<T> {
  /** Where the items go: usually the sink of the pipeline. Required. */
  readonly sink: Sink<T>;
  /** How each letter is written, as for `writeTo()`, with its defaults. What fails permanently becomes a new letter. */
  readonly policies?: Omit<WritePolicies<T>, 'deadLetters' | 'concurrency'>;
  /** Which letters. Default: all that are open. */
  readonly filter?: Omit<LetterFilter, 'state'>;
  /** At most `rate` items (above 0) per `perMs` milliseconds (above 0, default 1,000), evenly spread. Default: no limit. */
  readonly pace?: { readonly rate: number; readonly perMs?: number };
  /** Counts what would be sent, and changes nothing. Default false. */
  readonly dryRun?: boolean;
  /** How many replays of a letter may fail before it is parked. Integer of at least 1, default 5. */
  readonly maxReplays?: number;
  /**
   * How many writes may be in flight at once. Integer of at least 1, default 1. Items of one key, as the sink's `keyOf` says, are
   * written in order whatever the number; without a `keyOf` only 1 keeps the order.
   */
  readonly concurrency?: number;
  /**
   * How many items of small letters are written together at most; a letter that has more is not cut. Integer of at least 1,
   * default 500.
   */
  readonly batchSize?: number;
  /**
   * Changes each item on its way to the sink, synchronously. An item for which it throws, or returns `undefined`, has failed
   * again. A new letter holds the items as they were before.
   */
  readonly mend?: (item: T, letter: DeadLetter<T>) => T;
  /** How many letters are sent at most. Integer of at least 1. Default: no limit. */
  readonly limit?: number;
  /** The clock and timers of `pace`. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** How far a replay has come. The numbers count this replay, and grow. */
export interface ReplayProgress {
  /** Letters that are settled: written, written in part, failed or parked; with `dryRun`, those that would be sent. */
  readonly letters: number;
  /** The items in them. */
  readonly items: number;
  /** Items that the sink has written. */
  readonly written: number;
  /** Items that failed again, and are in new letters. */
  readonly failedAgain: number;
  /** Letters that are parked now. */
  readonly parked: number;
  /** Letters that this replay has not reached yet; a filter may exclude some of them. */
  readonly remaining: number;
  /** When this was so, in Unix epoch milliseconds. */
  readonly at: number;
  /** The letters that were removed since the last progress: their items are written, or in one of `added`. */
  readonly removed: readonly string[];
  /** The letters that were made since the last progress, of items that have failed again. */
  readonly added: readonly string[];
}

/** What was asked for, with its defaults. */
export interface ReplaySettings extends Required<Omit<ReplayDeadLettersConfig<unknown>, 'pace' | 'mend'>> {
  readonly mend: Mend | undefined;
  /** 0 for no pace. */
  readonly msPerItem: number;
}
