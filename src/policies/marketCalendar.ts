import { DAY_MS, epochDay } from '../primitives/calendarDate.js';
import { integer, listOf, type OptionsOf, readOptions, reject, text, unchecked } from '../primitives/options.js';
import { timeZoneOf } from '../primitives/timeZone.js';

/** When a market trades. Times are Unix epoch milliseconds. */
export interface MarketCalendar {
  isOpen(at: number): boolean;
  /** When the state next changes after `at`; `Infinity` for never. */
  nextChange(at: number): number;
}

export interface MarketSessionsConfig {
  /** The IANA name of the market's time zone, such as `America/New_York`. */
  readonly timeZone: string;
  /** When a session opens, as `HH:MM` in that zone. */
  readonly open: string;
  /** When it closes, as `HH:MM`: on the next day unless that is after `open`, so the same time as `open` is a whole day. */
  readonly close: string;
  /** The days on which sessions open: 1 Monday to 7 Sunday. Default Monday to Friday. */
  readonly days?: readonly number[] | undefined;
  /** Days on which no session opens, as `YYYY-MM-DD`. Default none. */
  readonly holidays?: readonly string[] | undefined;
  /** When the session that opens on a day closes earlier than others: `{ '2026-11-27': '13:00' }`. Default none. */
  readonly earlyCloses?: Readonly<Record<string, string>> | undefined;
}

interface Session {
  readonly opensAt: number;
  readonly closesAt: number;
}

const OPTIONS = {
  timeZone: text().required(),
  open: text().required(),
  close: text().required(),
  days: listOf(integer({ min: 1, max: 7 }), { min: 1 }).default([1, 2, 3, 4, 5]),
  // Read as dates and times.
  holidays: listOf(unchecked()).default([]),
  earlyCloses: unchecked(),
} satisfies OptionsOf<MarketSessionsConfig>;

const OWNER = 'marketSessions';
const MINUTE_MS = 60_000;
const MINUTES = 24 * 60;
/** How many sessions are cached, because computing one asks `Intl` for the offsets around it. */
const MAX_CACHED = 16;

/**
 * The calendar of a market with one session per day, always at the same hours of its own time zone, daylight saving included.
 *
 * A session belongs to the day on which it opens, and may end on the next: days, holidays and early closes are those of the
 * day of its opening. It is open from `open` on, and closed from `close` on. An hour that the clocks skip counts as the hour
 * after it; of an hour that comes twice, the first counts. Sessions that touch, as those of a market that never closes, are one.
 *
 * ```ts
 * import { marketSessions } from 'sluice/policies';
 *
 * const nyse = marketSessions({
 *   timeZone: 'America/New_York',
 *   open: '09:30',
 *   close: '16:00',
 *   holidays: ['2026-12-25'],
 *   earlyCloses: { '2026-11-27': '13:00' },
 * });
 * const globex = marketSessions({ timeZone: 'America/Chicago', open: '17:00', close: '16:00', days: [7, 1, 2, 3, 4] });
 * ```
 */
export function marketSessions(config: MarketSessionsConfig): MarketCalendar {
  const { timeZone, open, close: usual, earlyCloses = {}, ...read } = readOptions(OWNER, config, OPTIONS);
  const zone =
    timeZoneOf(timeZone) ??
    reject(OWNER, 'timeZone', 'the IANA name of a time zone, such as "America/New_York"', timeZone);
  const opensAt = minuteOf('open', open);
  const lengthTo = (close: number) => (close > opensAt ? close - opensAt : close - opensAt + MINUTES);
  const length = lengthTo(minuteOf('close', usual));
  const days = new Set(read.days);
  const holidays = new Set(read.holidays.map((date) => dayOf('holidays', date)));
  const early = new Map<number, number>();
  for (const [date, close] of Object.entries(earlyCloses)) {
    const day = dayOf('earlyCloses', date);
    const shorter = lengthTo(minuteOf(`earlyCloses of ${date}`, close));
    if (shorter >= length) {
      throw new RangeError(`${OWNER}: earlyCloses of ${date} must be before close, ${usual}, got "${close}"`);
    }
    if (holidays.has(day)) throw new RangeError(`${OWNER}: ${date} is in earlyCloses and in holidays`);
    early.set(day, shorter);
  }
  const lastSpecialDay = Math.max(Number.NEGATIVE_INFINITY, ...holidays, ...early.keys());

  const cached = new Map<number, Session>();

  const sessionOf = (day: number): Session | undefined => {
    if (!days.has(weekdayOf(day)) || holidays.has(day)) return undefined;
    const known = cached.get(day);
    if (known) return known;
    const opening = day * DAY_MS + opensAt * MINUTE_MS;
    const closing = opening + (early.get(day) ?? length) * MINUTE_MS;
    const session = { opensAt: zone.instantOf(opening), closesAt: zone.instantOf(closing) };
    if (cached.size >= MAX_CACHED) cached.clear();
    cached.set(day, session);
    return session;
  };

  /** The current session, which may have opened the day before. */
  const sessionAt = (at: number, day: number): Session | undefined =>
    [day - 1, day].map(sessionOf).find((session) => session && session.opensAt <= at && at < session.closesAt);

  return {
    isOpen: (at) => sessionAt(at, zone.dayOf(at)) !== undefined,

    nextChange(at) {
      const today = zone.dayOf(at);
      const current = sessionAt(at, today);
      // Each weekday comes within a week, and after the last special day all weeks are the same.
      const last = Math.max(today, lastSpecialDay) + 8;
      let closesAt = current?.closesAt;
      for (let day = today; day <= last; day++) {
        const session = sessionOf(day);
        if (!session || session.closesAt <= (closesAt ?? at)) continue;
        if (closesAt === undefined) return session.opensAt;
        if (session.opensAt > closesAt) return closesAt;
        closesAt = session.closesAt;
      }
      return Number.POSITIVE_INFINITY;
    },
  };
}

/** 1 Monday to 7 Sunday: 1970-01-01 was a Thursday. */
function weekdayOf(day: number): number {
  return ((((day + 3) % 7) + 7) % 7) + 1;
}

function minuteOf(option: string, time: unknown): number {
  const [, hour, minute] = (typeof time === 'string' && /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time)) || [];
  if (hour === undefined) reject(OWNER, option, 'a time from "00:00" to "23:59"', time);
  return Number(hour) * 60 + Number(minute);
}

function dayOf(option: string, date: unknown): number {
  const day = typeof date === 'string' ? epochDay(date) : Number.NaN;
  return Number.isNaN(day) ? reject(OWNER, option, 'dates such as "2026-12-25"', date) : day;
}
