import { DAY_MS, weekdayOf } from '../../primitives/calendarDate.js';

/** 1 Monday to 7 Sunday. */
export const MONDAY = 1;
export const THURSDAY = 4;
export const FRIDAY = 5;
const SATURDAY = 6;
const SUNDAY = 7;

/** Days from 1970-01-01. The month is 1 to 12. */
export function dayOfDate(year: number, month: number, day: number): number {
  return Date.UTC(year, month - 1, day) / DAY_MS;
}

/** The first (1) to fourth (4) of a weekday in a month. */
export function nthWeekday(year: number, month: number, weekday: number, nth: number): number {
  const first = dayOfDate(year, month, 1);
  return first + ((weekday - weekdayOf(first) + 7) % 7) + (nth - 1) * 7;
}

export function lastWeekday(year: number, month: number, weekday: number): number {
  const last = dayOfDate(year, month + 1, 1) - 1;
  return last - ((weekdayOf(last) - weekday + 7) % 7);
}

/** A day on a weekend is observed on the nearest weekday: one on a Saturday on Friday, one on a Sunday on Monday. */
export function nearestWeekday(day: number): number {
  const weekday = weekdayOf(day);
  return weekday === SATURDAY ? day - 1 : weekday === SUNDAY ? day + 1 : day;
}

/** Good Friday: two days before Easter Sunday by the Gregorian rule (J. Meeus, Astronomical Algorithms, chapter 8). */
export function goodFriday(year: number): number {
  const golden = year % 19;
  const century = Math.floor(year / 100);
  const inCentury = year % 100;
  const drift = Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3);
  const moon = (19 * golden + century - Math.floor(century / 4) - drift + 15) % 30;
  const toSunday = (32 + 2 * (century % 4) + 2 * Math.floor(inCentury / 4) - moon - (inCentury % 4)) % 7;
  const late = Math.floor((golden + 11 * moon + 22 * toSunday) / 451);
  const sum = moon + toSunday - 7 * late + 114;
  return dayOfDate(year, Math.floor(sum / 31), (sum % 31) + 1) - 2;
}
