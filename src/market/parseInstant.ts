import { isDate } from '../primitives/calendarDate.js';

/** The unit of a time that is written as a number. */
export type EpochUnit = 's' | 'ms' | 'us' | 'ns';

export const EPOCH_UNITS: readonly EpochUnit[] = ['s', 'ms', 'us', 'ns'];

/** Year, month, day; hour, minute, second, fraction; offset. */
const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?: ?(Z|[+-]\d{2}:?\d{2}))?)?$/;

/** Year, month, day. */
const COMPACT_DATE = /^(\d{4})(\d{2})(\d{2})$/;

const NUMBER = /^[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

/**
 * The Unix epoch milliseconds of a time as files write it; `NaN` if it is not a time.
 *
 * A number, or text of digits, counts `unit`s since 1970. Text of eight digits, however, is a date such as `20240102`: as a
 * count it would mean a day in 1970, which is hardly meant. An ISO 8601 date is the start of that day in UTC, and a date and
 * time without an offset is UTC too, whatever the time zone of the machine. The fraction keeps microseconds; finer digits
 * are rounded.
 */
export function parseInstant(time: string | number, unit: EpochUnit = 'ms'): number {
  if (typeof time === 'number') return fromEpoch(time, unit);
  const text = time.trim();
  const match = ISO.exec(text) ?? COMPACT_DATE.exec(text);
  if (match) return fromIso(match);
  return NUMBER.test(text) ? fromEpoch(Number(text), unit) : Number.NaN;
}

function fromEpoch(value: number, unit: EpochUnit): number {
  if (!Number.isFinite(value)) return Number.NaN;
  if (unit === 'ms') return value;
  if (unit === 'us') return value / 1e3;
  return Math.round(unit === 's' ? value * 1e6 : value / 1e3) / 1e3;
}

function fromIso(match: RegExpExecArray): number {
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', offset = 'Z'] = match;
  if (!isDate(Number(year), Number(month), Number(day))) return Number.NaN;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return Number.NaN;
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const micros = fraction === '' ? 0 : Math.round(Number(`0.${fraction}`) * 1e6);
  return ms + micros / 1e3 - (offset === 'Z' ? 0 : offsetMs(offset));
}

/** No time zone is further than 14 hours from UTC. */
const MAX_OFFSET_MINUTES = 14 * 60;

function offsetMs(offset: string): number {
  const past = Number(offset.slice(-2));
  const minutes = Number(offset.slice(1, 3)) * 60 + past;
  if (past > 59 || minutes > MAX_OFFSET_MINUTES) return Number.NaN;
  return (offset.startsWith('-') ? -minutes : minutes) * 60_000;
}
