import { epochDay } from '../../primitives/calendarDate.js';
import { reject } from '../../primitives/options.js';

/** Minutes after midnight, of a time as `HH:MM`. */
export function minuteOf(owner: string, option: string, time: unknown): number {
  const parts = typeof time === 'string' && /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time);
  if (!parts) reject(owner, option, 'a time from "00:00" to "23:59"', time);
  return Number(parts[1]) * 60 + Number(parts[2]);
}

/** Days from 1970-01-01, of a date as `YYYY-MM-DD`. */
export function dayOf(owner: string, option: string, date: unknown): number {
  const day = typeof date === 'string' ? epochDay(date) : Number.NaN;
  return Number.isNaN(day) ? reject(owner, option, 'dates such as "2026-12-25"', date) : day;
}
