import { isBlank } from '../primitives/blanks.js';
import { DAY_MS } from '../primitives/calendarDate.js';
import { checked, func, integer, type OptionsOf, oneOf, readOptions, reject } from '../primitives/options.js';
import { type TimeZone, timeZoneOf } from '../primitives/timeZone.js';
import { DateAndTime } from './instants/dateAndTime.js';
import type { DateOrder } from './instants/dateOrder.js';
import { isOtherDate, looksLikeDate } from './instants/digitDates.js';
import {
  EPOCH_UNITS,
  type EpochUnit,
  epochMs,
  epochMsOfNanos,
  isPlausible,
  plausibleUnit,
} from './instants/epochCount.js';
import { type InstantFault, refusalOf } from './instants/refusal.js';

/** What is done with a time of the hour that comes twice when the clocks go back. */
export type RepeatedHour = 'badRow' | 'first' | 'second';

export interface InstantReaderConfig {
  /** The unit of counts. If it is given, digits are a count, however many. Default: milliseconds, and digits may be a date. */
  readonly unit?: EpochUnit | undefined;
  /** The IANA name of the zone of dates and times without an offset or a zone of their own. Default `'UTC'`. */
  readonly timeZone?: string | undefined;
  /** The order of a date that does not begin with the year. Default: none, and such a date is refused. */
  readonly dateOrder?: DateOrder | undefined;
  /** Which of two instants is meant if the clocks show a time twice. Default `'badRow'`: it is refused. */
  readonly repeatedHour?: RepeatedHour | undefined;
  /** An earlier year is refused. From 100 to 9999, default 1900. */
  readonly minYear?: number | undefined;
  /** A later year is refused. From 100 to 9999, default: next year. */
  readonly maxYear?: number | undefined;
  /** The clock that knows the next year, in Unix epoch milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

const YEAR = integer({ min: 100, max: 9999 });

const OPTIONS = {
  unit: oneOf(EPOCH_UNITS),
  timeZone: checked('the IANA name of a time zone, such as America/New_York', isTimeZone),
  dateOrder: oneOf(['YMD', 'MDY', 'DMY']),
  repeatedHour: oneOf(['badRow', 'first', 'second']).default('badRow'),
  minYear: YEAR.default(1900),
  maxYear: YEAR,
  now: func(),
} satisfies OptionsOf<InstantReaderConfig>;

function isTimeZone(value: unknown): value is string {
  return typeof value === 'string' && timeZoneOf(value) !== undefined;
}

/** Zones that texts name. A file has one or two; one that names hundreds must not fill the memory. */
const MAX_ZONES = 64;

/**
 * Reads times as files have them: counts since 1970, ISO 8601, the text of Postgres and DuckDB, compact dates, dates in the
 * order that `dateOrder` states, English names of months, and times of day in several spellings.
 *
 * - **Counts.** Without `unit`, text of 8 digits is a date, and of 12, 14 or 17 digits a date and time if it makes one
 *   (`202401020930`); everything else counts milliseconds. A count that makes sense only in another unit is refused. With
 *   `unit`, digits are a count. A JSON number is never a date: one that looks like one (`20240102`) is refused without `unit`.
 * - **Zones.** What has no offset or zone of its own is in `timeZone`. A date is the start of its day there. A time of an hour
 *   that the clocks skip is refused; so is one of an hour that comes twice, unless `repeatedHour` says which is meant.
 *   Abbreviations such as `EST` name several zones and are refused.
 * - **Refused** too are years out of bounds, years of two digits, second 60, `infinity`, and dates before Christ.
 *
 * Nothing is allocated for text in ISO 8601 and for counts. The time that a text takes grows with its length.
 */
export class InstantReader {
  /** Whether what was read last is a date without a time of day. */
  isDate = false;
  /** Whether what was read last is a date, or a date and time, written as digits alone. */
  isCompact = false;

  readonly #unit: EpochUnit | undefined;
  readonly #order: DateOrder | undefined;
  readonly #repeatedHour: RepeatedHour;
  readonly #minYear: number;
  readonly #maxYear: number;
  readonly #minMs: number;
  readonly #maxMs: number;
  /** Beyond it no count is plausible: the end of next year. */
  readonly #plausibleMs: number;
  readonly #zoneName: string;
  /** `undefined` for UTC. */
  readonly #zone: TimeZone | undefined;
  readonly #zones = new Map<string, TimeZone | undefined>();
  readonly #parts = new DateAndTime();

  #fault: InstantFault = 'text';
  #refused: string | number = '';

  /** The last day that was looked up in a zone, and the offset there, because the same day often repeats. */
  #dayZone: TimeZone | undefined;
  #day = Number.NaN;
  #dayOffset = Number.NaN;

  /** `owner` is whom the error names if the configuration is wrong. */
  constructor(config: InstantReaderConfig = {}, owner = 'InstantReader') {
    const { unit, timeZone, dateOrder, repeatedHour, minYear, maxYear, now } = readOptions(owner, config, OPTIONS);
    const nextYear = new Date((now ?? Date.now)()).getUTCFullYear() + 1;
    this.#unit = unit;
    this.#order = dateOrder;
    this.#repeatedHour = repeatedHour;
    this.#minYear = minYear;
    this.#maxYear = maxYear ?? Math.max(nextYear, minYear);
    if (this.#maxYear < minYear) reject(owner, 'maxYear', `at least minYear, ${minYear}`, maxYear);
    this.#minMs = Date.UTC(minYear, 0, 1);
    this.#maxMs = Date.UTC(this.#maxYear + 1, 0, 1);
    this.#plausibleMs = Date.UTC(nextYear + 1, 0, 1);
    this.#zoneName = timeZone ?? 'UTC';
    this.#zone = this.#zoneName === 'UTC' ? undefined : timeZoneOf(this.#zoneName);
  }

  /** Unix epoch milliseconds, whose fraction carries microseconds; `NaN` if the time is refused, and `problem` says why. */
  read(time: string | number): number {
    this.isDate = false;
    this.isCompact = false;
    const ms = typeof time === 'number' ? this.#readCount(time) : this.#readText(time);
    if (Number.isNaN(ms)) this.#refused = time;
    return ms;
  }

  /** What is wrong with the time that was refused last, and the remedy: `expected …, got …: give …`. */
  get problem(): string {
    const value = this.#refused;
    const count = typeof value === 'number' ? value : Number(value);
    return refusalOf({
      fault: this.#fault,
      value,
      unit: this.#unit ?? 'ms',
      order: this.#order,
      minYear: this.#minYear,
      maxYear: this.#maxYear,
      betterUnit: Number.isFinite(count) ? plausibleUnit(count, this.#plausibleMs) : undefined,
      zone: this.#parts.zone.name || this.#zoneName,
    });
  }

  #refuse(fault: InstantFault): number {
    this.#fault = fault;
    return Number.NaN;
  }

  #readText(text: string): number {
    let from = 0;
    let to = text.length;
    while (from < to && isBlank(text.charCodeAt(from))) from++;
    while (to > from && isBlank(text.charCodeAt(to - 1))) to--;

    const first = text.charCodeAt(from);
    const start = first === PLUS || first === HYPHEN ? from + 1 : from;
    const end = digitsEnd(text, start, to);
    if (end === to && start < to) return this.#readDigits(text, from, start, to);
    const code = text.charCodeAt(end);
    if ((code === POINT || (code | 32) === 101) && isNumber(text, end, to) && end > start) {
      const isTime = this.#unit === undefined && start === from && end - start === 14 && code === POINT;
      if (!isTime || !this.#parts.read(text, from, to, this.#order))
        return this.#readCount(Number(text.slice(from, to)));
    } else if (!this.#parts.read(text, from, to, this.#order)) return this.#refuse(this.#parts.fault);
    return this.#toInstant();
  }

  /** A date, or a count, of which the sign was read. */
  #readDigits(text: string, from: number, start: number, to: number): number {
    const length = to - start;
    if (
      this.#unit === undefined &&
      start === from &&
      (length === 8 || length === 12 || length === 14 || length === 17)
    ) {
      const isRead = this.#parts.read(text, from, to, this.#order);
      if (length === 8 && !isRead) return this.#refuse(this.#parts.fault);
      if (isRead && (length === 8 || this.#isYear(this.#parts.date.year))) {
        this.isCompact = true;
        return this.#toInstant();
      }
    }
    if (
      this.#unit === undefined &&
      (length === 6 || length === 10) &&
      isOtherDate(text.slice(from, to), this.#minYear, this.#maxYear)
    ) {
      return this.#refuse('text');
    }
    const sign = text.charCodeAt(from) === HYPHEN ? -1 : 1;
    const high = numberOf(text, start, Math.max(start, to - 9));
    const low = numberOf(text, Math.max(start, to - 9), to);
    if (this.#unit === 'ns') return this.#checkCount(sign * epochMsOfNanos(high, low), 0);
    return this.#readCount(sign * (high * 1e9 + low), true);
  }

  #readCount(count: number, isDigits = false): number {
    const unit = this.#unit ?? 'ms';
    if (this.#unit === undefined && !isDigits && looksLikeDate(count, this.#minYear, this.#maxYear)) {
      return this.#refuse('compactNumber');
    }
    return this.#checkCount(epochMs(count, unit), count);
  }

  #checkCount(ms: number, count: number): number {
    if (!Number.isFinite(ms)) return this.#refuse('text');
    if (ms < this.#minMs || ms >= this.#maxMs) return this.#refuse('year');
    const isDoubtful = this.#unit === undefined && !isPlausible(ms, this.#plausibleMs);
    if (isDoubtful && isPlausible(epochMs(count, 's'), this.#plausibleMs)) return this.#refuse('unit');
    // Without the sign of -0.
    return ms + 0;
  }

  #isYear(year: number): boolean {
    return year >= this.#minYear && year <= this.#maxYear;
  }

  /** The instant of the parts that were read. */
  #toInstant(): number {
    const { date, time, zone, hasTime } = this.#parts;
    if (!this.#isYear(date.year)) return this.#refuse('year');
    this.isDate = !hasTime;
    const wall = date.day * DAY_MS + time.ms;
    const ms = Number.isNaN(zone.offsetMs) ? this.#instantAt(date.day, wall, zone.name) : wall - zone.offsetMs;
    // One quotient is the double that is nearest, and a sum of two may not be.
    return time.micros === 0 ? ms : (ms * 1e3 + time.micros) / 1e3;
  }

  #zoneNamed(name: string): TimeZone | undefined {
    if (this.#zones.has(name)) return this.#zones.get(name);
    if (this.#zones.size >= MAX_ZONES) this.#zones.clear();
    const zone = timeZoneOf(name);
    this.#zones.set(name, zone);
    return zone;
  }

  /** When the clocks of the zone that a text names, or else of `timeZone`, show what those of UTC show at `wall`. */
  #instantAt(day: number, wall: number, name: string): number {
    const zone = name === '' ? this.#zone : this.#zoneNamed(name);
    if (!zone) return name === '' ? wall : this.#refuse('zoneName');
    if (zone !== this.#dayZone || day !== this.#day) {
      this.#dayZone = zone;
      this.#day = day;
      this.#dayOffset = zone.steadyOffset(day);
    }
    if (!Number.isNaN(this.#dayOffset)) return wall - this.#dayOffset;

    const first = zone.instantOf(wall);
    if (zone.wallOf(first) !== wall) {
      // A day may begin with the hour that the clocks skip.
      const isStart = this.isDate && zone.dayOf(first) === day && zone.dayOf(first - 1) < day;
      return isStart ? first : this.#refuse('skippedHour');
    }
    if (this.isDate || this.#repeatedHour === 'first') return first;
    const last = zone.lastInstantOf(wall);
    return last === first || this.#repeatedHour === 'second' ? last : this.#refuse('repeatedHour');
  }
}

const [ZERO, PLUS, HYPHEN, POINT] = [48, 43, 45, 46];

/** Where the digits that begin at `from` end. */
function digitsEnd(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && text.charCodeAt(at) >= ZERO && text.charCodeAt(at) <= ZERO + 9) at++;
  return at;
}

function numberOf(text: string, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) value = value * 10 + text.charCodeAt(i) - ZERO;
  return value;
}

/** Whether what follows the first digits of a number is a fraction, an exponent, or both. */
function isNumber(text: string, from: number, to: number): boolean {
  let at = from;
  if (text.charCodeAt(at) === POINT) {
    const end = digitsEnd(text, at + 1, to);
    if (end === at + 1) return false;
    at = end;
  }
  if (at === to) return true;
  if ((text.charCodeAt(at) | 32) !== 101) return false;
  const sign = text.charCodeAt(at + 1);
  const start = sign === PLUS || sign === HYPHEN ? at + 2 : at + 1;
  return start < to && digitsEnd(text, start, to) === to;
}
