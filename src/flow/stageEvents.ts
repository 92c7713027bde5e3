import type { WriteOutcome } from '../contracts/sink.js';

/** What became of a batch, whatever its items are. */
export type SettledWrite = WriteOutcome<unknown>;

/** A write that failed: a short label of the error, and whether it is `transient`, `poison` or `fatal`. */
export interface FailedWrite {
  readonly type: string;
  readonly class: string;
  /** The error itself. Its message may hold what a log must not. */
  readonly error?: unknown;
}

/** As much of a circuit breaker as one who watches it needs. */
export interface WatchedBreaker {
  readonly state: string;
  onChange(listener: (state: string) => void): () => void;
}

/** How the way of an item through the pipeline ended. */
export type Fate = 'written' | 'diverted' | 'dropped';
