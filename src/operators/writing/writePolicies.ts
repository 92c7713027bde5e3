import { asyncScheduler, type SchedulerLike } from 'rxjs';
import type { DeadLetters } from '../../contracts/diversion.js';
import type { FailureClass } from '../../failures/classifyFailure.js';
import { BACKOFF, Backoff, type BackoffOptions } from '../../policies/backoff.js';
import { CircuitBreaker, type CircuitBreakerConfig } from '../../policies/circuitBreaker.js';
import type { WriteRules } from '../../policies/writeProgress.js';
import {
  checked,
  duration,
  func,
  having,
  integer,
  nested,
  type OptionsOf,
  oneOf,
  type Read,
  readOptions,
  text,
} from '../../primitives/options.js';

/** How a failed write is tried again. The first attempt after a connection broke follows immediately. */
export interface RetryPolicy extends BackoffOptions {
  /**
   * How often a batch, or a part of it, is written at most, the first time included. What a sink repeats within one write, as the
   * Postgres sinks do after a deadlock, is not counted. Integer of at least 1, default 5.
   */
  readonly maxAttempts?: number | undefined;
}

/** What happens when a write fails. */
export interface WritePolicies<T> {
  /** How many writes may be in flight at once. Integer of at least 1, default 1, which keeps the order of batches. */
  readonly concurrency?: number | undefined;
  /**
   * How long one attempt may take, in milliseconds; then it is unsubscribed and counts as failed. Above 0, or `Infinity` for no
   * limit; default `Infinity`.
   */
  readonly timeoutMs?: number | undefined;
  /** How transient failures are tried again; false for not at all. Default false. */
  readonly retry?: RetryPolicy | false | undefined;
  /**
   * Consulted before each attempt: one that others share, the settings of one for each subscription, or false for none. While
   * it is open, writes wait with their gate closed, and no attempt is spent. Default false.
   */
  readonly breaker?: CircuitBreaker | CircuitBreakerConfig | false | undefined;
  /**
   * What kind of failure an error is; `undefined` leaves the decision to the sink. Default: the sink's `classify`, then
   * `classifyFailure`.
   */
  readonly classify?: ((error: unknown) => FailureClass | undefined) | undefined;
  /**
   * What to do when one row after the other is refused by one rule, because of a missing partition or a new constraint. `'hold'`:
   * keep them and wait, as in an outage, until the table takes rows again. `'divert'`: give up each of them as `poison`, for a
   * job that must come to an end. Default `'hold'`.
   */
  readonly whenTableRefuses?: 'hold' | 'divert' | undefined;
  /** Where items go that cannot be written. Without it the pipeline fails with a `WriteError`. */
  // The sink says of what type the items are: a queue for unknown items takes any.
  readonly deadLetters?: DeadLetters<NoInfer<T>> | undefined;
  /** A number from 0, below 1, for jitter. Default: from a generator seeded by the clock. */
  readonly random?: (() => number) | undefined;
  /** The clock and timers. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
  /** The name in topology, metrics and errors. Default `writeTo`. */
  readonly name?: string | undefined;
}

/** What a writer needs of its sink. */
export const SINK = having('write').required();

const BREAKER = checked(
  'a CircuitBreaker or its settings',
  (value): value is CircuitBreaker | CircuitBreakerConfig => typeof value === 'object' && value !== null,
).or(false);

const RETRY = { ...BACKOFF, maxAttempts: integer({ min: 1 }).default(5) } satisfies OptionsOf<RetryPolicy>;

export const WRITE_POLICIES = {
  concurrency: integer({ min: 1 }).default(1),
  timeoutMs: duration({ above: 0 }).or(Number.POSITIVE_INFINITY).default(Number.POSITIVE_INFINITY),
  retry: nested(RETRY).or(false).default(false),
  breaker: BREAKER.default(false),
  classify: func(),
  whenTableRefuses: oneOf(['hold', 'divert']).default('hold'),
  deadLetters: having('append'),
  random: func(),
  scheduler: having('now', 'schedule').default(asyncScheduler),
  name: text(),
} satisfies OptionsOf<WritePolicies<unknown>>;

/** The policies of a writer, checked, with their defaults. */
export interface WriterSettings<T> extends Omit<Read<WritePolicies<T>, typeof WRITE_POLICIES>, 'retry' | 'breaker'> {
  readonly makeRules: (random: () => number) => WriteRules;
  /** The breaker that is shared, or one for each subscription. */
  readonly makeBreaker: () => CircuitBreaker | undefined;
}

/** `spec` is that of the policies, with other defaults or fewer options. */
export function writerSettings<T>(
  owner: string,
  policies: WritePolicies<T>,
  spec: typeof WRITE_POLICIES = WRITE_POLICIES,
): WriterSettings<T> {
  const { retry, breaker, ...settings } = readOptions(owner, policies, spec);
  // One attempt, if nothing is tried again.
  const { maxAttempts, ...spread } = retry === false ? { maxAttempts: 1 } : retry;
  const makeRules = (random: () => number): WriteRules => ({
    maxAttempts,
    canDivert: settings.deadLetters !== undefined,
    makeBackoff: () => new Backoff({ ...spread, random }, `${owner}: retry`),
  });
  const makeBreaker = () => {
    if (breaker === false) return undefined;
    return 'tryAcquire' in breaker ? breaker : new CircuitBreaker(breaker, `${owner}: breaker`);
  };
  // Once, to check what only they can check.
  makeRules(() => 0).makeBackoff();
  makeBreaker();
  return { ...settings, makeRules, makeBreaker };
}
