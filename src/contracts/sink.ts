import type { ObservableInput } from 'rxjs';
import type { FailureClass } from '../failures/classifyFailure.js';
import type { DivertReason } from './diversion.js';

/** What a sink says of a batch that is committed. */
export interface WriteReceipt {
  /** Rows that the write inserted or changed; fewer than items where some were duplicates or older versions. */
  readonly rows: number;
}

/**
 * Where batches go. Writing the same batch again must be harmless: a commit whose reply was lost is written again.
 */
export interface Sink<T> {
  /** The name in metrics, errors and the report. */
  readonly name: string;
  /** The key of an item, where two items with one key overwrite each other: they are then written in order. */
  readonly keyOf?: (item: T) => string | number;
  /**
   * The items with what the sink would add to them at their first write, such as a sequence number: an item keeps it through
   * retries, parts of its batch and dead letters. The same array where there is nothing to add. Called once a batch.
   */
  readonly stamp?: (items: readonly T[]) => readonly T[];
  /**
   * What kind of failure one of this sink's errors is; `undefined` leaves the decision to the default. The writer asks the
   * `classify` of its policies first, then this, then `classifyFailure`.
   */
  readonly classify?: (error: unknown) => FailureClass | undefined;
  /**
   * Writes a batch, never empty. The batch counts as committed when the result completes; the last receipt emitted is
   * the one that counts, and without one every item is taken for a row. Nothing may start before the result is
   * subscribed, and it may be subscribed again after a failure.
   */
  write(batch: readonly T[]): ObservableInput<WriteReceipt>;
}

/** What became of a batch, or of a part of one. */
export interface WriteOutcome<T> {
  readonly status: 'written' | 'diverted';
  readonly items: readonly T[];
  readonly rows: number;
  /**
   * How often the sink was asked for the batch that they came in, 1 where nothing failed; of an item that it refuses, how
   * often it did.
   */
  readonly attempts: number;
  /** From the first attempt to the commit, or until the letter was durable, in milliseconds. */
  readonly durationMs: number;
  /** Why the items were diverted; only where they were. */
  readonly reason?: DivertReason;
  /** What the sink said of them, where they were diverted. */
  readonly error?: unknown;
}

export function isWriteOutcome(value: unknown): value is WriteOutcome<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'status' in value &&
    (value.status === 'written' || value.status === 'diverted') &&
    'rows' in value &&
    typeof value.rows === 'number'
  );
}
