import { MarketWatch } from '../../policies/marketWatch.js';
import { Timer } from '../../primitives/timer.js';
import type { StreamSettings } from '../streamConfig.js';
import { SilentChecks } from './silentChecks.js';
import type { Turns } from './turns.js';

/** How long the clock is trusted while the market is closed: it may be corrected meanwhile. */
const MAX_SLEEP_MS = 60_000;

/** Whether a connection that is alive carries no data while the market is open. */
export class SilenceWatch {
  /** Set with each record. */
  isBroken = false;
  readonly #settings: StreamSettings;
  readonly #onSilence: () => void;
  readonly #market: MarketWatch | undefined;
  readonly #timer: Timer;
  readonly #checks: SilentChecks;

  constructor(settings: StreamSettings, turns: Turns, onSilence: () => void) {
    this.#settings = settings;
    this.#onSilence = onSilence;
    this.#market = settings.calendar && new MarketWatch(settings.calendar, settings.scheduler.now());
    this.#timer = new Timer(settings.scheduler, () => turns.run(() => this.#check()));
    this.#checks = new SilentChecks(settings.staleAfterMs);
  }

  begin(): void {
    if (this.#settings.staleAfterMs === Number.POSITIVE_INFINITY) return;
    this.#checks.reset();
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
    const isSilent = isExpected && !this.isBroken;
    this.isBroken = false;
    if (this.#checks.isOver(isSilent)) this.#onSilence();
    else this.#setTimer();
  }

  #setTimer(): void {
    const closedForMs = this.#market?.closedForMs() ?? 0;
    if (closedForMs === 0) this.#timer.set(this.#checks.everyMs);
    else if (closedForMs < Number.POSITIVE_INFINITY) this.#timer.set(Math.min(closedForMs, MAX_SLEEP_MS));
  }
}
