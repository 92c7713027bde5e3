import type { FailureClass } from '../failures/classifyFailure.js';

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
}
