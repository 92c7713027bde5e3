import { MarketWatch } from '../../policies/marketWatch.js';
import { Timer } from '../../primitives/timer.js';
import { ProviderSilent } from '../providerErrors.js';
import type { StreamSettings } from '../streamConfig.js';
import { MIN_STALE_MS, staleAfterOf, type UsualSilence } from '../usualSilence.js';
import type { SeriesTable } from './seriesTable.js';
import type { Turns } from './turns.js';

/** How long the clock is trusted while the market is closed: it may be corrected meanwhile. */
const MAX_SLEEP_MS = 60_000;

/** How often the shortest span is checked. Checks are counted rather than time on the clock, as by `SilentChecks`. */
const CHECKS = 20;

export interface SilenceWatchConfig {
  readonly name: string;
  readonly settings: StreamSettings;
  /** That of the venue, where it has one. */
  readonly usual: UsualSilence | undefined;
  readonly table: SeriesTable;
  readonly turns: Turns;
  readonly onSilence: (error: ProviderSilent) => void;
}

/** Whether a connection that is alive carries no data while the market is open. */
export class SilenceWatch {
  /** Set with each record. */
  isBroken = false;
  readonly #config: SilenceWatchConfig;
  readonly #market: MarketWatch | undefined;
  readonly #timer: Timer;
  /** In whole milliseconds, because timers cut off the rest. */
  readonly #everyMs: number;
  #silentMs = 0;

  constructor(config: SilenceWatchConfig) {
    this.#config = config;
    const { settings, usual, turns } = config;
    const calendar = settings.calendar ?? usual?.calendar;
    this.#market = calendar && new MarketWatch(calendar, settings.scheduler.now());
    this.#timer = new Timer(settings.scheduler, () => turns.run(() => this.#check()));
    // By default the span changes with the set of symbols.
    this.#everyMs = Math.max(1, Math.floor((settings.staleAfterMs ?? MIN_STALE_MS) / CHECKS));
  }

  begin(): void {
    const { settings, usual } = this.#config;
    if (settings.staleAfterMs === Number.POSITIVE_INFINITY || (settings.staleAfterMs === undefined && !usual)) return;
    this.#silentMs = 0;
    this.isBroken = false;
    this.#market?.moveTo(settings.scheduler.now());
    this.#setTimer();
  }

  end(): void {
    this.#timer.cancel();
  }

  #check(): void {
    const { settings, usual, table, name, onSilence } = this.#config;
    const marketMoved = this.#market?.moveTo(settings.scheduler.now()) ?? false;
    const isExpected = !marketMoved && this.#market?.isOpen !== false;
    this.#silentMs = isExpected && !this.isBroken ? this.#silentMs + this.#everyMs : 0;
    this.isBroken = false;
    const spanMs = settings.staleAfterMs ?? staleAfterOf(usual!, table.symbols);
    if (this.#silentMs < spanMs) this.#setTimer();
    else onSilence(new ProviderSilent(name, `the connection carried no data for ${spanMs} ms`));
  }

  #setTimer(): void {
    const closedForMs = this.#market?.closedForMs() ?? 0;
    if (closedForMs === 0) this.#timer.set(this.#everyMs);
    else if (closedForMs < Number.POSITIVE_INFINITY) this.#timer.set(Math.min(closedForMs, MAX_SLEEP_MS));
  }
}
