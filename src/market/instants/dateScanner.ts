import { isBlank } from '../../primitives/blanks.js';
import { isDate } from '../../primitives/calendarDate.js';
import type { DateOrder } from './dateOrder.js';
import { monthNamed } from './monthNames.js';
import type { InstantFault } from './refusal.js';
import { COMMA, HYPHEN, isLetter, POINT, SLASH, type TextCursor } from './textCursor.js';

/** Reads the date with which a text begins. */
export class DateScanner {
  year = 0;
  /** Counted from 1970-01-01. */
  day = 0;
  /** How the date was written, because that decides what may stand between it and a time of day. */
  style: 'separated' | 'compact' | 'named' = 'separated';
  fault: InstantFault = 'text';

  readonly #cursor: TextCursor;

  constructor(cursor: TextCursor) {
    this.#cursor = cursor;
  }

  /** Whether there is one. Of more than eight digits, the first eight are the date. */
  read(order: DateOrder | undefined): boolean {
    const cursor = this.#cursor;
    const start = cursor.at;
    this.fault = 'text';
    this.style = 'separated';
    switch (cursor.digits()) {
      case 0:
        return this.#readMonthFirst();
      case 1:
      case 2:
        return this.#readYearLast(cursor.value, order);
      case 4:
        return this.#readYearFirst(cursor.value);
      case 8:
      case 12:
      case 14:
      case 17:
        this.style = 'compact';
        return this.#set(cursor.number(start, 4), cursor.number(start + 4, 2), cursor.number(start + 6, 2));
      default:
        return false;
    }
  }

  /** `2024-01-02`, `2024.1.2`, `2024/01/02`, `2024-Jan-02`. */
  #readYearFirst(year: number): boolean {
    const cursor = this.#cursor;
    const separator = cursor.code();
    const isSeparated = isSeparator(separator);
    if (!isSeparated && !isBlank(separator)) return false;
    cursor.at++;
    const month = isLetter(cursor.code()) ? this.#monthName() : isSeparated ? this.#upToTwoDigits() : Number.NaN;
    if (Number.isNaN(month) || cursor.code() !== separator) return false;
    cursor.at++;
    const day = this.#upToTwoDigits();
    return !Number.isNaN(day) && this.#set(year, month, day);
  }

  /** `02.01.2024`, `01/02/2024`, in the order that the caller states, or `02-Jan-2024`, in which it is plain. */
  #readYearLast(first: number, order: DateOrder | undefined): boolean {
    const cursor = this.#cursor;
    const separator = cursor.code();
    if (isBlank(separator)) cursor.skipBlanks();
    else if (isSeparator(separator)) cursor.at++;
    if (isLetter(cursor.code())) return this.#readNameAndYear(first);
    if (!isSeparator(separator)) return false;

    const second = this.#upToTwoDigits();
    if (Number.isNaN(second) || cursor.code() !== separator) return false;
    cursor.at++;
    const year = this.#yearOfFourDigits();
    if (Number.isNaN(year)) return false;
    if (order === 'DMY') return this.#set(year, second, first);
    if (order === 'MDY') return this.#set(year, first, second);
    this.fault = 'dateOrder';
    return false;
  }

  /** What follows the day in `02-Jan-2024`. */
  #readNameAndYear(day: number): boolean {
    const month = this.#monthName();
    if (Number.isNaN(month)) return false;
    this.#skipGap();
    return this.#readYearOfName(month, day);
  }

  /** `Jan 02, 2024`, `January 2, 2024`, `Jan-02-2024`. */
  #readMonthFirst(): boolean {
    const cursor = this.#cursor;
    const month = this.#monthName();
    if (Number.isNaN(month)) return false;
    this.#skipGap();
    const day = this.#upToTwoDigits();
    if (Number.isNaN(day)) return false;
    const { at } = cursor;
    this.#skipGap();
    return cursor.at > at && this.#readYearOfName(month, day);
  }

  #readYearOfName(month: number, day: number): boolean {
    this.style = 'named';
    const year = this.#yearOfFourDigits();
    return !Number.isNaN(year) && this.#set(year, month, day);
  }

  #set(year: number, month: number, day: number): boolean {
    this.year = year;
    if (!isDate(year, month, day)) {
      this.fault = year < 100 ? 'year' : 'calendar';
      return false;
    }
    this.day = epochDayOf(year, month, day);
    return true;
  }

  #upToTwoDigits(): number {
    const length = this.#cursor.digits();
    return length === 1 || length === 2 ? this.#cursor.value : Number.NaN;
  }

  #yearOfFourDigits(): number {
    const length = this.#cursor.digits();
    if (length === 4) return this.#cursor.value;
    if (length === 2) this.fault = 'twoDigitYear';
    return Number.NaN;
  }

  /** 1 to 12; `NaN` if the letters are no English name of a month. */
  #monthName(): number {
    const cursor = this.#cursor;
    const start = cursor.at;
    cursor.skipLetters();
    const length = cursor.at - start;
    return length < 3 || length > 9 ? Number.NaN : monthNamed(cursor.slice(start, cursor.at));
  }

  /** Between the parts of a date with the name of its month: blanks, and perhaps a mark. */
  #skipGap(): void {
    const cursor = this.#cursor;
    cursor.skipBlanks();
    if (isSeparator(cursor.code()) || cursor.code() === COMMA) cursor.at++;
    cursor.skipBlanks();
  }
}

function isSeparator(code: number): boolean {
  return code === HYPHEN || code === SLASH || code === POINT;
}

/** The day of a date that is one, counted from 1970-01-01: years begin with March, so that a leap day is the last of its year. */
function epochDayOf(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const leapDays = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400);
  return shifted * 365 + leapDays + dayOfYear - 719_468;
}
