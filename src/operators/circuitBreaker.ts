import { asyncScheduler, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { classifyFailure, type FailureClass } from '../failures/classifyFailure.js';
import { operateOnDemand } from '../flow/operateOnDemand.js';
import { StopSignal } from '../flow/stopSignal.js';
import type { CircuitBreaker } from '../policies/circuitBreaker.js';
import { MonotonicClock } from '../primitives/monotonicClock.js';
import {
  duration,
  func,
  having,
  type OptionsOf,
  oneOf,
  readArgument,
  readOptions,
  text,
} from '../primitives/options.js';
import { Timer } from '../primitives/timer.js';
import { Wait } from '../primitives/wait.js';
import { CircuitOpenError } from './errors/circuitOpenError.js';
import { GuardedCall, verdictOf } from './guarding/guardedCall.js';

/** How a breaker guards a source. What the breaker itself is like is the `CircuitBreakerConfig` that it was made with. */
export interface CircuitBreakerOptions {
  /**
   * What to do while the breaker gives no permit. `'wait'`: subscribe nothing, and wait for one. `'fail'`: fail immediately
   * with a `CircuitOpenError` that says when to come back.
   */
  readonly whenOpen: 'wait' | 'fail';
  /** How long after its first item a stream that goes on counts as a success, in milliseconds. 0 or more, default 30,000. */
  readonly healthyAfterMs?: number;
  /**
   * What an error says about the source. `transient` is a failure, `poison` a success, because there was an answer; `fatal` says
   * nothing. Default `classifyFailure`.
   */
  readonly classify?: (error: unknown) => FailureClass;
  /** The clock and timers: the same for all that share the breaker. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The name in topology, metrics and errors. Default `circuitBreaker`. */
  readonly name?: string;
}

const OPTIONS = {
  whenOpen: oneOf(['wait', 'fail']).required(),
  healthyAfterMs: duration().default(30_000),
  classify: func().default(classifyFailure),
  scheduler: having('now', 'schedule').default(asyncScheduler),
  name: text(),
} satisfies OptionsOf<CircuitBreakerOptions>;

/**
 * Asks a breaker, which others may share, before it subscribes its source, and reports the result to it.
 *
 * ```text
 * source    -a-#                     the breaker opens at the first failure, for 5 ms
 *                   -b--
 *           circuitBreaker(breaker, { whenOpen: 'wait' }), retry()
 * output    -a-------b--             the retry subscribes at once, and waits for the breaker
 * ```
 *
 * **Emits when**: the source emits, immediately.
 * **Backpressure**: passes through: the source finds the gate downstream.
 * **Completes when**: the source completes; immediately when the pipeline is asked to drain while it waits.
 * **Errors when**: the source fails; with `whenOpen: 'fail'` and no permit, with a `CircuitOpenError`; when `classify` throws.
 * **On unsubscribe**: the source is unsubscribed and its permit freed for the next caller, or the place in the queue is given up.
 *
 * **Delivery**: unchanged; nothing is held.
 *
 * **Gotchas**:
 * - Each subscription has one verdict. A success is a completion, or a stream that is still there `healthyAfterMs` after its
 *   first item, so that a healthy feed closes a half-open breaker; a failure after that is for the next subscription to report.
 *   A source that is unsubscribed before any verdict says nothing.
 * - A call is slow by the time until its first item, or until its end without one: time that downstream takes is not the fault
 *   of the source.
 * - All that wait for one breaker share a queue, in whatever chain they are; a caller that failed rejoins at the back of it.
 *   Waiting does not consume attempts of a `retryWithJitter` above or below.
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { CircuitBreaker } from 'sluice';
 * import { circuitBreaker, retryWithJitter } from 'sluice/operators';
 *
 * const provider = new CircuitBreaker({ window: { kind: 'count', size: 5 }, openMs: 30_000 });
 * of('quote')
 *   .pipe(circuitBreaker(provider, { whenOpen: 'wait' }), retryWithJitter({ maxAttempts: Infinity }))
 *   .subscribe((item) => console.log(item, provider.state));
 * ```
 */
export function circuitBreaker<T>(breaker: CircuitBreaker, config: CircuitBreakerOptions): MonoTypeOperatorFunction<T> {
  const owner = 'circuitBreaker';
  readArgument(owner, 'breaker', breaker, having('tryAcquire'));
  const { whenOpen, healthyAfterMs, classify, scheduler, name } = readOptions(owner, config, OPTIONS);

  return operateOnDemand<T, T>({ kind: owner, name }, ({ destination, downstream, stage, emit, connect }) => {
    const time = new MonotonicClock();
    const now = () => time.at(scheduler.now());
    const call = new GuardedCall({ breaker, scheduler, destination, now });
    const healthy = new Timer(scheduler, () => call.settle('succeeded'));
    const turn = new Wait();
    let deafen: (() => void) | undefined;

    const subscribe = () => {
      deafen?.();
      let hasAnswered = false;
      connect({
        next(item) {
          if (!hasAnswered) {
            hasAnswered = true;
            call.answered();
            healthy.set(healthyAfterMs);
          }
          emit(item);
        },
        over(end) {
          healthy.cancel();
          call.answered();
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
      turn.begin((over) => {
        call.begin(over);
        return () => call.leave();
      }, subscribe);
      if (!turn.isPending) return;
      const stop = StopSignal.of(downstream.stopping);
      deafen = stop.listen(() => {
        turn.cancel();
        destination.complete();
      });
      destination.add(deafen);
      if (!stop.hasFired) return;
      turn.cancel();
      // Not immediately: a `repeat()` would subscribe again inside of it, and so on until the stack is full.
      destination.add(scheduler.schedule(() => destination.complete()));
    };

    return {
      start() {
        stage.observer?.guarded?.(stage, breaker);
        if (whenOpen === 'wait') wait();
        else if (!call.beginNow(subscribe)) {
          destination.error(new CircuitOpenError(stage.name, breaker.readyInMs(scheduler.now())));
        }
      },
      finalize: () => turn.cancel(),
    };
  });
}
