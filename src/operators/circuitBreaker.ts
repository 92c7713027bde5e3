import { asyncScheduler, type MonoTypeOperatorFunction, type SchedulerLike, type Subscription } from 'rxjs';
import { classifyFailure, type FailureClass } from '../failures/classifyFailure.js';
import { operateOnDemand } from '../flow/operateOnDemand.js';
import type { CircuitBreaker } from '../policies/circuitBreaker.js';
import { MonotonicClock } from '../primitives/monotonicClock.js';
import { Timer } from '../primitives/timer.js';
import { requireDuration, requireFunction, requireKnownOptions, requireOneOf } from '../primitives/validate.js';
import { CircuitOpenError } from './errors/circuitOpenError.js';
import { GuardedCall, verdictOf } from './guarding/guardedCall.js';

export interface CircuitBreakerGuardConfig {
  /**
   * What to do while the breaker gives no permit. `'wait'`: subscribe nothing, and wait for one. `'fail'`: fail at once with
   * a `CircuitOpenError` that says when to come back.
   */
  readonly whenOpen: 'wait' | 'fail';
  /** How long after its first item a stream that goes on counts as a success, in milliseconds. 0 or more, default 30,000. */
  readonly healthyAfterMs?: number;
  /**
   * What an error says of the source. `transient` is a failure, `poison` a success, as there was an answer; `fatal` says
   * nothing. Default `classifyFailure`.
   */
  readonly classify?: (error: unknown) => FailureClass;
  /** The clock, and where it waits: the same for all who share the breaker. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The name in topology, metrics and errors. Default `circuitBreaker`. */
  readonly name?: string;
}

/**
 * Asks a breaker, which others may share, before it subscribes its source, and tells it how that went.
 *
 * ```text
 * source    -a-#                     the breaker opens at the first failure, for 5 ms
 *                   -b--
 *           circuitBreaker(breaker, { whenOpen: 'wait' }), retry()
 * output    -a-------b--             the retry subscribes at once, and waits for the breaker
 * ```
 *
 * **Emits when**: the source emits, at once.
 * **Backpressure**: passes through: the source finds the gate downstream.
 * **Completes when**: the source completes; at once when the pipeline is asked to drain while it waits.
 * **Errors when**: the source fails; with `whenOpen: 'fail'` and no permit, with a `CircuitOpenError`; when `classify` throws.
 * **On unsubscribe**: the source is unsubscribed, and its permit is free for the next, or the place in line is given up.
 *
 * **Delivery**: unchanged; nothing is held.
 *
 * **Gotchas**: each subscription has one verdict. A success is a completion, or a stream that is still there `healthyAfterMs`
 * after its first item, so that a healthy feed closes a half-open breaker; what becomes of it after that is for the next
 * subscription to find out. Let go before any verdict, it says nothing. For slow calls what counts is the time until the
 * first item, or until the end where there is none: how long downstream takes is not the fault of the source. Those who wait
 * for one breaker stand in one line, whatever chain they are in; who failed comes back at its end. Waiting is silent: it burns
 * no attempt of a `retryWithJitter` above or below.
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { CircuitBreaker } from 'sluice';
 * import { circuitBreaker, retryWithJitter } from 'sluice/operators';
 *
 * const provider = new CircuitBreaker({ window: { kind: 'count', size: 5 }, openMs: 60_000 });
 * of('quote')
 *   .pipe(circuitBreaker(provider, { whenOpen: 'wait' }), retryWithJitter({ maxAttempts: Infinity }))
 *   .subscribe((item) => console.log(item, provider.state));
 * ```
 */
export function circuitBreaker<T>(
  breaker: CircuitBreaker,
  config: CircuitBreakerGuardConfig,
): MonoTypeOperatorFunction<T> {
  const owner = 'circuitBreaker';
  requireFunction(owner, 'the tryAcquire of its breaker', breaker?.tryAcquire);
  requireKnownOptions(owner, config, ['whenOpen', 'healthyAfterMs', 'classify', 'scheduler', 'name']);
  const { classify = classifyFailure, scheduler = asyncScheduler, name } = config;
  const whenOpen = requireOneOf(owner, 'whenOpen', config.whenOpen, ['wait', 'fail']);
  const healthyAfterMs = requireDuration(owner, 'healthyAfterMs', config.healthyAfterMs ?? 30_000);
  requireFunction(owner, 'classify', classify);

  return operateOnDemand<T, T>({ kind: owner, name }, ({ destination, downstream, stage, connect }) => {
    const time = new MonotonicClock();
    const call = new GuardedCall(breaker, scheduler, () => time.at(scheduler.now()), destination);
    const healthy = new Timer(scheduler, () => call.settle('succeeded'));
    let stopping: Subscription | undefined;

    const subscribe = () => {
      stopping?.unsubscribe();
      let hasAnswered = false;
      connect({
        next(item) {
          if (!hasAnswered) {
            hasAnswered = true;
            call.answered();
            healthy.set(healthyAfterMs);
          }
          stage.in += 1;
          stage.out += 1;
          destination.next(item);
        },
        over(end) {
          healthy.cancel();
          try {
            if (end.kind === 'completed') call.settle('succeeded');
            else if (end.kind === 'failed') call.settle(verdictOf(owner, classify(end.error)));
          } finally {
            call.settle('released');
          }
          if (end.kind === 'completed') destination.complete();
          else if (end.kind === 'failed') destination.error(end.error);
        },
      });
    };

    const wait = () => {
      call.begin(subscribe);
      if (call.startedAt !== undefined || destination.closed) return;
      let isSubscribing = true;
      stopping = downstream.stopping.subscribe(() => {
        call.leave();
        // Not immediately: a `repeat()` would subscribe again inside of it, and so on until the stack is full.
        if (isSubscribing) destination.add(scheduler.schedule(() => destination.complete()));
        else destination.complete();
      });
      isSubscribing = false;
      destination.add(stopping);
    };

    return {
      start() {
        stage.observer?.guarded?.(stage, breaker);
        if (whenOpen === 'wait') wait();
        else if (!call.beginNow(subscribe)) {
          destination.error(new CircuitOpenError(stage.name, breaker.readyInMs(scheduler.now())));
        }
      },
      finalize: () => call.leave(),
    };
  });
}
