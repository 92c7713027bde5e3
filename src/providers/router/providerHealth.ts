import type { CircuitBreaker, Permit } from '../../policies/circuitBreaker.js';

/**
 * What a provider is as one of several: `fresh`, not asked and with nothing against it; `trying`, asked, and not heard yet; `live`;
 * `resting`, its breaker is open; `proving`, asked again after that, and not heard yet; `ended`, for good.
 */
export type ProviderPhase = 'fresh' | 'trying' | 'live' | 'resting' | 'proving' | 'ended';

/** Why a provider is not well. */
export type Ailment = 'silent' | 'failing' | 'ended';

/** How well the stream of one provider does: its failures go to a breaker, and being well must last to count. No clock of its own. */
export class ProviderHealth {
  readonly #breaker: CircuitBreaker;
  readonly #steadyMs: number;
  #permit: Permit | undefined;
  #phase: ProviderPhase = 'fresh';
  #liveSince = Number.POSITIVE_INFINITY;
  #hasFailed = false;
  /** It was silent: that it is connected proves nothing until a record comes. */
  #mustSpeak = false;
  #ailment: Ailment | undefined;

  /** It counts as well again once it has been live for `steadyMs` milliseconds without interruption. */
  constructor(breaker: CircuitBreaker, steadyMs: number) {
    this.#breaker = breaker;
    this.#steadyMs = steadyMs;
  }

  get phase(): ProviderPhase {
    return this.#phase;
  }

  /** Since when it is live without interruption; `Infinity` while it is not. */
  get liveSince(): number {
    return this.#liveSince;
  }

  /** Why it was left last. */
  get ailment(): Ailment | undefined {
    return this.#ailment;
  }

  get isOver(): boolean {
    return this.#phase === 'ended';
  }

  /** Whether it is asked for data now. */
  get isAsked(): boolean {
    return this.#phase === 'trying' || this.#phase === 'live' || this.#phase === 'proving';
  }

  /** Whether it may be asked now; if so, it counts as asked. */
  begin(now: number): boolean {
    if (this.isAsked || this.isOver) return false;
    this.#permit = this.#breaker.tryAcquire(now);
    if (!this.#permit) return false;
    this.#phase = this.#permit.isProbe || this.#mustSpeak ? 'proving' : 'trying';
    return true;
  }

  /** In how many milliseconds it may be asked. */
  readyInMs(now: number): number {
    return this.#breaker.readyInMs(now);
  }

  /** It is connected, or, where `hasSpoken`, a record has come. Whether that has changed anything. */
  live(hasSpoken: boolean, now: number): boolean {
    if (!this.isAsked || this.#phase === 'live') return false;
    if (this.#mustSpeak && !hasSpoken) return false;
    this.#mustSpeak = false;
    this.#phase = 'live';
    this.#liveSince = now;
    return true;
  }

  /** A connection was lost, or could not be made. */
  lost(now: number): void {
    if (!this.isAsked) return;
    this.#liveSince = Number.POSITIVE_INFINITY;
    this.#hasFailed = true;
    this.#breaker.failed(this.#permit!, 0, now);
    if (this.#breaker.state === 'open') this.#rest('failing');
    else if (this.#phase === 'live') this.#phase = 'trying';
  }

  /** No record has come for too long. */
  silent(now: number): void {
    if (!this.isAsked) return;
    this.#hasFailed = true;
    this.#mustSpeak = true;
    this.#breaker.trip(this.#permit!, now);
    this.#rest('silent');
  }

  /** It will never come back. */
  end(): void {
    this.#phase = 'ended';
    this.#ailment = 'ended';
    this.#liveSince = Number.POSITIVE_INFINITY;
  }

  /** It is no longer asked, and nothing is known against it beyond what was. */
  release(now: number): void {
    if (!this.isAsked) return;
    this.#breaker.release(this.#permit!, now);
    this.#permit = undefined;
    this.#phase = this.#breaker.state === 'closed' ? 'fresh' : 'resting';
    this.#liveSince = Number.POSITIVE_INFINITY;
  }

  /** Time has passed: what has been live for long enough has nothing against it any more. */
  moveTo(now: number): void {
    if (this.#phase !== 'live' || !this.#hasFailed || now < this.steadyAt) return;
    this.#hasFailed = false;
    this.#breaker.succeeded(this.#permit!, 0, now);
    // A new generation of the breaker has begun if that has closed it.
    this.#permit = this.#breaker.tryAcquire(now) ?? this.#permit;
  }

  /** Since when it has been live for long enough, or when it will have been. */
  get steadyAt(): number {
    return this.#liveSince + this.#steadyMs;
  }

  /** When {@link moveTo} changes something; `Infinity` for never. */
  get wakeAt(): number {
    return this.#phase === 'live' && this.#hasFailed ? this.steadyAt : Number.POSITIVE_INFINITY;
  }

  #rest(ailment: Ailment): void {
    this.#phase = 'resting';
    this.#ailment = ailment;
    this.#permit = undefined;
    this.#liveSince = Number.POSITIVE_INFINITY;
  }
}
