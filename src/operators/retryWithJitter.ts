import { asyncScheduler, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { classifyFailure } from '../failures/classifyFailure.js';
import { retryAfterMsOf } from '../failures/retryAfterMsOf.js';
import { operateOnDemand } from '../flow/operateOnDemand.js';
import { Backoff, type Jitter } from '../policies/backoff.js';
import { hashKey } from '../primitives/hashKey.js';
import { MonotonicClock } from '../primitives/monotonicClock.js';
import { Timer } from '../primitives/timer.js';
import { requireDuration, requireFunction, requireInteger, requireKnownOptions } from '../primitives/validate.js';
import { Xoshiro128 } from '../primitives/xoshiro128.js';

export interface RetryWithJitterConfig {
  /**
   * How many failures in a row are followed by another attempt: with 3 the fourth failure in a row goes on downstream.
   * Integer of at least 0, or `Infinity`; default 5.
   */
  readonly maxAttempts?: number;
  /** The wait after the first failure, before jitter, in milliseconds. 0 or more, default 50. */
  readonly initialMs?: number;
  /** The longest wait, in milliseconds. At least `initialMs`, default 2,000. */
  readonly maxMs?: number;
  /** What each failure in a row multiplies the wait by. At least 1; default 2, with `decorrelated` jitter 3. */
  readonly multiplier?: number;
  /** How waits are spread: `full`, `equal`, `decorrelated` or `none`. Default `full`. */
  readonly jitter?: Jitter;
  /**
   * How long after it was subscribed a source must fail, in milliseconds, having emitted, for its failure to be the first
   * in a row again. 0 or more, default 30,000.
   */
  readonly healthyAfterMs?: number;
  /** No attempt begins later than this after the first failure in a row, in milliseconds. 0 or more; default: no limit. */
  readonly maxElapsedMs?: number;
  /** Whether another attempt makes sense. Default: not after what `classifyFailure` calls fatal. */
  readonly retryable?: (error: unknown) => boolean;
  /** Told of each failure that is followed by another attempt, before the wait: which in a row it is, from 1, and the wait. */
  readonly onRetry?: (error: unknown, attempt: number, delayMs: number) => void;
  /** A number from 0, below 1. Default: from a generator seeded by the clock and the name of the stage. */
  readonly random?: () => number;
  /** The clock, and where it waits. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The name in topology, metrics and errors. Default `retryWithJitter`. */
  readonly name?: string;
}

const OPTIONS = [
  'maxAttempts',
  'initialMs',
  'maxMs',
  'multiplier',
  'jitter',
  'healthyAfterMs',
  'maxElapsedMs',
  'retryable',
  'onRetry',
  'random',
  'scheduler',
  'name',
];

/**
 * Subscribes its source again when that fails, after a wait that grows with each failure in a row and is spread by chance.
 *
 * ```text
 * source    -a-#                    jitter 'none', initialMs 2, maxMs 4
 *                -b-#
 *                       -c-|
 *           retryWithJitter()
 * output    -a----b------c-|
 * ```
 *
 * **Emits when**: the source emits, at once.
 * **Backpressure**: passes through: the source finds the gate downstream.
 * **Completes when**: the source completes; at once when the pipeline is asked to drain during a wait.
 * **Errors when**: the source fails and is not tried again: after `maxAttempts` failures in a row, when the next attempt would
 * begin after `maxElapsedMs`, when `retryable` says no, or when the pipeline is asked to drain. It is the error itself,
 * the last one. Also when a callback throws.
 * **On unsubscribe**: the source is unsubscribed, or the wait is cancelled; nothing is held.
 *
 * **Delivery**: what each attempt emits, once and in order. What the source missed while it was not subscribed is not made up
 * for.
 *
 * **Gotchas**: a failure counts as the first in a row again only when the source has been up for `healthyAfterMs` and has
 * emitted, and not after its first item: providers accept, authenticate, send a greeting, and then kick. Connecting is part
 * of that time. An error with a `retryAfterMs`, its own or its cause's, makes the wait at least as long, also beyond `maxMs`.
 * The next attempt begins on the scheduler, also after a wait of 0, and when the former has released what it used.
 *
 * @example
 * ```ts
 * import { defer, of } from 'rxjs';
 * import { retryWithJitter } from 'sluice/operators';
 *
 * let attempts = 0;
 * defer(() => {
 *   attempts += 1;
 *   if (attempts < 3) throw new Error('connection refused');
 *   return of('quote');
 * })
 *   .pipe(retryWithJitter({ maxAttempts: 5, initialMs: 50, onRetry: (error, n, ms) => console.warn(n, ms, error) }))
 *   .subscribe((item) => console.log(item));
 * ```
 */
export function retryWithJitter<T>(config: RetryWithJitterConfig = {}): MonoTypeOperatorFunction<T> {
  const owner = 'retryWithJitter';
  requireKnownOptions(owner, config, OPTIONS);
  const {
    maxAttempts = 5,
    healthyAfterMs = 30_000,
    maxElapsedMs = Number.POSITIVE_INFINITY,
    retryable = isRetryable,
    onRetry,
    random,
    scheduler = asyncScheduler,
    name,
    ...spread
  } = config;
  if (maxAttempts !== Number.POSITIVE_INFINITY) requireInteger(owner, 'maxAttempts', maxAttempts, 0);
  requireDuration(owner, 'healthyAfterMs', healthyAfterMs);
  if (maxElapsedMs !== Number.POSITIVE_INFINITY) requireDuration(owner, 'maxElapsedMs', maxElapsedMs);
  requireFunction(owner, 'retryable', retryable);
  if (onRetry !== undefined) requireFunction(owner, 'onRetry', onRetry);
  if (random !== undefined) requireFunction(owner, 'random', random);
  const makeBackoff = (chance: () => number) => new Backoff({ ...spread, random: chance }, owner);
  makeBackoff(() => 0);

  return operateOnDemand<T, T>({ kind: owner, name }, ({ destination, downstream, stage, connect }) => {
    const time = new MonotonicClock();
    const now = () => time.at(scheduler.now());
    let backoff: Backoff | undefined;
    let failures = 0;
    let firstFailureAt = 0;
    let subscribedAt = 0;
    let hasEmitted = false;
    let isStopping = false;

    const subscribe = () => {
      hasEmitted = false;
      subscribedAt = now();
      connect({
        next(item) {
          hasEmitted = true;
          stage.in += 1;
          stage.out += 1;
          destination.next(item);
        },
        over(end) {
          if (end.kind === 'completed') destination.complete();
          else if (end.kind === 'failed') onFailure(end.error);
        },
      });
    };

    const alarm = new Timer(scheduler, subscribe);

    const onFailure = (error: unknown) => {
      const failedAt = now();
      if (hasEmitted && failedAt - subscribedAt >= healthyAfterMs) {
        failures = 0;
        backoff?.reset();
      }
      if (isStopping || failures >= maxAttempts || !retryable(error)) {
        destination.error(error);
        return;
      }
      if (failures === 0) firstFailureAt = failedAt;
      backoff ??= makeBackoff(random ?? seeded(scheduler.now(), stage.id));
      const delayMs = Math.max(backoff.nextMs(), retryAfterMsOf(error));
      if (failedAt - firstFailureAt + delayMs > maxElapsedMs) {
        destination.error(error);
        return;
      }
      failures += 1;
      onRetry?.(error, failures, delayMs);
      stage.observer?.retrying?.(stage, delayMs);
      if (destination.closed) return;
      // Asked to drain by one of those two.
      if (isStopping) destination.complete();
      else alarm.set(delayMs);
    };

    destination.add(
      downstream.stopping.subscribe(() => {
        isStopping = true;
        if (!alarm.isSet) return;
        alarm.cancel();
        destination.complete();
      }),
    );

    return { start: subscribe, finalize: () => alarm.cancel() };
  });
}

function isRetryable(error: unknown): boolean {
  return classifyFailure(error) !== 'fatal';
}

/** Two stages of a pipeline that fail in one millisecond must not come back in one. */
function seeded(now: number, id: string): () => number {
  const generator = Xoshiro128.fromSeed(Math.floor(now) + hashKey(id));
  return () => generator.unit();
}
