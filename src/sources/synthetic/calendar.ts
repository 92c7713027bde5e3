const DAY_MS = 86_400_000;

/** The last day that is written with four digits of a year. */
const LAST_DAY = Date.UTC(9999, 11, 31) / DAY_MS;

/** A day of the calendar as `2024-06-21`, by how many days it is after the first of 1970. */
export function dateOf(day: number): string {
  if (day > LAST_DAY) {
    throw new RangeError(
      'syntheticEvents: the calendar has come to the year 10000: take more symbols or a shorter timeframe',
    );
  }
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** The last day of a month; `month` may be beyond 11, and then is of a later year. */
export function endOfMonth(year: number, month: number): number {
  return Date.UTC(year, month + 1, 0) / DAY_MS;
}
