import { DAY_MS } from '../../primitives/calendarDate.js';

/** The last day whose year has four digits. */
const LAST_DAY = Date.UTC(9999, 11, 31) / DAY_MS;

/** The date, such as `2024-06-21`, that is `day` days after 1970-01-01. */
export function dateOf(day: number): string {
  if (day > LAST_DAY) {
    throw new RangeError(
      'syntheticEvents: the dates have reached the year 10000: use more symbols or a shorter timeframe',
    );
  }
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** The last day of a month, as days after 1970-01-01. A `month` beyond 11 belongs to a later year. */
export function endOfMonth(year: number, month: number): number {
  return Date.UTC(year, month + 1, 0) / DAY_MS;
}
