import { isDate } from '../../primitives/calendarDate.js';

/**
 * Whether digits that are not read as a date are one all the same, `YYMMDD`, `YYYYMM` or `YYYYMMDDHH`: counted as milliseconds
 * they would be moments of January 1970.
 */
export function isOtherDate(digits: string, minYear: number, maxYear: number): boolean {
  const [, year, month, day = '01', hour = '00'] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)$/.exec(digits) ?? /^(\d{4})(\d\d)$/.exec(digits) ?? [];
  if (year !== undefined && Number(year) >= minYear && Number(year) <= maxYear && Number(hour) < 24) {
    if (isDate(Number(year), Number(month), Number(day))) return true;
  }
  const [, inCentury, monthOf, dayOf] = /^(\d\d)(\d\d)(\d\d)$/.exec(digits) ?? [];
  return inCentury !== undefined && isDate(2000 + Number(inCentury), Number(monthOf), Number(dayOf));
}

/** Whether a count has the digits of `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`. */
export function looksLikeDate(count: number, minYear: number, maxYear: number): boolean {
  for (const unit of [1, 1e4, 1e6]) {
    const date = Math.floor(count / unit);
    const year = Math.floor(date / 1e4);
    if (!(year >= Math.max(minYear, 1000) && year <= maxYear)) continue;
    const [month, day] = [Math.floor(date / 100) % 100, date % 100];
    if (month < 1 || month > 12 || day < 1 || day > 31) continue;
    const time = Math.floor(count % unit);
    if (unit === 1 || (unit === 1e4 ? time : Math.floor(time / 100)) < 2400) return true;
  }
  return false;
}
