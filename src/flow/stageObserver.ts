import type { Stage } from './stage.js';

/** What became of a batch: the outcome of a write, whatever its items are. */
export interface SettledWrite {
  readonly status: 'written' | 'diverted';
  readonly items: readonly unknown[];
  readonly rows: number;
  readonly attempts: number;
  readonly durationMs: number;
}

/** A write that failed: a short label of the error, and whether it is `transient`, `poison` or `fatal`. */
export interface FailedWrite {
  readonly type: string;
  readonly class: string;
}

/** As much of a circuit breaker as one who watches it needs. */
export interface WatchedBreaker {
  readonly state: string;
  onChange(listener: (state: string) => void): () => void;
}

/**
 * Who watches the stages of a monitor: metrics, logs. Called a batch or less often, never an item. What it throws ends the
 * pipeline as a failure of the stage that told it.
 */
export interface StageObserver {
  /** A stage is there for the first time. Its gate is assigned right after. */
  registered?(stage: Stage): void;
  /** A batch, or a part of one, is settled. */
  settled?(stage: Stage, outcome: SettledWrite): void;
  /** A write failed. */
  writeFailed?(stage: Stage, failure: FailedWrite): void;
  /** A write will be tried again, after this wait. */
  retrying?(stage: Stage, delayMs: number): void;
  /** A stage asks this breaker before each write. Told once a subscription. */
  guarded?(stage: Stage, breaker: WatchedBreaker): void;
}
