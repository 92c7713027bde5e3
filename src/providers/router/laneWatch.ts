import { MarketWatch } from '../../policies/marketWatch.js';
import { Timer } from '../../primitives/timer.js';
import { SilentChecks } from '../stream/silentChecks.js';
import type { Turns } from '../stream/turns.js';
import type { RouterSettings } from './routerConfig.js';

/** How long the clock is trusted while the market is closed: it may be corrected meanwhile. */
const MAX_SLEEP_MS = 60_000;

export interface LaneWatchConfig {
  readonly settings: Pick<RouterSettings, 'staleAfterMs' | 'calendar' | 'scheduler'>;
  readonly turns: Turns;
  /** While it says so, silence is no wonder. */
  readonly isPaused: () => boolean;
  readonly onSilence: () => void;
}

/** Whether a provider that is asked sends no record while the market and the gate are open. */
export class LaneWatch {
  /** Set with each record. */
  isBroken = false;
  readonly #config: LaneWatchConfig;
  readonly #market: MarketWatch | undefined;
  readonly #timer: Timer;
  readonly #checks: SilentChecks;

  constructor(config: LaneWatchConfig) {
    const { settings, turns } = config;
    const { scheduler, calendar, staleAfterMs } = settings;
    this.#config = config;
    this.#market = calendar && new MarketWatch(calendar, scheduler.now());
    this.#timer = new Timer(scheduler, () => turns.run(() => this.#check()));
    this.#checks = new SilentChecks(staleAfterMs);
  }

  begin(): void {
    const { staleAfterMs, scheduler } = this.#config.settings;
    if (staleAfterMs === Number.POSITIVE_INFINITY) return;
    this.#checks.reset();
    this.isBroken = false;
    this.#market?.moveTo(scheduler.now());
    this.#setTimer();
  }

  end(): void {
    this.#timer.cancel();
  }

  #check(): void {
    const { settings, isPaused, onSilence } = this.#config;
    const marketMoved = this.#market?.moveTo(settings.scheduler.now()) ?? false;
    const isExpected = !marketMoved && this.#market?.isOpen !== false && !isPaused();
    const isSilent = isExpected && !this.isBroken;
    this.isBroken = false;
    if (this.#checks.isOver(isSilent)) onSilence();
    else this.#setTimer();
  }

  #setTimer(): void {
    const closedForMs = this.#market?.closedForMs() ?? 0;
    if (closedForMs === 0) this.#timer.set(this.#checks.everyMs);
    else if (closedForMs < Number.POSITIVE_INFINITY) this.#timer.set(Math.min(closedForMs, MAX_SLEEP_MS));
  }
}
