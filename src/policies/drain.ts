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

/** What a second request leaves of the time, in milliseconds. */
const HURRY_MS = 1_000;

/** The end of a drain that belongs to the dead letters: this long, but no more than half of it. */
export const MAX_EXPIRED_MS = 1_000;

const NOTHING: DrainStep = { entered: [] };

/** The state of one drain. It has no clock and no timer: `now` is any time in milliseconds that does not go back. */
export class Drain {
  readonly #timing: Required<DrainTiming>;
  #phase: DrainPhase = 'running';
  #failure: { readonly error: unknown } | undefined;
  #requests = 0;
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

  /** Requests the end. The second request leaves at most one second, the third none. */
  request(now: number): DrainStep {
    this.#requests += 1;
    if (this.#requests === 1) return this.#within(this.#timing, now);
    if (this.#requests === 2) return this.#within({ timeoutMs: HURRY_MS, expireAfterMs: defaultExpiry(HURRY_MS) }, now);
    return this.end();
  }

  /** The pipeline cannot go on: it drains, and then ends with this error. */
  fail(error: unknown, now: number): DrainStep {
    if (this.#failure || this.#phase === 'ended') return NOTHING;
    this.#failure = { error };
    return this.#within(this.#timing, now);
  }

  /** The timer of the last step that had one has fired. */
  elapsed(): DrainStep {
    if (this.#phase === 'expired') return this.end();
    if (this.#phase !== 'draining') return NOTHING;
    this.#phase = 'expired';
    return { entered: ['expired'], timerMs: this.#afterExpiryMs };
  }

  /** The pipeline is over. */
  end(): DrainStep {
    if (this.#phase === 'ended') return NOTHING;
    this.#phase = 'ended';
    return { entered: ['ended'] };
  }

  /** Begins a drain, or shortens the one that is going on; it is never prolonged. */
  #within({ timeoutMs, expireAfterMs }: Required<DrainTiming>, now: number): DrainStep {
    const isFirst = this.#phase === 'running';
    const endsAt = now + timeoutMs;
    if (!isFirst && (this.#phase === 'ended' || endsAt >= this.#endsAt)) return NOTHING;
    this.#endsAt = endsAt;
    this.#afterExpiryMs = timeoutMs - expireAfterMs;
    if (this.#phase === 'expired') return { entered: [], timerMs: timeoutMs };
    this.#phase = expireAfterMs > 0 ? 'draining' : 'expired';
    const entered: DrainPhase[] = isFirst ? ['draining'] : [];
    if (this.#phase === 'expired') entered.push('expired');
    return { entered, timerMs: expireAfterMs > 0 ? expireAfterMs : timeoutMs };
  }
}

function defaultExpiry(timeoutMs: number): number {
  return timeoutMs - Math.min(MAX_EXPIRED_MS, timeoutMs / 2);
}
