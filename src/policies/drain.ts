/**
 * How a pipeline ends in an orderly way. Each phase is entered at most once, and always in this order:
 *
 * - `running`: the end was not requested.
 * - `draining`: sources have stopped, and what is held is being written.
 * - `expired`: the time for writing is over. Writers with dead letters give up, and what is left goes there.
 * - `ended`: the pipeline is over, or its time is and it is torn down.
 */
export type DrainPhase = 'running' | 'draining' | 'expired' | 'ended';

export interface DrainTiming {
  /** How long a drain may take, in milliseconds; `Infinity` where another drain keeps the deadline. */
  readonly timeoutMs: number;
  /** When in that time it expires. Default: one second before the end, or half-way where that is later. */
  readonly expireAfterMs?: number;
}

/** What a call has changed, for the shell that runs the timer and tells the pipeline. */
export interface DrainStep {
  /** The phases that were entered, in order. */
  readonly entered: readonly DrainPhase[];
  /** How long from now until `elapsed()` is due; `undefined`: as before. A span, because a clock can be set. */
  readonly timerMs?: number;
}

/** The end of a drain that belongs to the dead letters, in milliseconds: this long, but no more than half of the drain. */
export const MAX_EXPIRED_MS = 1_000;

/** Requests within this time of one that counted are the same: a runner passes on the Ctrl-C that its child gets as well. */
export const SAME_REQUEST_MS = 500;

/** What a request to stop came to: the first one drains, the second hurries that up, the third ends it. */
export type RequestEffect = 'drain' | 'hurry' | 'end' | 'none';

const NOTHING: DrainStep = { entered: [] };

/** The state of one drain. It has no clock and no timer: `now` is any time in milliseconds that does not go back. */
export class Drain {
  readonly #timing: Required<DrainTiming>;
  #phase: DrainPhase = 'running';
  #failure: { readonly error: unknown } | undefined;
  #requests = 0;
  #requestedAt = Number.NEGATIVE_INFINITY;
  #endsAt = Number.POSITIVE_INFINITY;
  #afterExpiryMs = Number.POSITIVE_INFINITY;

  constructor(timing: DrainTiming) {
    this.#timing = { expireAfterMs: defaultExpiry(timing.timeoutMs), ...timing };
  }

  get phase(): DrainPhase {
    return this.#phase;
  }

  /** The first error that the pipeline cannot go on after. Later ones do not replace it. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Whether the end was requested, rather than caused by a failure alone. */
  get isRequested(): boolean {
    return this.#requests > 0;
  }

  /** What {@link request} would do. */
  effectOf(now: number): RequestEffect {
    if (this.#phase === 'ended' || now - this.#requestedAt < SAME_REQUEST_MS) return 'none';
    return this.#requests === 0 ? 'drain' : this.#requests === 1 ? 'hurry' : 'end';
  }

  /**
   * Requests the end. The second request ends the writing: the drain expires, and what is left of its time, at most one second,
   * belongs to the dead letters. The third ends everything. Requests that arrive together are one.
   */
  request(now: number): DrainStep {
    const effect = this.effectOf(now);
    if (effect === 'none') return NOTHING;
    this.#requests += 1;
    this.#requestedAt = now;
    if (effect === 'drain') return this.#begin(now);
    return effect === 'hurry' ? this.#expire(now) : this.end();
  }

  /** The pipeline cannot go on: it drains, and then ends with this error. */
  fail(error: unknown, now: number): DrainStep {
    if (this.#failure || this.#phase === 'ended') return NOTHING;
    this.#failure = { error };
    return this.#begin(now);
  }

  /** The timer of the last step that had one has fired. */
  elapsed(): DrainStep {
    if (this.#phase === 'expired') return this.end();
    if (this.#phase !== 'draining') return NOTHING;
    this.#phase = 'expired';
    return { entered: ['expired'], timerMs: this.#afterExpiryMs };
  }

  /** Leaves what remains of the time to the dead letters, and no more of it than is theirs. */
  #expire(now: number): DrainStep {
    const isExpired = this.#phase === 'expired';
    const leftMs = this.#endsAt - now;
    if (isExpired && leftMs <= MAX_EXPIRED_MS) return NOTHING;
    const timerMs = Math.max(0, Math.min(MAX_EXPIRED_MS, leftMs));
    this.#phase = 'expired';
    return { entered: isExpired ? [] : ['expired'], timerMs };
  }

  /** The pipeline is over. */
  end(): DrainStep {
    if (this.#phase === 'ended') return NOTHING;
    this.#phase = 'ended';
    return { entered: ['ended'] };
  }

  /** Begins the drain, unless it has begun: nothing prolongs it. */
  #begin(now: number): DrainStep {
    if (this.#phase !== 'running') return NOTHING;
    const { timeoutMs, expireAfterMs } = this.#timing;
    this.#endsAt = now + timeoutMs;
    this.#afterExpiryMs = timeoutMs - expireAfterMs;
    if (expireAfterMs > 0) {
      this.#phase = 'draining';
      return { entered: ['draining'], timerMs: expireAfterMs };
    }
    this.#phase = 'expired';
    return { entered: ['draining', 'expired'], timerMs: timeoutMs };
  }
}

function defaultExpiry(timeoutMs: number): number {
  return timeoutMs - Math.min(MAX_EXPIRED_MS, timeoutMs / 2);
}
