import { DAY_MS, isDate } from '../../primitives/calendarDate.js';
import { type TimeZone, timeZoneOf } from '../../primitives/timeZone.js';

/** Seconds since 1970: `1767623400`. Nine digits reach back to 1973. */
const EPOCH_SECONDS = /^\d{9,10}$/;
/** A day of the exchange: `20260105`. */
const DAY = /^(\d{4})(\d{2})(\d{2})$/;
/** `20260105 09:30:00`, perhaps with a zone, or `20260105-14:30:00`, whose hyphen means UTC. */
const DATE_AND_TIME =
  /^(\d{4})(\d{2})(\d{2})(?:(-)| {1,2})(\d{2}):(\d{2}):(\d{2})(?: ([\w/+-]{1,40}(?: \([^)]{1,60}\))?))?$/;

/**
 * The Unix epoch milliseconds of a time as TWS writes it; `NaN` for everything else.
 *
 * - `1767623400`: seconds since 1970, as asked for by `formatDate` 2.
 * - `20260105`: the start of that day in UTC, as bars of a day and longer come, whatever the format asked for.
 * - `20260105-14:30:00`: UTC (https://github.com/ib-api-reloaded/ib_async/pull/232).
 * - `20260105 09:30:00 US/Eastern`: in the zone that it names; without one, in `zone`, that of the instrument.
 *
 * An hour that comes twice when the clocks go back is the first of the two: the text does not say which.
 */
export function gatewayTimeMs(text: unknown, zone?: string): number {
  if (typeof text !== 'string') return Number.NaN;
  if (EPOCH_SECONDS.test(text)) return Number(text) * 1_000;
  const day = DAY.exec(text);
  if (day) return dayMs(day);
  const match = DATE_AND_TIME.exec(text);
  if (!match) return Number.NaN;
  const [, , , , hyphen, hour, minute, second, named] = match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return Number.NaN;
  const wall = dayMs(match) + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1_000;
  if (Number.isNaN(wall)) return wall;
  if (hyphen) return named === undefined ? wall : Number.NaN;
  const zoneName = named ?? zone;
  return zoneName === undefined ? Number.NaN : (gatewayZone(zoneName)?.instantOf(wall) ?? Number.NaN);
}

function dayMs([, year, month, day]: RegExpExecArray): number {
  if (!isDate(Number(year), Number(month), Number(day))) return Number.NaN;
  return Date.UTC(Number(year), Number(month) - 1, Number(day));
}

/** Names of TWS that IANA does not have, or has for a fixed offset. */
const ALIASES: Readonly<Record<string, string>> = {
  EST: 'America/New_York',
  EST5EDT: 'America/New_York',
  CST: 'America/Chicago',
  CST6CDT: 'America/Chicago',
  MST: 'America/Denver',
  PST: 'America/Los_Angeles',
  PST8PDT: 'America/Los_Angeles',
  MET: 'Europe/Berlin',
  CET: 'Europe/Berlin',
  JST: 'Asia/Tokyo',
  HKT: 'Asia/Hong_Kong',
  'GB-Eire': 'Europe/London',
  GB: 'Europe/London',
};

/** Zones are few, and making one is slow. */
const zones = new Map<string, TimeZone | undefined>();
const MAX_ZONES = 500;

/** The zone of a name as TWS gives it: `US/Eastern`, `EST (Eastern Standard Time)`; `undefined` if there is none. */
export function gatewayZone(name: string): TimeZone | undefined {
  if (zones.has(name)) return zones.get(name);
  const [word = ''] = name.split(' ');
  const zone = timeZoneOf(ALIASES[word] ?? word);
  if (zones.size >= MAX_ZONES) zones.clear();
  zones.set(name, zone);
  return zone;
}

/** A time as requests carry it: `20260105-14:30:00`, in UTC. Without a zone, TWS 10.17 and later complain. */
export function requestTime(ms: number): string {
  const iso = new Date(Math.ceil(ms / 1_000) * 1_000).toISOString();
  return `${iso.slice(0, 10).replaceAll('-', '')}-${iso.slice(11, 19)}`;
}

/** When an instrument trades, from the `tradingHours` of its details. */
export interface TradingHours {
  /** Since when it trades at this moment, in epoch milliseconds; `undefined` while it does not, or if the hours do not reach so far. */
  openSince(at: number): number | undefined;
}

const SESSION = /^(\d{8}):(\d{2})(\d{2})-(\d{8}):(\d{2})(\d{2})$/;

/** Of `20260105:0400-20260105:2000;20260106:CLOSED`; sessions that cannot be read are left out. */
export function tradingHoursOf(text: string, zoneName: string): TradingHours {
  const zone = gatewayZone(zoneName);
  const sessions: (readonly [number, number])[] = [];
  for (const part of zone ? text.split(';', 64) : []) {
    const match = SESSION.exec(part);
    if (!match) continue;
    const [, opening = '', openHour, openMinute, closing = '', closeHour, closeMinute] = match;
    const from = wallOf(opening, openHour, openMinute);
    const to = wallOf(closing, closeHour, closeMinute);
    if (from < to) sessions.push([zone!.instantOf(from), zone!.instantOf(to)]);
  }
  return { openSince: (at) => sessions.find(([from, to]) => from <= at && at < to)?.[0] };
}

function wallOf(day: string, hour: string | undefined, minute: string | undefined): number {
  const match = DAY.exec(day);
  return match ? dayMs(match) + (Number(hour) * 60 + Number(minute)) * 60_000 : Number.NaN;
}

/** `20260116`, as details have it, perhaps with a time behind it, to `2026-01-16`; `undefined` if it is no date. */
export function calendarDateOf(text: string): string | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})(?![\d])/.exec(text);
  if (!match || !isDate(Number(match[1]), Number(match[2]), Number(match[3]))) return undefined;
  return `${match[1]}-${match[2]}-${match[3]}`;
}

/** The duration of a request for `ms` of the past, rounded up: seconds up to a day, then days up to a year, then years. */
export function durationOf(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1_000));
  if (seconds <= 86_400) return `${seconds} S`;
  const days = Math.ceil(ms / DAY_MS);
  return days <= 365 ? `${days} D` : `${Math.ceil(days / 365)} Y`;
}
