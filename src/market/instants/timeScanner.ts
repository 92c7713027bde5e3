import { DAY_MS } from '../../primitives/calendarDate.js';
import type { InstantFault } from './refusal.js';
import { COLON, COMMA, isLetter, POINT, type TextCursor } from './textCursor.js';

/** Reads a time of day. */
export class TimeScanner {
  /** In milliseconds, up to a whole day for 24:00. */
  ms = 0;
  /** Beyond the second, from 0 to 1,000,000. */
  micros = 0;
  fault: InstantFault = 'text';

  readonly #cursor: TextCursor;
  /** Whether a time such as `93000` was read: whoever wrote it leaves out zeros in front. */
  #isUnpadded = false;

  constructor(cursor: TextCursor) {
    this.#cursor = cursor;
  }

  clear(): void {
    this.ms = 0;
    this.micros = 0;
  }

  /** `9:30`, `09:30:00.25`, `9:30:00 PM`, `093000`, `93000`, `0930`. */
  read(): boolean {
    const cursor = this.#cursor;
    this.clear();
    this.fault = 'text';
    const length = cursor.digits();
    const hour = cursor.value;
    if (length > 2) return this.#readDigits(length, hour);
    if (length === 0 || cursor.code() !== COLON) return false;
    cursor.at++;
    if (cursor.digits() !== 2) return false;
    const minute = cursor.value;
    let second = 0;
    if (cursor.code() === COLON) {
      cursor.at++;
      if (cursor.digits() !== 2) return false;
      second = cursor.value;
      if (!this.#readFraction()) return false;
    }
    const half = this.#readHalfOfDay();
    if (half < 0) return this.#set(hour, minute, second);
    return hour >= 1 && hour <= 12 ? this.#set((hour % 12) + half * 12, minute, second) : this.#refuse('timeOfDay');
  }

  /** What follows the date in `YYYYMMDDHHMM`, `YYYYMMDDHHMMSS` and `YYYYMMDDHHMMSSmmm`, the digits of which were read. */
  readAfterDate(start: number, length: number): boolean {
    const cursor = this.#cursor;
    this.clear();
    this.fault = 'text';
    if (length === 17) this.micros = cursor.number(start + 14, 3) * 1_000;
    else if (length === 14 && !this.#readFraction()) return false;
    const second = length === 12 ? 0 : cursor.number(start + 12, 2);
    return this.#set(cursor.number(start + 8, 2), cursor.number(start + 10, 2), second);
  }

  /** Three digits and fewer could be either hours and minutes or minutes and seconds. */
  #readDigits(length: number, value: number): boolean {
    if (length === 4) {
      // After 93000, 1530 could be 00:15:30.
      if (this.#isUnpadded && value >= 1_000) return this.#refuse('shortTime');
      return this.#set(Math.floor(value / 100), value % 100, 0);
    }
    if (length !== 5 && length !== 6) return this.#refuse('shortTime');
    if (length === 5) this.#isUnpadded = true;
    return this.#readFraction() && this.#set(Math.floor(value / 10_000), Math.floor(value / 100) % 100, value % 100);
  }

  /** A fraction of a second, if there is one. */
  #readFraction(): boolean {
    const cursor = this.#cursor;
    const code = cursor.code();
    if (code !== POINT && code !== COMMA) return true;
    cursor.at++;
    const length = cursor.digits();
    if (length === 0 || length > 9) return false;
    this.micros = length > 6 ? Math.round(cursor.value / 10 ** (length - 6)) : cursor.value * 10 ** (6 - length);
    return true;
  }

  /** 0 for AM, 1 for PM, -1 for neither, which is left where it is. */
  #readHalfOfDay(): number {
    const cursor = this.#cursor;
    const start = cursor.at;
    cursor.skipBlanks();
    const letter = cursor.code() | 32;
    const isHalf = (letter === LETTER_A || letter === LETTER_P) && (cursor.code(1) | 32) === LETTER_M;
    if (isHalf && !isLetter(cursor.code(2))) {
      cursor.at += 2;
      return letter === LETTER_A ? 0 : 1;
    }
    cursor.at = start;
    return -1;
  }

  #set(hour: number, minute: number, second: number): boolean {
    const ms = ((hour * 60 + minute) * 60 + second) * 1_000;
    const isWithin = ms < DAY_MS || (ms === DAY_MS && this.micros === 0);
    if (minute > 59 || second > 59 || !isWithin) return this.#refuse('timeOfDay');
    this.ms = ms;
    return true;
  }

  #refuse(fault: InstantFault): boolean {
    this.fault = fault;
    return false;
  }
}

const [LETTER_A, LETTER_M, LETTER_P] = [97, 109, 112];
