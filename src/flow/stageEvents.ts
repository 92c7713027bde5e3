import type { DeadLetters, Diversion } from '../contracts/diversion.js';
import type { WriteOutcome } from '../contracts/sink.js';

/** Items that a stage gives up, whatever they are, and where they go. */
export type GivenUpItems = Diversion<unknown>;
export type LettersOf = DeadLetters<never>;

/** What became of a batch, whatever its items are. */
export type SettledWrite = WriteOutcome<unknown>;

/** A write that failed: a short label of the error, and whether it is `transient`, `poison` or `fatal`. */
export interface FailedWrite {
  readonly type: string;
  readonly class: string;
  /** The error itself. Its message may hold what a log must not. */
  readonly error?: unknown;
  /** Which attempt for its batch it was, counted from 1. */
  readonly attempt?: number;
  /** How long the writer waits before the next one, in milliseconds; `undefined` if none follows, or other items are tried first. */
  readonly retryInMs?: number | undefined;
}

/** How much of what there is a source has handed on. */
export interface SourceProgress {
  readonly done: number;
  readonly total: number;
  /** What both count. */
  readonly unit: 'items' | 'bytes';
}

/** As much of a circuit breaker as one who watches it needs. */
export interface WatchedBreaker {
  readonly state: string;
  onChange(listener: (state: string) => void): () => void;
}

/** How the way of an item through the pipeline ended. */
export type Fate = 'written' | 'diverted' | 'dropped';

/** What happens at the stages of a monitor: each event is called at most once per batch, but for `fate` and `refused`. */
export interface StageEvents<S> {
  /** A stage is there for the first time. Its gate is assigned right after. */
  registered?(stage: S): void;
  /** A batch, or a part of one, is settled. */
  settled?(stage: S, outcome: SettledWrite): void;
  /** A write failed. */
  writeFailed?(stage: S, failure: FailedWrite): void;
  /**
   * A write, or the subscription of a source, will be tried again after this wait; of a source with the error, and with how many
   * attempts in a row have failed.
   */
  retrying?(stage: S, delayMs: number, error?: unknown, failures?: number): void;
  /** A stage gives up these items, and hands them to the dead letters; they count once they are durable. */
  diverting?(stage: S, items: GivenUpItems, to: LettersOf): void;
  /**
   * A stage has refused something that was no item yet, such as a row of a file, and nobody else has been told. It calls this for
   * each, so it must be quick.
   */
  refused?(stage: S, reason: string, sentence: string): void;
  /** A stage asks this breaker before each write. Called once per subscription. */
  guarded?(stage: S, breaker: WatchedBreaker): void;
  /**
   * These items went no further than this stage, after they were counted: `written`, `diverted`, or `dropped` with the
   * reason. Called once per item by operators that give up single items, so it must be quick. Each item is named once, by
   * the stage that settled it; items that a stock operator of RxJS takes out between two stages are named nowhere.
   */
  fate?(stage: S, fate: Fate, reason: string | undefined, items: readonly unknown[]): void;
}
