import { dateOfDay } from '../../primitives/calendarDate.js';
import { readOptions } from '../../primitives/options.js';
import type { MarketCalendar } from '../marketCalendar.js';
import { dayOf } from './readDates.js';
import { CALENDAR_CHANGES, type CalendarChanges, CLOSED, type Exception, ruleCalendar } from './ruleCalendar.js';
import { isUsHalfDay, usHolidayOn } from './usHolidays.js';

/** What the rules do not know; a session belongs to the day on which it closes. Times are those of Chicago. */
export interface UsFuturesConfig extends CalendarChanges {}

const OWNER = 'usFutures';

/** From 17:00 of the day before: https://www.cmegroup.com/trading-hours.html, times of Chicago. */
const HOURS = { opens: -7 * 60, closes: 16 * 60 };

/** When trading halts on a holiday on which there is any, and closes on the half-days of the stock exchanges. */
const HALT = 12 * 60;
const HALF_DAY = 12 * 60 + 15;

/** Trading on Good Friday, in years in which the US employment report comes on that day. */
const REPORT_CLOSE = 8 * 60 + 15;

/** The national days of mourning on which the stock exchanges were closed: US equity index futures traded until 08:30. */
const MOURNING_CLOSE = 8 * 60 + 30;
const MOURNING = new Set(['2018-12-05', '2025-01-09'].map((date) => dayOf(OWNER, 'earlyCloses', date)));

/**
 * The calendar of US equity index futures on CME Globex: Sunday 17:00 to Friday 16:00 in Chicago, with a break from 16:00 to 17:00 each day.
 * A session belongs to the day on which it closes, so the session of Monday opens on Sunday.
 *
 * Holidays, by the schedules that CME Group publishes (https://www.cmegroup.com/tools-information/holiday-calendar.html):
 * - No session: New Year's Day, Good Friday and Christmas Day, as the stock exchanges observe them.
 * - Until 12:00, and on from 17:00: Martin Luther King, Jr. Day, Washington's Birthday, Memorial Day, Juneteenth, Independence Day,
 *   Labor Day and Thanksgiving Day.
 * - Until 12:15: the half-days of the stock exchanges.
 * - Until 08:15: a Good Friday that is the first Friday of April, because the US employment report comes on that day.
 *
 * Other products keep other hours on holidays: energy and metals halt later, and currencies hardly at all; grains and livestock have
 * sessions of their own on every day. Correct the rules with `earlyCloses`, `closed` and `open`, or describe the sessions with
 * `marketSessions()`. Dates before 2016 are approximate: the day closed at 16:15 until September 2015.
 *
 * Throws a `RangeError` that quotes an option that is wrong.
 *
 * @example
 * ```ts
 * import { usFutures } from 'sluice/policies';
 *
 * const globex = usFutures();
 * globex.isOpen(Date.parse('2026-11-26T19:00:00Z')); // false: Thanksgiving, halted at 12:00
 * const energy = usFutures({ earlyCloses: { '2027-01-18': '13:30' } });
 * ```
 */
export function usFutures(config: UsFuturesConfig = {}): MarketCalendar {
  const options = readOptions(OWNER, config, CALENDAR_CHANGES);
  return ruleCalendar(OWNER, { timeZone: 'America/Chicago', hours: HOURS, exceptionOn }, options);
}

function exceptionOn(day: number): Exception | undefined {
  switch (usHolidayOn(day)) {
    case undefined:
      return MOURNING.has(day) ? MOURNING_CLOSE : isUsHalfDay(day) ? HALF_DAY : undefined;
    case 'Good Friday':
      // It comes between 20 March and 23 April, so in the first week of a month only in that of April.
      return dateOfDay(day).day <= 7 ? REPORT_CLOSE : CLOSED;
    case "New Year's Day":
    case 'Christmas Day':
      return CLOSED;
    default:
      return HALT;
  }
}
