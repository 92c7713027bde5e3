import type { MarketCalendar } from '../marketCalendar.js';

const ALWAYS: MarketCalendar = {
  isOpen: () => true,
  nextChange: () => Number.POSITIVE_INFINITY,
};

/**
 * The calendar of a market that never closes, as those of crypto currencies.
 *
 * @example
 * ```ts
 * import { alwaysOpen } from 'sluice/policies';
 *
 * alwaysOpen().nextChange(Date.now()); // Infinity
 * ```
 */
export function alwaysOpen(): MarketCalendar {
  return ALWAYS;
}
