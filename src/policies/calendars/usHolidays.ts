import { dateOfDay, weekdayOf } from '../../primitives/calendarDate.js';
import {
  dayOfDate,
  FRIDAY,
  goodFriday,
  lastWeekday,
  MONDAY,
  nearestWeekday,
  nthWeekday,
  THURSDAY,
} from './dateRules.js';

export type UsHoliday =
  | "New Year's Day"
  | 'Martin Luther King, Jr. Day'
  | "Washington's Birthday"
  | 'Good Friday'
  | 'Memorial Day'
  | 'Juneteenth'
  | 'Independence Day'
  | 'Labor Day'
  | 'Thanksgiving Day'
  | 'Christmas Day';

interface UsYear {
  readonly holidays: ReadonlyMap<number, UsHoliday>;
  readonly halfDays: ReadonlySet<number>;
}

/** The first year in which the exchanges observed it (https://www.thecorporatecounsel.net/blog/2021/10/nyse-makes-juneteenth-a-new-market-holiday.html). */
const FIRST_JUNETEENTH = 2022;

const MAX_CACHED_YEARS = 64;
const years = new Map<number, UsYear>();

/** The holiday of the US exchanges that is observed on a day, which is counted from 1970-01-01. */
export function usHolidayOn(day: number): UsHoliday | undefined {
  return usYearOf(day).holidays.get(day);
}

/** Whether the US stock exchanges close at 13:00 on a day, by rule. */
export function isUsHalfDay(day: number): boolean {
  return usYearOf(day).halfDays.has(day);
}

function usYearOf(day: number): UsYear {
  const { year } = dateOfDay(day);
  let known = years.get(year);
  if (!known) {
    known = usYear(year);
    if (years.size >= MAX_CACHED_YEARS) years.clear();
    years.set(year, known);
  }
  return known;
}

/**
 * The ten holidays of NYSE Rule 7.2, and the early closes that NYSE announces with them. A holiday on a Saturday is observed on the
 * Friday before, and one on a Sunday on the Monday after; but New Year's Day on a Saturday is not observed, because its Friday ends
 * the year (https://www.nyse.com/markets/hours-calendars).
 */
function usYear(year: number): UsYear {
  const newYear = dayOfDate(year, 1, 1);
  const independence = dayOfDate(year, 7, 4);
  const christmas = dayOfDate(year, 12, 25);
  const thanksgiving = nthWeekday(year, 11, THURSDAY, 4);
  const holidays = new Map<number, UsHoliday>([
    [nthWeekday(year, 1, MONDAY, 3), 'Martin Luther King, Jr. Day'],
    [nthWeekday(year, 2, MONDAY, 3), "Washington's Birthday"],
    [goodFriday(year), 'Good Friday'],
    [lastWeekday(year, 5, MONDAY), 'Memorial Day'],
    [nearestWeekday(independence), 'Independence Day'],
    [nthWeekday(year, 9, MONDAY, 1), 'Labor Day'],
    [thanksgiving, 'Thanksgiving Day'],
    [nearestWeekday(christmas), 'Christmas Day'],
  ]);
  const newYearObserved = nearestWeekday(newYear);
  if (newYearObserved >= newYear) holidays.set(newYearObserved, "New Year's Day");
  if (year >= FIRST_JUNETEENTH) holidays.set(nearestWeekday(dayOfDate(year, 6, 19)), 'Juneteenth');

  const halfDays = new Set([thanksgiving + 1]);
  // The eve of a holiday is short only if it is a weekday, and the holiday is observed on its own date.
  for (const eve of [independence - 1, christmas - 1]) {
    if (weekdayOf(eve) < FRIDAY) halfDays.add(eve);
  }
  return { holidays, halfDays };
}
