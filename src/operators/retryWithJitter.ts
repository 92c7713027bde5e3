import { asyncScheduler, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { classifyFailure } from '../failures/classifyFailure.js';
import { retryAfterMsOf } from '../failures/failureHints.js';
import { operateOnDemand } from '../flow/operateOnDemand.js';
import { BACKOFF, Backoff, type BackoffOptions } from '../policies/backoff.js';
import { hashKey } from '../primitives/hashKey.js';
import { MonotonicClock } from '../primitives/monotonicClock.js';
import { duration, func, having, integer, type OptionsOf, readOptions, text } from '../primitives/options.js';
import { Timer } from '../primitives/timer.js';
import { Xoshiro128 } from '../primitives/xoshiro128.js';

export interface RetryWithJitterConfig extends BackoffOptions {
  /**
   * How often the source is subscribed at most, the first time included, while it fails without being healthy in between.
   * Integer of at least 1, or `Infinity`; default 5.
   */
  readonly maxAttempts?: number;
  /**
   * How long after it was subscribed a source must fail, having emitted, for its failure to count as the first in a row, in
   * milliseconds. 0 or more, default 30,000.
   */
  readonly healthyAfterMs?: number;
  /** No attempt begins later than this after the first failure in a row, in milliseconds. 0 or more; default `Infinity`. */
  readonly maxElapsedMs?: number;
  /** Whether another attempt makes sense. Default: unless `classifyFailure` says that the error is fatal. */
  readonly retryable?: (error: unknown) => boolean;
  /** Called before each wait, with the failure, its number in the row from 1, and the wait. */
  readonly onRetry?: (error: unknown, attempt: number, delayMs: number) => void;
  /** A number from 0, below 1. Default: from a generator seeded by the clock and the name of the stage. */
  readonly random?: () => number;
  /** The clock and timers. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The name in topology, metrics and errors. Default `retryWithJitter`. */
  readonly name?: string;
}

const OPTIONS = {
  ...BACKOFF,
  maxAttempts: integer({ min: 1 }).or(Number.POSITIVE_INFINITY).default(5),
  healthyAfterMs: duration().default(30_000),
  maxElapsedMs: duration().or(Number.POSITIVE_INFINITY).default(Number.POSITIVE_INFINITY),
  retryable: func().default((error: unknown) => classifyFailure(error) !== 'fatal'),
  onRetry: func(),
  random: func(),
  scheduler: having('now', 'schedule').default(asyncScheduler),
  name: text(),
} satisfies OptionsOf<RetryWithJitterConfig>;

/**
 * Subscribes its source again when that fails, after a wait that grows with each failure in a row and has random jitter.
 *
 * ```text
 * source    -a-#                    jitter 'none', initialMs 2, maxMs 4
 *                -b-#
 *                       -c-|
 *           retryWithJitter()
 * output    -a----b------c-|
 * ```
 *
 * **Emits when**: the source emits, immediately.
 * **Backpressure**: passes through: the source finds the gate downstream.
 * **Completes when**: the source completes; immediately when the pipeline is asked to drain during a wait.
 * **Errors when**: the source fails and is not tried again: after `maxAttempts` attempts, when the next one would begin after
 * `maxElapsedMs`, when `retryable` says no, or when the pipeline is asked to drain. The error is that of the last attempt. A
 * callback throws.
 * **On unsubscribe**: the source is unsubscribed, or the wait is cancelled; nothing is held.
 *
 * **Delivery**: what each attempt emits, once and in order. What the source missed while it was not subscribed is not
 * recovered.
 *
 * **Gotchas**:
 * - `maxAttempts` counts the first attempt: 3 means two retries. RxJS's `retry({ count: 3 })` means three.
 * - A failure counts as the first in a row only when the source has been subscribed for `healthyAfterMs` and has emitted, rather
 *   than after its first item: providers accept, authenticate, send a greeting, and then kick. Connecting is part of that time.
 * - An error with a `retryAfterMs`, its own or its cause's, makes the wait at least that long, even beyond `maxMs`.
 * - The next attempt begins on the scheduler, even after a wait of 0, and only when the former has released what it used.
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
  const read = readOptions(owner, config, OPTIONS);
  const { maxAttempts, healthyAfterMs, maxElapsedMs, retryable, onRetry, random, scheduler, name, ...spread } = read;
  const makeBackoff = (chance: () => number) => new Backoff({ ...spread, random: chance }, owner);
  makeBackoff(() => 0);

  return operateOnDemand<T, T>({ kind: owner, name }, ({ destination, downstream, stage, emit, connect }) => {
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
          emit(item);
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
      if (isStopping || failures + 1 >= maxAttempts || !retryable(error)) {
        destination.error(error);
        return;
      }
      if (failures === 0) firstFailureAt = failedAt;
      // Unsubscribed by that callback.
      if (destination.closed) return;
      backoff ??= makeBackoff(random ?? seeded(scheduler.now(), stage.id));
      const delayMs = Math.max(backoff.nextMs(), retryAfterMsOf(error));
      if (failedAt - firstFailureAt + delayMs > maxElapsedMs) {
        destination.error(error);
        return;
      }
      failures += 1;
      onRetry?.(error, failures, delayMs);
      if (destination.closed) return;
      stage.observer?.retrying?.(stage, delayMs, error, failures);
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

/** Two stages of a pipeline that fail in the same millisecond must not come back in the same one. */
function seeded(now: number, id: string): () => number {
  const generator = Xoshiro128.fromSeed(Math.floor(now) + hashKey(id));
  return () => generator.unit();
}
