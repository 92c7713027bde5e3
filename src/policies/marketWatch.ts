import type { MarketCalendar } from './marketCalendar.js';

/** The state of a market at the time that it was last moved to. The calendar is asked once per change rather than per check. */
export class MarketWatch {
  readonly #calendar: MarketCalendar;
  #at: number;
  #changesAt = Number.NEGATIVE_INFINITY;
  isOpen = false;

  constructor(calendar: MarketCalendar, at: number) {
    this.#calendar = calendar;
    this.#at = at;
    this.moveTo(at);
  }

  /** Whether the state has changed on the way, even twice. */
  moveTo(at: number): boolean {
    const isKnown = at >= this.#at && at < this.#changesAt;
    this.#at = at;
    if (isKnown) return false;
    this.isOpen = this.#calendar.isOpen(at);
    this.#changesAt = this.#calendar.nextChange(at);
    return true;
  }

  /** 0 while it is open. */
  closedForMs(): number {
    return this.isOpen ? 0 : Math.max(1, this.#changesAt - this.#at);
  }
}
