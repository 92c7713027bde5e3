import type { MarketCalendar } from '../policies/marketCalendar.js';

/**
 * How quiet the market of a venue may be without anything being wrong. One symbol may be silent for hours, and ten thousand never are: what
 * counts as stale depends on how many a stream has.
 */
export interface UsualSilence {
  /** When data may be expected at all. */
  readonly calendar: MarketCalendar;
  /** How long a stream of one symbol may be silent while the market is open, in milliseconds. That of n symbols may for an n-th of it. */
  readonly oneSymbolMs: number;
  /** By how much the data are late, in milliseconds: they begin that much after the market. Default 0. */
  readonly delayMs?: number;
}

/** The default is never shorter: vendors restart their servers, and markets halt. */
export const MIN_STALE_MS = 5 * 60_000;

/**
 * The default of `staleAfterMs` for a number of symbols, `Infinity` for all of a venue. If each symbol has a record in a tenth of
 * `oneSymbolMs` on average, silence is chance once in e^10, or 22,000, spans of that length.
 */
export function staleAfterOf({ oneSymbolMs, delayMs = 0 }: UsualSilence, symbols: number): number {
  return Math.max(MIN_STALE_MS, Math.ceil(oneSymbolMs / symbols)) + delayMs;
}
