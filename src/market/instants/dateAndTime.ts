import { isBlank } from '../../primitives/blanks.js';
import type { DateOrder } from './dateOrder.js';
import { DateScanner } from './dateScanner.js';
import type { InstantFault } from './refusal.js';
import { COLON, COMMA, HYPHEN, isDigit, SEMICOLON, TextCursor } from './textCursor.js';
import { TimeScanner } from './timeScanner.js';
import { ZoneScanner } from './zoneScanner.js';

const LETTER_T = 116;

/**
 * Takes a text apart into date, time of day and zone. One object is filled anew for each text, so that reading allocates
 * nothing unless the text has names.
 */
export class DateAndTime {
  hasTime = false;
  readonly date: DateScanner;
  readonly time: TimeScanner;
  readonly zone: ZoneScanner;

  readonly #cursor = new TextCursor();
  #refusing: { readonly fault: InstantFault };

  constructor() {
    this.date = new DateScanner(this.#cursor);
    this.time = new TimeScanner(this.#cursor);
    this.zone = new ZoneScanner(this.#cursor);
    this.#refusing = this.date;
  }

  /** Why the text was refused. */
  get fault(): InstantFault {
    return this.#refusing.fault;
  }

  /** Whether the text from `from` to `to`, which has no blanks around it, is a date, or a date and time. */
  read(text: string, from: number, to: number, order: DateOrder | undefined): boolean {
    const cursor = this.#cursor;
    cursor.open(text, from, to);
    this.hasTime = false;
    this.time.clear();
    this.zone.clear();
    this.#refusing = this.date;
    const isRead = this.date.read(order) && this.#readRest(from);
    cursor.close();
    return isRead;
  }

  /** What follows the date: nothing, a time of day, a zone, or both. */
  #readRest(start: number): boolean {
    const { date } = this;
    const cursor = this.#cursor;
    const length = cursor.at - start;
    if (date.style === 'compact' && length > 8) {
      this.hasTime = true;
      this.#refusing = this.time;
      return this.time.readAfterDate(start, length) && this.#readZone();
    }
    if (cursor.isEnd) return true;

    const code = cursor.code();
    if (isBlank(code)) {
      cursor.skipBlanks();
      return isDigit(cursor.code()) ? this.#readTime() : this.#readZone();
    }
    const isSeparator =
      (code | 32) === LETTER_T ||
      code === COMMA ||
      code === SEMICOLON ||
      (code === HYPHEN && date.style === 'compact') ||
      (code === COLON && date.style === 'named');
    if (!isSeparator) return false;
    cursor.at++;
    if (code === COMMA || code === SEMICOLON) cursor.skipBlanks();
    return this.#readTime();
  }

  #readTime(): boolean {
    this.hasTime = true;
    this.#refusing = this.time;
    return this.time.read() && this.#readZone();
  }

  #readZone(): boolean {
    this.#refusing = this.zone;
    return this.zone.read();
  }
}
