import type { SchedulerLike, Subscriber } from 'rxjs';
import type { FailureClass } from '../../failures/classifyFailure.js';
import { isTearingDown } from '../../flow/context.js';
import type { CircuitBreaker, Permit } from '../../policies/circuitBreaker.js';
import type { SinkState } from '../../policies/sinkState.js';
import { oneOf } from '../../primitives/options.js';
import { Timer } from '../../primitives/timer.js';
import { PermitQueue } from './permitQueue.js';

/** What a call says about the system that was called; `released` says nothing, `tripped` that no other call will succeed now. */
export type Verdict = 'succeeded' | 'failed' | 'tripped' | 'released';

/** A refused item is an answer, hence a success; a fatal failure says nothing about the next call. */
const VERDICTS: Readonly<Record<FailureClass, Verdict>> = {
  transient: 'failed',
  poison: 'succeeded',
  fatal: 'released',
};

const CLASS = oneOf(['transient', 'poison', 'fatal']).required();

/** What a failure says about the system that was called. The class is what a `classify` of the user's has returned. */
export function verdictOf(owner: string, failureClass: FailureClass): Verdict {
  return VERDICTS[CLASS.read(owner, 'the answer of classify', failureClass)];
}

/** Whoever makes calls, on behalf of the subscriber `destination`. */
export interface Caller {
  /** Without one, calls begin immediately. */
  readonly breaker: CircuitBreaker | undefined;
  /** What is called, if it can ask for a pause of all its callers. */
  readonly target?: Pick<SinkState, 'readyInMs'>;
  readonly scheduler: SchedulerLike;
  readonly destination: Subscriber<never>;
  /** The time in milliseconds; it never goes back. */
  now(): number;
}

/**
 * Calls that a breaker may guard, one at a time: the permit of the call under way, for which it can wait in the breaker's
 * queue, when it began, and its one verdict.
 */
export class GuardedCall {
  readonly #caller: Caller;
  #permit: Permit | undefined;
  #leaveQueue: (() => void) | undefined;
  /** The pause that the target has asked for. */
  #pause: Timer | undefined;
  #startedAt: number | undefined;
  #answeredInMs: number | undefined;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** When the call under way began; `undefined` if there is none. */
  get startedAt(): number | undefined {
    return this.#startedAt;
  }

  /** Whether the breaker keeps callers back: it is open, or is finding out whether it still must be. */
  get isHeldBack(): boolean {
    const state = this.#caller.breaker?.state ?? 'closed';
    return state !== 'closed' && state !== 'disabled';
  }

  /** Makes the call: immediately if the target asks for no pause, nobody waits and the breaker permits it, else in turn. */
  begin(call: () => void): void {
    const { breaker, scheduler, destination } = this.#caller;
    if (this.#isPaused(call)) return;
    const queue = breaker && PermitQueue.of(breaker);
    const permit = queue?.tryAcquire(scheduler.now());
    if (!queue || permit) {
      this.#start(permit, call);
      return;
    }
    this.#leaveQueue = queue.join(scheduler, (later) => {
      // One of several that are unsubscribed together gave it back: the next of them must not begin.
      if (isTearingDown(destination) || this.#isPaused(call)) breaker?.release(later, scheduler.now());
      else this.#start(later, call);
    });
  }

  /** Makes a further call with the permit of the one under way, whose verdict is that of both. */
  again(call: () => void): void {
    this.#start(this.#permit, call);
  }

  /** Makes the call only if the breaker permits it now; says whether it did. */
  beginNow(call: () => void): boolean {
    const { breaker, scheduler } = this.#caller;
    const permit = breaker?.tryAcquire(scheduler.now());
    if (breaker && !permit) return false;
    this.#start(permit, call);
    return true;
  }

  /** What was called has answered: time that passes from now on is not its own. */
  answered(): void {
    this.#answeredInMs ??= this.#caller.now() - this.#startedAt!;
  }

  /** The call is over. The first verdict counts. */
  settle(verdict: Verdict): void {
    const permit = this.#permit;
    const startedAt = this.#startedAt;
    this.#startedAt = undefined;
    if (permit === undefined) return;
    this.#permit = undefined;
    const { breaker, scheduler } = this.#caller;
    const durationMs = this.#answeredInMs ?? this.#caller.now() - startedAt!;
    if (verdict === 'released') breaker?.release(permit, scheduler.now());
    else if (verdict === 'tripped') breaker?.trip(permit, scheduler.now());
    else breaker?.[verdict](permit, durationMs, scheduler.now());
  }

  /** Gives up its place in the queue, if it waits. */
  leave(): void {
    this.#pause?.cancel();
    this.#leaveQueue?.();
  }

  /** Whether the target has asked for a pause. The call is then made after it, unless {@link leave} is called before. */
  #isPaused(call: () => void): boolean {
    const { target, scheduler } = this.#caller;
    const ms = target?.readyInMs(scheduler.now()) ?? 0;
    if (ms <= 0) return false;
    this.#pause = new Timer(scheduler, () => this.begin(call));
    this.#pause.set(Math.max(1, ms));
    return true;
  }

  #start(permit: Permit | undefined, call: () => void): void {
    this.#permit = permit;
    this.#startedAt = this.#caller.now();
    this.#answeredInMs = undefined;
    call();
  }
}
