import { Listeners } from '../primitives/listeners.js';
import { MonotonicClock } from '../primitives/monotonicClock.js';
import {
  requireDuration,
  requireInteger,
  requireKnownOptions,
  requireNumber,
  requireOneOf,
} from '../primitives/validate.js';
import { type CallWindow, CountWindow, TimeWindow } from './callWindow.js';

export type BreakerState = 'closed' | 'open' | 'halfOpen' | 'forcedOpen' | 'disabled';

export interface CircuitBreakerConfig {
  /**
   * The calls that it judges by: the last `size` (1 to 1,000,000), or those of the last `ms` milliseconds (1 or more), which
   * are counted in ten buckets, so that a call counts for nine to ten tenths of that. Default the last 5.
   */
  readonly window?:
    | { readonly kind: 'count'; readonly size: number }
    | { readonly kind: 'time'; readonly ms: number }
    | undefined;
  /** It does not open before so many calls are in the window. 1 or more; default `size`, or 5 with a time window. */
  readonly minimumCalls?: number | undefined;
  /** It opens when at least this part of the window failed. Above 0, at most 1, default 1. */
  readonly failureRate?: number | undefined;
  /** A call that took this many milliseconds or longer is slow. 1 or more; default: none is. */
  readonly slowCallMs?: number | undefined;
  /** It opens when at least this part of the window was slow. Above 0, at most 1, default 1; only with `slowCallMs`. */
  readonly slowCallRate?: number | undefined;
  /** How long it stays open before it lets probes through, in milliseconds. 0 or more, default 60,000. */
  readonly openMs?: number | undefined;
  /** How many probes may be under way at once while it is half-open. 1 or more, default 1. */
  readonly halfOpenPermits?: number | undefined;
  /** How many probes in a row must succeed to close it. 1 or more, default 1. One that fails or is slow opens it again. */
  readonly halfOpenSuccesses?: number | undefined;
  /** It opens again when it has been half-open for so many milliseconds. 1 or more; default: it stays half-open. */
  readonly maxHalfOpenMs?: number | undefined;
}

/** Leave for one call. Settle it once, by `succeeded`, `failed` or `release`. */
export interface Permit {
  /** The generation of the breaker that gave it: a new one begins with each change of state. */
  readonly generation: number;
  /** Whether it was given while the breaker was half-open. */
  readonly isProbe: boolean;
}

/** What only one state knows. */
type Phase =
  | { readonly state: 'closed' }
  | { readonly state: 'disabled' }
  | { readonly state: 'forcedOpen' }
  | { readonly state: 'open'; readonly since: number }
  | { readonly state: 'halfOpen'; readonly since: number; readonly out: Set<Permit>; successes: number };

const OPTIONS = [
  'window',
  'minimumCalls',
  'failureRate',
  'slowCallMs',
  'slowCallRate',
  'openMs',
  'halfOpenPermits',
  'halfOpenSuccesses',
  'maxHalfOpenMs',
] as const;

/**
 * Keeps callers from what fails all the time, and finds out when it works again.
 *
 * Closed, it lets every call pass and counts. Once enough of them failed or were slow, it is open and lets none pass for
 * `openMs`. Then it is half-open: the next to ask gets a probe's permit, and no more than `halfOpenPermits` are out at once.
 * Enough successes close it, one failure opens it again. `forceOpen()` keeps it open and `disable()` keeps it out of the
 * way, both until `reset()`.
 *
 * It has no timer: whoever asks, or tells a result, says what time it is. Any clock in milliseconds will do; set back, it
 * makes the breaker wait a little longer. Asking while it is open changes nothing and costs nothing. Each change of state
 * begins a new generation, and results of an older one are ignored: a call that began before the breaker opened cannot
 * close it.
 *
 * While closed all callers share one permit, so that a call allocates nothing; probes have one each, and settling one twice
 * counts once.
 */
export class CircuitBreaker {
  readonly #minimumCalls: number;
  readonly #failureRate: number;
  readonly #slowCallMs: number | undefined;
  readonly #slowCallRate: number;
  readonly #openMs: number;
  readonly #halfOpenPermits: number;
  readonly #halfOpenSuccesses: number;
  readonly #maxHalfOpenMs: number;
  readonly #window: CallWindow;
  readonly #time = new MonotonicClock();
  #phase: Phase = { state: 'closed' };
  #generation = 0;
  /** For all calls of a generation that are not probes. */
  #permit: Permit = Object.freeze({ generation: 0, isProbe: false });
  readonly #listeners = new Listeners<BreakerState>();

  constructor(config: CircuitBreakerConfig = {}, owner = 'CircuitBreaker') {
    requireKnownOptions(owner, config, OPTIONS);
    const { window = { kind: 'count', size: 5 }, slowCallMs, slowCallRate, maxHalfOpenMs } = config;
    const within = `${owner}: window`;
    requireKnownOptions(within, window, ['kind', window?.kind === 'time' ? 'ms' : 'size']);
    if (requireOneOf(within, 'kind', window.kind, ['count', 'time']) === 'time') {
      this.#window = new TimeWindow(requireDuration(within, 'ms', (window as { ms?: unknown }).ms, 1));
      this.#minimumCalls = requireInteger(owner, 'minimumCalls', config.minimumCalls ?? 5);
    } else {
      const size = requireInteger(within, 'size', (window as { size?: unknown }).size, 1, 1_000_000);
      this.#window = new CountWindow(size);
      this.#minimumCalls = requireInteger(owner, 'minimumCalls', config.minimumCalls ?? size, 1, size);
    }
    this.#failureRate = requireRate(owner, 'failureRate', config.failureRate ?? 1);
    if (slowCallRate !== undefined && slowCallMs === undefined) {
      throw new RangeError(`${owner}: slowCallRate, ${slowCallRate}, says nothing without slowCallMs`);
    }
    if (slowCallMs !== undefined) requireDuration(owner, 'slowCallMs', slowCallMs, 1);
    this.#slowCallMs = slowCallMs;
    this.#slowCallRate = requireRate(owner, 'slowCallRate', slowCallRate ?? 1);
    this.#openMs = requireDuration(owner, 'openMs', config.openMs ?? 60_000);
    this.#halfOpenPermits = requireInteger(owner, 'halfOpenPermits', config.halfOpenPermits ?? 1);
    this.#halfOpenSuccesses = requireInteger(owner, 'halfOpenSuccesses', config.halfOpenSuccesses ?? 1);
    this.#maxHalfOpenMs =
      maxHalfOpenMs === undefined
        ? Number.POSITIVE_INFINITY
        : requireDuration(owner, 'maxHalfOpenMs', maxHalfOpenMs, 1);
  }

  /** As it was when it was last asked or told something: that time has passed, only a call can find out. */
  get state(): BreakerState {
    return this.#phase.state;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Leave for a call, or `undefined` if there is none now: {@link readyInMs} says when to ask again. */
  tryAcquire(now: number): Permit | undefined {
    const time = this.#time.at(now);
    const { state } = this.#phase;
    if (state === 'closed' || state === 'disabled') return this.#permit;
    if (state === 'forcedOpen') return undefined;
    const permit = this.#probe(time);
    // Last, since a listener may ask as well: the permit is already out then.
    this.#listeners.tell();
    return permit;
  }

  /**
   * In how many milliseconds to ask again: 0, now; `Infinity`, only a change that {@link onChange} tells will do. Right after
   * `tryAcquire` has given nothing, it is above 0 for the same `now`.
   */
  readyInMs(now: number): number {
    const time = this.#time.at(now);
    const phase = this.#phase;
    if (phase.state === 'closed' || phase.state === 'disabled') return 0;
    if (phase.state === 'forcedOpen') return Number.POSITIVE_INFINITY;
    if (phase.state === 'open') return Math.max(0, phase.since + this.#openMs - time);
    const endsAt = phase.since + this.#maxHalfOpenMs;
    if (endsAt <= time) return Math.max(0, endsAt + this.#openMs - time);
    return phase.out.size < this.#halfOpenPermits ? 0 : endsAt - time;
  }

  /** The call has worked, and took `durationMs`. */
  succeeded(permit: Permit, durationMs: number, now: number): void {
    this.#settle(permit, false, this.#isSlow(durationMs), now);
  }

  /** The call has failed, after `durationMs`. */
  failed(permit: Permit, durationMs: number, now: number): void {
    this.#settle(permit, true, this.#isSlow(durationMs), now);
  }

  /** The call ended without saying anything of what was called: it was never made, or was let go of. */
  release(permit: Permit, now: number): void {
    this.#endHalfOpen(this.#time.at(now));
    if (this.#phase.state === 'halfOpen' && this.#phase.out.delete(permit)) this.#listeners.note('halfOpen');
    this.#listeners.tell();
  }

  /** Lets no call pass until {@link reset}. */
  forceOpen(now: number): void {
    this.#force('forcedOpen', now);
  }

  /** Lets every call pass and judges none, until {@link reset}. */
  disable(now: number): void {
    this.#force('disabled', now);
  }

  /** Closed, with an empty window: calls that are under way are not counted any more. */
  reset(now: number): void {
    this.#force('closed', now);
  }

  /**
   * Calls `listener` at each change of state, and when a probe's permit comes free, until the returned function is called. In
   * the order in which listeners came; a change that a listener makes is told when all have heard the one before. What a
   * listener throws becomes an unhandled rejection, and keeps nobody from hearing.
   */
  onChange(listener: (state: BreakerState) => void): () => void {
    return this.#listeners.add(listener);
  }

  #isSlow(durationMs: number): boolean {
    return this.#slowCallMs !== undefined && durationMs >= this.#slowCallMs;
  }

  #probe(time: number): Permit | undefined {
    this.#endHalfOpen(time);
    let phase = this.#phase;
    if (phase.state === 'open' && phase.since + this.#openMs <= time) {
      phase = { state: 'halfOpen', since: time, out: new Set(), successes: 0 };
      this.#enter(phase);
    }
    if (phase.state !== 'halfOpen' || phase.out.size >= this.#halfOpenPermits) return undefined;
    const permit = Object.freeze({ generation: this.#generation, isProbe: true });
    phase.out.add(permit);
    return permit;
  }

  #settle(permit: Permit, hasFailed: boolean, wasSlow: boolean, now: number): void {
    const time = this.#time.at(now);
    this.#endHalfOpen(time);
    const phase = this.#phase;
    if (phase.state === 'closed') {
      if (permit.generation === this.#generation) this.#judgeCall(hasFailed, wasSlow, time);
    } else if (phase.state === 'halfOpen' && phase.out.delete(permit)) {
      this.#judgeProbe(phase, hasFailed || wasSlow, time);
    }
    this.#listeners.tell();
  }

  #judgeCall(hasFailed: boolean, wasSlow: boolean, time: number): void {
    const window = this.#window;
    window.record(hasFailed, wasSlow, time);
    if (window.calls < this.#minimumCalls) return;
    // Divided, and not multiplied: 7 of 100 are 0.07, while 0.07 × 100 is more than 7.
    const isBad =
      window.failures / window.calls >= this.#failureRate || window.slowCalls / window.calls >= this.#slowCallRate;
    if (isBad) this.#open(time);
  }

  #judgeProbe(phase: Extract<Phase, { state: 'halfOpen' }>, isBad: boolean, time: number): void {
    if (isBad) {
      this.#open(time);
      return;
    }
    phase.successes += 1;
    if (phase.successes >= this.#halfOpenSuccesses) this.#close();
    else this.#listeners.note('halfOpen');
  }

  /** Half-open for too long: it opened when that was over, and not now, when somebody finds out. */
  #endHalfOpen(time: number): void {
    const phase = this.#phase;
    if (phase.state === 'halfOpen' && phase.since + this.#maxHalfOpenMs <= time) {
      this.#open(phase.since + this.#maxHalfOpenMs);
    }
  }

  #open(since: number): void {
    this.#enter({ state: 'open', since });
  }

  #close(): void {
    this.#window.clear();
    this.#enter({ state: 'closed' });
  }

  #force(state: 'closed' | 'disabled' | 'forcedOpen', now: number): void {
    this.#endHalfOpen(this.#time.at(now));
    if (state === 'closed') this.#close();
    else if (this.#phase.state !== state) this.#enter({ state });
    this.#listeners.tell();
  }

  #enter(phase: Phase): void {
    const hasChanged = this.#phase.state !== phase.state;
    this.#phase = phase;
    this.#generation += 1;
    this.#permit = Object.freeze({ generation: this.#generation, isProbe: false });
    if (hasChanged) this.#listeners.note(phase.state);
  }
}

function requireRate(owner: string, option: string, value: unknown): number {
  const rate = requireNumber(owner, option, value, 0, 1);
  if (rate === 0) throw new RangeError(`${owner}: ${option} must be above 0 and at most 1, got 0`);
  return rate;
}
