import { dateOfDay } from '../../primitives/calendarDate.js';
import { readOptions } from '../../primitives/options.js';
import type { MarketCalendar } from '../marketCalendar.js';
import { CALENDAR_CHANGES, type CalendarChanges, CLOSED, ruleCalendar } from './ruleCalendar.js';

/** What the rules do not know; a day begins at 17:00 of the day before. Times are those of New York. */
export interface FxWeekConfig extends CalendarChanges {}

const OWNER = 'fxWeek';

/** The day of currencies ends at 17:00 in New York, and the next one begins. */
const HOURS = { opens: -7 * 60, closes: 17 * 60 };

/**
 * The week of the spot currency market: Sunday 17:00 to Friday 17:00 in New York, without a break. A day begins at 17:00 of the day before.
 *
 * The market has no exchange, and no holidays but those that its venues agree on: on New Year's Day and Christmas Day, when they are
 * weekdays, there is no session (https://www.cboe.com/about/hours/fx/). Where a venue trades on them, name them in `open`.
 *
 * Throws a `RangeError` that quotes an option that is wrong.
 *
 * @example
 * ```ts
 * import { fxWeek } from 'sluice/policies';
 *
 * const currencies = fxWeek();
 * currencies.isOpen(Date.parse('2026-11-29T22:00:00Z')); // true: Sunday, 17:00 in New York
 * ```
 */
export function fxWeek(config: FxWeekConfig = {}): MarketCalendar {
  const options = readOptions(OWNER, config, CALENDAR_CHANGES);
  return ruleCalendar(OWNER, { timeZone: 'America/New_York', hours: HOURS, exceptionOn }, options);
}

function exceptionOn(day: number): typeof CLOSED | undefined {
  const { month, day: dayOfMonth } = dateOfDay(day);
  return (month === 1 && dayOfMonth === 1) || (month === 12 && dayOfMonth === 25) ? CLOSED : undefined;
}
