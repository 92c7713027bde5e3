import type { InstantFault } from './refusal.js';
import { COLON, HYPHEN, isLetter, PLUS, type TextCursor } from './textCursor.js';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** No time zone of today is further than 14 hours from UTC. */
const MAX_OFFSET_MS = 14 * HOUR_MS;

/** `America/Argentina/ComodRivadavia` is the longest name that IANA has. */
const MAX_NAME_LENGTH = 48;

/** Names of one word by which IANA means one zone; `EST`, `CST` or `IST` mean several, and are none of them. */
const SINGLE_WORDS: ReadonlySet<string> = new Set(
  (
    'CET EET MET WET CST6CDT EST5EDT MST7MDT PST8PDT ' +
    'Cuba Egypt Eire GB GB-Eire Hongkong Iceland Iran Israel Jamaica Japan Libya NZ Navajo PRC Poland Portugal ROC ROK Singapore Turkey'
  ).split(' '),
);

const LETTER_Z = 122;

/** Reads what may follow a time of day: an offset, UTC or the name of a zone. */
export class ZoneScanner {
  /** `NaN` if the text states neither an offset nor UTC. */
  offsetMs = Number.NaN;
  /** The zone that the text names, such as `US/Eastern`; empty if it names none. */
  name = '';
  fault: InstantFault = 'text';

  readonly #cursor: TextCursor;

  constructor(cursor: TextCursor) {
    this.#cursor = cursor;
  }

  clear(): void {
    this.offsetMs = Number.NaN;
    this.name = '';
  }

  /** Whether the rest of the text is one of them, or nothing. */
  read(): boolean {
    const cursor = this.#cursor;
    this.clear();
    this.fault = 'text';
    cursor.skipBlanks();
    if (cursor.isEnd) return true;
    const code = cursor.code();
    if (code === PLUS || code === HYPHEN) return this.#readOffset(code === PLUS ? 1 : -1);
    const length = cursor.end - cursor.at;
    if (length === 1 && (code | 32) === LETTER_Z) return this.#setUtc();
    return isLetter(code) && length <= MAX_NAME_LENGTH && this.#readName(cursor.slice(cursor.at, cursor.end));
  }

  #readName(name: string): boolean {
    const upper = name.toUpperCase();
    if (upper === 'UTC' || upper === 'GMT') return this.#setUtc();
    if (name.includes('/') || SINGLE_WORDS.has(name)) {
      this.name = name;
      return true;
    }
    // Not a zone: before Christ.
    if (upper !== 'BC') this.fault = 'zoneName';
    return false;
  }

  #setUtc(): boolean {
    this.offsetMs = 0;
    return true;
  }

  /** `+05`, `+0530`, `+05:30`, or `-04:56:02`, as Postgres writes the local mean time of old. */
  #readOffset(sign: number): boolean {
    const cursor = this.#cursor;
    this.fault = 'offset';
    cursor.at++;
    const length = cursor.digits();
    if (length !== 2 && length !== 4) return false;
    const hours = length === 4 ? Math.floor(cursor.value / 100) : cursor.value;
    const minutes = length === 4 ? cursor.value % 100 : this.#readSixtieth();
    const seconds = length === 4 ? 0 : this.#readSixtieth();
    const ms = hours * HOUR_MS + minutes * MINUTE_MS + seconds * 1_000;
    // What could not be read is NaN.
    if (!cursor.isEnd || minutes > 59 || !(ms <= MAX_OFFSET_MS)) return false;
    this.offsetMs = sign * ms;
    return true;
  }

  /** Two digits from 00 to 59 behind a colon: 0 without a colon, `NaN` for anything else behind it. */
  #readSixtieth(): number {
    const cursor = this.#cursor;
    if (cursor.code() !== COLON) return 0;
    cursor.at++;
    return cursor.digits() === 2 && cursor.value <= 59 ? cursor.value : Number.NaN;
  }
}
