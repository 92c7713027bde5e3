import { epochDay } from '../../../primitives/calendarDate.js';
import { checked, type Option } from '../../../primitives/options.js';

/** Whether a value is a date of the calendar, as `2026-03-31`. */
export function isCalendarDate(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(epochDay(value));
}

/** An option that is a date. */
export function calendarDate(): Option<string> {
  return checked('a date of the calendar as YYYY-MM-DD', isCalendarDate);
}
