import type { ObservableInput } from 'rxjs';
import type { FailureClass } from '../failures/classifyFailure.js';
import type { DivertReason } from './diversion.js';

/** What a sink reports about a committed batch. */
export interface WriteReceipt {
  /** Rows that the write inserted or changed: fewer than items if some were duplicates or older versions. */
  readonly rows: number;
}

/**
 * Where batches go. Writing the same batch again must be harmless, because a commit whose reply was lost is written again.
 */
export interface Sink<T> {
  /** The name in metrics, errors and the report. */
  readonly name: string;
  /** The key of an item, if two items with the same key overwrite each other: they are then written in order. */
  readonly keyOf?: (item: T) => string | number;
  /**
   * The items, each at its place, with what the sink would add to them at their first write, such as a sequence number: an item
   * keeps it through retries, parts of its batch and dead letters. Returns the same array if there is nothing to add. Called once
   * per batch.
   */
  readonly stamp?: (items: readonly T[]) => readonly T[];
  /**
   * What kind of failure one of this sink's errors is; `undefined` leaves the decision to the default. The writer asks the
   * `classify` of its policies first, then this, then `classifyFailure`.
   */
  readonly classify?: (error: unknown) => FailureClass | undefined;
  /**
   * Writes a batch, which is never empty. The batch counts as committed when the result completes. The last receipt counts;
   * without one, every item counts as a row. Nothing may start before the result is
   * subscribed, and it may be subscribed again after a failure.
   *
   * A failed write says what to do about it by a `SinkError`, or by any error with the same properties: its class, which items are
   * refused, and how long all writers must leave the sink alone. What else it fails with is classified by codes of the system,
   * and SQLSTATEs; unknown errors are transient.
   */
  write(batch: readonly T[]): ObservableInput<WriteReceipt>;
}

/** What became of a batch, or of a part of one. The items are the ones that came in, before the sink stamped them. */
export interface WriteOutcome<T> {
  readonly status: 'written' | 'diverted';
  readonly items: readonly T[];
  readonly rows: number;
  /**
   * How often the batch of these items was written, 1 if nothing failed; for an item that the sink refused, how often it did.
   */
  readonly attempts: number;
  /** From the first attempt to the commit, or until the letter was durable, in milliseconds. */
  readonly durationMs: number;
  /** Why the items were diverted, if they were. */
  readonly reason?: DivertReason;
  /** The error of the sink, if they were diverted. */
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
