import { MarketWatch } from '../../policies/marketWatch.js';
import { Timer } from '../../primitives/timer.js';
import type { StreamSettings } from '../streamConfig.js';

/** How often the data are checked within `staleAfterMs`. */
const CHECKS = 20;

/** How long the clock is trusted while the market is closed: it may be corrected meanwhile. */
const MAX_SLEEP_MS = 60_000;

/**
 * Whether a connection that is alive carries no data while the market is open. Checks are counted rather than time on the
 * clock: a busy event loop, or a machine that was asleep, is not taken for a silent vendor.
 */
export class SilenceWatch {
  /** Set with each record. */
  isBroken = false;
  readonly #settings: StreamSettings;
  readonly #onSilence: () => void;
  readonly #market: MarketWatch | undefined;
  readonly #timer: Timer;
  #silentChecks = 0;

  constructor(settings: StreamSettings, onSilence: () => void) {
    this.#settings = settings;
    this.#onSilence = onSilence;
    this.#market = settings.calendar && new MarketWatch(settings.calendar, settings.scheduler.now());
    this.#timer = new Timer(settings.scheduler, () => this.#check());
  }

  begin(): void {
    if (this.#settings.staleAfterMs === Number.POSITIVE_INFINITY) return;
    this.#silentChecks = 0;
    this.isBroken = false;
    this.#market?.moveTo(this.#settings.scheduler.now());
    this.#setTimer();
  }

  end(): void {
    this.#timer.cancel();
  }

  #check(): void {
    const marketMoved = this.#market?.moveTo(this.#settings.scheduler.now()) ?? false;
    const isExpected = !marketMoved && this.#market?.isOpen !== false;
    this.#silentChecks = isExpected && !this.isBroken ? this.#silentChecks + 1 : 0;
    this.isBroken = false;
    if (this.#silentChecks < CHECKS) this.#setTimer();
    else this.#onSilence();
  }

  #setTimer(): void {
    const closedForMs = this.#market?.closedForMs() ?? 0;
    if (closedForMs === 0) this.#timer.set(this.#settings.staleAfterMs / CHECKS);
    else if (closedForMs < Number.POSITIVE_INFINITY) this.#timer.set(Math.min(closedForMs, MAX_SLEEP_MS));
  }
}
