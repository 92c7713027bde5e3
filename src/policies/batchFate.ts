import type { FailureClass, RejectedItem } from '../failures/classifyFailure.js';
import type { Backoff } from './backoff.js';
import type { TableRefusals, Witness } from './tableRefusals.js';

/** A part of a batch: the items as the sink gets them, and the same ones as they came, before the sink stamped them. */
export interface BatchPart<T> {
  readonly items: readonly T[];
  readonly given: readonly T[];
}

/** Items that are given up, and why. */
export interface GivenUp<T> extends BatchPart<T> {
  readonly reason: 'poison' | 'exhausted' | 'fatal' | 'drain';
  readonly error: unknown;
  /** How often the sink was asked to take them. */
  readonly attempts: number;
}

/** A batch that cannot be written: what is left of it, and the last error. */
export interface BatchFailure<T> {
  readonly items: readonly T[];
  readonly attempts: number;
  readonly cause: unknown;
}

/** A failed write, and what decides about the next one. */
export interface WriteFailure {
  readonly error: unknown;
  readonly class: FailureClass;
  /** The error carries a code, so it is of a known kind: an outage rather than perhaps the batch's own fault. */
  readonly hasCode: boolean;
  /** A connection that was there broke. */
  readonly isLostConnection: boolean;
  /** How long the error asks to wait, in milliseconds; 0 if it does not. */
  readonly retryAfterMs: number;
  /** The breaker keeps callers back: it is open, or is finding out whether it still must be. */
  readonly isBreakerHolding: boolean;
  /** By which rule of its target a batch is refused, if the error says so. */
  readonly refusal?: string | undefined;
  /** Which items of the part are refused, if the error says so. */
  readonly rejected?: readonly RejectedItem[];
}

/** What whoever drives a batch is to do next. */
export type WriteCommand<T> =
  /** `isContinued`: with the permit of the write that has just failed. */
  | { readonly do: 'write'; readonly part: BatchPart<T>; readonly isContinued?: true }
  /** `isHold`: until the table takes rows again, so the wait is not needed where a breaker holds the writer back. */
  | { readonly do: 'wait'; readonly ms: number; readonly isHold?: true }
  | { readonly do: 'divert'; readonly letter: GivenUp<T> }
  /** The pipeline ends with this failure: by `abort` once everything it holds is in the dead letters, by `fail` immediately. */
  | { readonly do: 'abort' | 'fail'; readonly failure: BatchFailure<T> }
  | { readonly do: 'done' };

/** By what a writer tells bad items from a bad table. */
export interface RefusalRules {
  /** What all writers of the sink know of its table. Without it every item that is refused alone is given up. */
  readonly refusals?: TableRefusals | undefined;
  /** What this writer has committed last. */
  readonly witness?: Witness | undefined;
  /** The key of an item, if items of one key must be written in order. */
  readonly keyOf?: ((item: never) => string | number) | undefined;
}

/** By what a batch is written, the same for all batches of a writer. */
export interface WriteRules extends RefusalRules {
  /** How often a part is written at most, not counting what an outage fails. */
  readonly maxAttempts: number;
  /** There are dead letters: what cannot be written is diverted, rather than failing the pipeline. */
  readonly canDivert: boolean;
  readonly makeBackoff: () => Backoff;
}
