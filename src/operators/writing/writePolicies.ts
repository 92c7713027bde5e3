import { asyncScheduler, type SchedulerLike } from 'rxjs';
import type { DeadLetters } from '../../contracts/diversion.js';
import type { FailureClass } from '../../failures/classifyFailure.js';
import { Backoff, type Jitter } from '../../policies/backoff.js';
import type { CircuitBreaker } from '../../policies/circuitBreaker.js';
import { requireDuration, requireFunction, requireInteger, requireKnownOptions } from '../../primitives/validate.js';

/** How a failed write is tried again. The first attempt after a connection broke follows at once. */
export interface RetryPolicy {
  /** How often a batch, or a part of it, is written in all. Integer of at least 1, default 5. */
  readonly maxAttempts?: number;
  /** The wait after the first failure, before jitter, in milliseconds. From 0, default 50. */
  readonly initialMs?: number;
  /** The longest wait, in milliseconds. At least `initialMs`, default 2,000. */
  readonly maxMs?: number;
  /** What each failure multiplies the wait by. At least 1, default 2 (3 where `jitter` is `decorrelated`). */
  readonly multiplier?: number;
  /** How waits are spread, so that writers that failed together do not come back together. Default `full`. */
  readonly jitter?: Jitter;
}

/** What stands between a batch and the pipeline's end when a write fails. */
export interface WritePolicies<T> {
  /** How many writes may be in flight at once. Integer of at least 1, default 1, which keeps the order of batches. */
  readonly concurrency?: number;
  /** How long one attempt may take, in milliseconds; then it is given up and counts as failed. Above 0, default no limit. */
  readonly timeoutMs?: number;
  /** How transient failures are tried again. Default: they are not. */
  readonly retry?: RetryPolicy | false;
  /** Asked before each attempt. While it is open, writes wait with their gate closed, and no attempt is spent. Default: none. */
  readonly breaker?: CircuitBreaker;
  /**
   * What kind of failure an error is; `undefined` leaves the decision to the sink. Default: the sink's `classify`, then
   * `classifyFailure`.
   */
  readonly classify?: (error: unknown) => FailureClass | undefined;
  /** Where items go that cannot be written. Default: nowhere; the pipeline then fails with a `WriteError`. */
  readonly deadLetters?: DeadLetters<T>;
  /** A number from 0, below 1, for jitter. Default: from a generator seeded by the clock. */
  readonly random?: () => number;
  /** The clock and the timers of waits. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The name in topology, metrics and errors. Default `writeTo`. */
  readonly name?: string;
}

export const WRITE_POLICIES = [
  'concurrency',
  'timeoutMs',
  'retry',
  'breaker',
  'classify',
  'deadLetters',
  'random',
  'scheduler',
  'name',
] as const;

/** The policies of a writer, checked, with their defaults. */
export interface WriterSettings<T> {
  readonly concurrency: number;
  /** Infinity for no limit. */
  readonly timeoutMs: number;
  /** 1 where nothing is tried again. */
  readonly maxAttempts: number;
  readonly makeBackoff: (random: () => number) => Backoff;
  readonly breaker: CircuitBreaker | undefined;
  readonly classify: ((error: unknown) => FailureClass | undefined) | undefined;
  readonly deadLetters: DeadLetters<T> | undefined;
  readonly random: (() => number) | undefined;
  readonly scheduler: SchedulerLike;
  readonly name: string | undefined;
}

export function writerSettings<T>(owner: string, policies: WritePolicies<T>): WriterSettings<T> {
  requireKnownOptions(owner, policies, WRITE_POLICIES);
  const { retry = false, breaker, classify, deadLetters, random, timeoutMs = Number.POSITIVE_INFINITY } = policies;
  if (retry !== false) {
    requireKnownOptions(`${owner}: retry`, retry, ['maxAttempts', 'initialMs', 'maxMs', 'multiplier', 'jitter']);
  }
  if (breaker !== undefined) requireFunction(owner, 'the tryAcquire of its breaker', breaker?.tryAcquire);
  if (deadLetters !== undefined) requireFunction(owner, 'the append of its deadLetters', deadLetters?.append);
  if (random !== undefined) requireFunction(owner, 'random', random);
  if (timeoutMs !== Number.POSITIVE_INFINITY) requireDuration(owner, 'timeoutMs', timeoutMs, Number.MIN_VALUE);
  const { maxAttempts = 5, ...backoff } = retry === false ? { maxAttempts: 1 } : retry;
  const makeBackoff = (chance: () => number) => new Backoff({ ...backoff, random: chance }, `${owner}: retry`);
  makeBackoff(() => 0);
  return {
    concurrency: requireInteger(owner, 'concurrency', policies.concurrency ?? 1),
    timeoutMs,
    maxAttempts: requireInteger(`${owner}: retry`, 'maxAttempts', maxAttempts),
    makeBackoff,
    breaker,
    classify: classify === undefined ? undefined : requireFunction(owner, 'classify', classify),
    deadLetters,
    random,
    scheduler: policies.scheduler ?? asyncScheduler,
    name: policies.name,
  };
}
