import { type OptionsOf, oneOf, readOptions } from '../../primitives/options.js';
import type { MarketCalendar } from '../marketCalendar.js';
import { dayOf } from './readDates.js';
import { CALENDAR_CHANGES, type CalendarChanges, CLOSED, ruleCalendar } from './ruleCalendar.js';
import { isUsHalfDay, usHolidayOn } from './usHolidays.js';

export interface UsEquitiesConfig extends CalendarChanges {
  /**
   * `regular` is 09:30 to 16:00 in New York, and to 13:00 on half-days. `extended` has the early and the late session too: 04:00 to
   * 20:00, and to 17:00 on half-days. Default `regular`.
   */
  readonly hours?: 'regular' | 'extended' | undefined;
}

const OPTIONS = {
  ...CALENDAR_CHANGES,
  hours: oneOf(['regular', 'extended']).default('regular'),
} satisfies OptionsOf<UsEquitiesConfig>;

const OWNER = 'usEquities';

/**
 * Hours on the clocks of New York: https://www.nyse.com/markets/hours-calendars, and https://www.nasdaq.com/stock-market-trading-hours
 * for the extended ones. On half-days the late sessions close at 17:00 (NYSE Group, holiday and early closings calendars).
 */
const HOURS = {
  regular: { opens: 9 * 60 + 30, closes: 16 * 60, halfDay: 13 * 60 },
  extended: { opens: 4 * 60, closes: 20 * 60, halfDay: 17 * 60 },
};

/** Closed by decision rather than by rule: the national days of mourning for the presidents G. H. W. Bush and Carter. */
const SPECIAL_CLOSINGS = new Set(['2018-12-05', '2025-01-09'].map((date) => dayOf(OWNER, 'closed', date)));

/**
 * The calendar of the US stock exchanges, NYSE and Nasdaq, with their holidays and half-days by the rules of NYSE. Daylight saving time is
 * that of New York.
 *
 * - The rules are those of today: Juneteenth from 2022 on, and half-days as they have been since 2013. Dates of earlier years are
 *   approximate.
 * - A closing that nobody could foresee, such as a day of mourning, is known for 2018-12-05 and 2025-01-09. Add others in `closed`.
 * - Options have the regular hours; some of them trade for 15 minutes longer, which is not part of it. Nor is overnight trading.
 *
 * Throws a `RangeError` that quotes an option that is wrong.
 *
 * @example
 * ```ts
 * import { usEquities } from 'sluice/policies';
 *
 * const nyse = usEquities();
 * nyse.isOpen(Date.parse('2026-11-27T17:59:00Z')); // true: the day after Thanksgiving, until 13:00
 * const allDay = usEquities({ hours: 'extended', closed: ['2027-03-01'] });
 * ```
 */
export function usEquities(config: UsEquitiesConfig = {}): MarketCalendar {
  const options = readOptions(OWNER, config, OPTIONS);
  const hours = HOURS[options.hours];
  const exceptionOn = (day: number) => {
    if (usHolidayOn(day) !== undefined || SPECIAL_CLOSINGS.has(day)) return CLOSED;
    return isUsHalfDay(day) ? hours.halfDay : undefined;
  };
  return ruleCalendar(OWNER, { timeZone: 'America/New_York', hours, exceptionOn }, options);
}
