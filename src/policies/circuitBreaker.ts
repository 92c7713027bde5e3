import { Listeners } from '../primitives/listeners.js';
import { MonotonicClock } from '../primitives/monotonicClock.js';
import { integer, type Read, readOptions, reject } from '../primitives/options.js';
import { type CallWindow, callWindow } from './callWindow.js';
import { BREAKER_OPTIONS, type CircuitBreakerConfig, DEFAULT_RATE } from './circuitBreakerConfig.js';

export type { CircuitBreakerConfig } from './circuitBreakerConfig.js';

export type BreakerState = 'closed' | 'open' | 'halfOpen' | 'forcedOpen' | 'disabled';

/** Permission for one call. Settle it once, by `succeeded`, `failed`, `trip` or `release`. */
export interface Permit {
  /** The generation of the breaker that gave it: a new one begins with each change of state. */
  readonly generation: number;
  /** Whether it was given while the breaker was half-open. */
  readonly isProbe: boolean;
}

/** By which factor it stays open longer after a probe that failed: each wait is about a tenth of all before, and the first. */
const GROWTH = 1.1;

/** What is known in one state only. */
type Phase =
  | { readonly state: 'closed' }
  | { readonly state: 'disabled' }
  | { readonly state: 'forcedOpen' }
  | { readonly state: 'open'; readonly since: number; readonly ms: number }
  | { readonly state: 'halfOpen'; readonly since: number; readonly out: Set<Permit>; successes: number };

/**
 * Keeps callers away from a system that keeps failing, and finds out when it works again.
 *
 * Closed, it permits every call and counts. Once enough calls have failed or were slow, it opens and permits none for
 * `firstOpenMs`. Then it is half-open: the next caller gets the permit of a probe, and no more than `halfOpenPermits` are out at
 * once. Enough successes close it. One failure opens it again, a tenth longer than before and at most for `openMs`. So an
 * outage costs hardly a tenth more than it lasts, and a second, while an hour of it costs about a hundred calls. `forceOpen()` holds it open and `disable()` holds it out
 * of the way, both until `reset()`.
 *
 * It has no timer: each caller says what time it is. Any clock in milliseconds will do; one that is set back makes the breaker
 * wait a little longer. Asking while it is open changes nothing and costs nothing. Each change of state begins a new
 * generation, and results of an older one are ignored: a call that began before the breaker opened cannot close it.
 *
 * While closed, all callers share one permit, so that a call allocates nothing. Probes have one each, and settling one twice
 * counts once.
 */
export class CircuitBreaker {
  readonly #settings: Omit<
    Read<CircuitBreakerConfig, typeof BREAKER_OPTIONS>,
    'window' | 'minimumCalls' | 'firstOpenMs'
  >;
  readonly #firstOpenMs: number;
  readonly #minimumCalls: number;
  readonly #window: CallWindow;
  readonly #time = new MonotonicClock();
  #phase: Phase = { state: 'closed' };
  /** For how long it opens next. */
  #nextOpenMs: number;
  #generation = 0;
  /** Shared by all calls of a generation that are not probes. */
  #permit: Permit = Object.freeze({ generation: 0, isProbe: false });
  readonly #listeners = new Listeners<BreakerState>();

  constructor(config: CircuitBreakerConfig = {}, owner = 'CircuitBreaker') {
    const {
      window = { kind: 'count', size: 5 },
      minimumCalls,
      firstOpenMs,
      ...settings
    } = readOptions(owner, config, BREAKER_OPTIONS);
    const { openMs, slowCallMs, slowCallRate } = settings;
    if (slowCallMs === undefined && slowCallRate !== DEFAULT_RATE) {
      throw new RangeError(`${owner}: slowCallRate (${slowCallRate}) requires slowCallMs`);
    }
    this.#firstOpenMs = firstOpenMs ?? Math.min(1_000, openMs);
    if (this.#firstOpenMs > openMs) reject(owner, 'firstOpenMs', `at most openMs (${openMs})`, firstOpenMs);
    this.#settings = settings;
    this.#nextOpenMs = this.#firstOpenMs;
    this.#window = callWindow(`${owner}: window`, window);
    const { size } = this.#window;
    const calls = Number.isFinite(size) ? integer({ min: 1, max: size }).default(size) : integer({ min: 1 }).default(5);
    this.#minimumCalls = calls.read(owner, 'minimumCalls', minimumCalls);
  }

  /** The state at the last call of any method: that time has passed is noticed only by a call. */
  get state(): BreakerState {
    return this.#phase.state;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Permission for a call, or `undefined` if there is none now: {@link readyInMs} says when to ask again. */
  tryAcquire(now: number): Permit | undefined {
    const time = this.#time.at(now);
    const { state } = this.#phase;
    if (state === 'closed' || state === 'disabled') return this.#permit;
    const permit = this.#probe(time);
    // Last, because a listener may ask too: the permit is already out then.
    this.#listeners.notify();
    return permit;
  }

  /**
   * In how many milliseconds to ask again: 0 for now, `Infinity` if only a change reported by {@link onChange} will help. Right
   * after `tryAcquire` has given nothing, it is above 0 for the same `now`.
   */
  readyInMs(now: number): number {
    const time = this.#time.at(now);
    const phase = this.#phase;
    if (phase.state === 'closed' || phase.state === 'disabled') return 0;
    if (phase.state === 'forcedOpen') return Number.POSITIVE_INFINITY;
    if (phase.state === 'open') return Math.max(0, phase.since + phase.ms - time);
    const endsAt = phase.since + this.#settings.maxHalfOpenMs;
    if (endsAt <= time) return Math.max(0, endsAt + this.#nextOpenMs - time);
    return phase.out.size < this.#settings.halfOpenPermits ? 0 : endsAt - time;
  }

  /** The call succeeded, and took `durationMs`. */
  succeeded(permit: Permit, durationMs: number, now: number): void {
    this.#settle(permit, false, durationMs, now);
  }

  /** The call failed after `durationMs`. */
  failed(permit: Permit, durationMs: number, now: number): void {
    this.#settle(permit, true, durationMs, now);
  }

  /** The call says nothing about the system that was called: it was never made, or was abandoned. */
  release(permit: Permit, now: number): void {
    this.#endHalfOpen(this.#time.at(now));
    if (this.#phase.state === 'halfOpen' && this.#phase.out.delete(permit)) this.#listeners.record('halfOpen');
    this.#listeners.notify();
  }

  /** The call has shown that no call will succeed now: opens it, as a failed probe does. */
  trip(permit: Permit, now: number): void {
    const time = this.#time.at(now);
    this.#endHalfOpen(time);
    const phase = this.#phase;
    if (phase.state === 'closed' && permit.generation === this.#generation) this.#open(time);
    else if (phase.state === 'halfOpen' && phase.out.delete(permit)) this.#open(time);
    this.#listeners.notify();
  }

  /**
   * Lets the next caller probe immediately if it is open, and begins again with `firstOpenMs`: for those who have little time
   * left. Does nothing while it is forced open.
   */
  hurry(now: number): void {
    const time = this.#time.at(now);
    this.#endHalfOpen(time);
    this.#nextOpenMs = this.#firstOpenMs;
    if (this.#phase.state === 'open') {
      this.#phase = { state: 'open', since: time, ms: 0 };
      this.#listeners.record('open');
    }
    this.#listeners.notify();
  }

  /** Permits no call until {@link reset}. */
  forceOpen(now: number): void {
    this.#force('forcedOpen', now);
  }

  /** Permits every call and judges none, until {@link reset}. */
  disable(now: number): void {
    this.#force('disabled', now);
  }

  /** Closes it, with an empty window: calls in flight are no longer counted. */
  reset(now: number): void {
    this.#force('closed', now);
  }

  /**
   * Calls `listener` at each change of state, and when a probe has become possible, until the returned function is called.
   * Listeners are called in the order in which they came, and a change that one of them makes is reported after all have been
   * called for the one before. What a listener throws becomes an unhandled rejection, and the others are still called.
   */
  onChange(listener: (state: BreakerState) => void): () => void {
    return this.#listeners.add(listener);
  }

  #probe(time: number): Permit | undefined {
    this.#endHalfOpen(time);
    let phase = this.#phase;
    if (phase.state === 'open' && phase.since + phase.ms <= time) {
      phase = { state: 'halfOpen', since: time, out: new Set(), successes: 0 };
      this.#enter(phase);
    }
    if (phase.state !== 'halfOpen' || phase.out.size >= this.#settings.halfOpenPermits) return undefined;
    const permit = Object.freeze({ generation: this.#generation, isProbe: true });
    phase.out.add(permit);
    return permit;
  }

  #settle(permit: Permit, hasFailed: boolean, durationMs: number, now: number): void {
    const { slowCallMs = Number.POSITIVE_INFINITY } = this.#settings;
    const wasSlow = durationMs >= slowCallMs;
    const time = this.#time.at(now);
    this.#endHalfOpen(time);
    const phase = this.#phase;
    if (phase.state === 'closed') {
      if (permit.generation === this.#generation) this.#judgeCall(hasFailed, wasSlow, time);
    } else if (phase.state === 'halfOpen' && phase.out.delete(permit)) {
      this.#judgeProbe(phase, hasFailed || wasSlow, time);
    }
    this.#listeners.notify();
  }

  #judgeCall(hasFailed: boolean, wasSlow: boolean, time: number): void {
    const window = this.#window;
    window.record(hasFailed, wasSlow, time);
    if (window.calls < this.#minimumCalls) return;
    // Divided rather than multiplied: 7 of 100 are 0.07, while 0.07 × 100 is more than 7.
    const isBad =
      window.failures / window.calls >= this.#settings.failureRate ||
      window.slowCalls / window.calls >= this.#settings.slowCallRate;
    if (isBad) this.#open(time);
  }

  #judgeProbe(phase: Extract<Phase, { state: 'halfOpen' }>, isBad: boolean, time: number): void {
    if (isBad) this.#open(time);
    else if (++phase.successes >= this.#settings.halfOpenSuccesses) this.#close();
    else this.#listeners.record('halfOpen');
  }

  /** Half-open for too long: it opened when that time was over, rather than now that a caller notices. */
  #endHalfOpen(time: number): void {
    const phase = this.#phase;
    if (phase.state === 'halfOpen' && phase.since + this.#settings.maxHalfOpenMs <= time) {
      this.#open(phase.since + this.#settings.maxHalfOpenMs);
    }
  }

  #open(since: number): void {
    const ms = this.#nextOpenMs;
    // By a millisecond at least, or a first wait of 0 would stay 0.
    this.#nextOpenMs = Math.min(this.#settings.openMs, Math.max(ms + 1, Math.ceil(ms * GROWTH)));
    this.#enter({ state: 'open', since, ms });
  }

  #close(): void {
    this.#nextOpenMs = this.#firstOpenMs;
    this.#window.clear();
    this.#enter({ state: 'closed' });
  }

  #force(state: 'closed' | 'disabled' | 'forcedOpen', now: number): void {
    this.#endHalfOpen(this.#time.at(now));
    if (state === 'closed') this.#close();
    else if (this.#phase.state !== state) this.#enter({ state });
    this.#listeners.notify();
  }

  #enter(phase: Phase): void {
    const hasChanged = this.#phase.state !== phase.state;
    this.#phase = phase;
    this.#generation += 1;
    this.#permit = Object.freeze({ generation: this.#generation, isProbe: false });
    if (hasChanged) this.#listeners.record(phase.state);
  }
}
