import { isDate } from '../../primitives/calendarDate.js';

/** The length of `2026-01-05T14:30:`, up to the seconds. */
const MINUTE = 17;
const ZERO = 48;

/** No time zone is further than 14 hours from UTC. */
const MAX_OFFSET_MINUTES = 14 * 60;

/** The minute that was read last: feeds send many times of one minute. */
let lastMinute = '';
let lastMinuteMs = 0;

/**
 * The Unix epoch milliseconds of an RFC 3339 time such as `2026-01-05T14:30:00.123456789Z`; `NaN` for everything else, such as a
 * date without a time, a time without an offset, or a leap second. The fraction of the result carries microseconds; finer
 * digits are cut off, so that a time is never in the next second.
 */
export function rfc3339Ms(text: unknown): number {
  if (typeof text !== 'string' || text.length < MINUTE + 3) return Number.NaN;
  const { length } = text;
  const seconds = pair(text, MINUTE);
  if (!(seconds < 60)) return Number.NaN;
  let at = MINUTE + 2;
  let micros = 0;
  if (text.charCodeAt(at) === 46) {
    at += 1;
    const start = at;
    let scale = 100_000;
    for (; at < length; at += 1) {
      const digit = text.charCodeAt(at) - ZERO;
      if (digit < 0 || digit > 9) break;
      // Below a microsecond the scale is 0.
      micros += digit * scale;
      scale = scale === 1 ? 0 : scale / 10;
    }
    if (at === start || at - start > 9) return Number.NaN;
  }
  const offset = at === length - 1 && text.charCodeAt(at) === 90 ? 0 : offsetMinutes(text, at);
  return minuteMs(text) + seconds * 1000 + micros / 1000 - offset * 60_000;
}

function minuteMs(text: string): number {
  if (!text.startsWith(lastMinute) || lastMinute === '') {
    const minute = text.slice(0, MINUTE);
    const ms = readMinute(minute);
    if (Number.isNaN(ms)) return ms;
    lastMinute = minute;
    lastMinuteMs = ms;
  }
  return lastMinuteMs;
}

const DATE_AND_MINUTE = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):$/;

function readMinute(minute: string): number {
  const match = DATE_AND_MINUTE.exec(minute);
  if (!match) return Number.NaN;
  const [year, month, day, hour, past] = match.slice(1).map(Number) as [number, number, number, number, number];
  if (!isDate(year, month, day) || hour > 23 || past > 59) return Number.NaN;
  return Date.UTC(year, month - 1, day, hour, past);
}

/** `+02:00` at the end of the text, in minutes. */
function offsetMinutes(text: string, at: number): number {
  const sign = text.charCodeAt(at);
  if (text.length !== at + 6 || (sign !== 43 && sign !== 45) || text.charCodeAt(at + 3) !== 58) return Number.NaN;
  const past = pair(text, at + 4);
  const minutes = pair(text, at + 1) * 60 + past;
  if (!(past < 60 && minutes <= MAX_OFFSET_MINUTES)) return Number.NaN;
  return sign === 45 ? -minutes : minutes;
}

/** Two digits; `NaN` if they are not. */
function pair(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}
