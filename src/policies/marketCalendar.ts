import { weekdayOf } from '../primitives/calendarDate.js';
import { integer, listOf, type OptionsOf, readOptions, reject, text, unchecked } from '../primitives/options.js';
import { timeZoneOf } from '../primitives/timeZone.js';
import { dayOf, minuteOf } from './calendars/readDates.js';
import { MINUTES_PER_DAY, SessionCalendar } from './calendars/sessionCalendar.js';

/** When a market trades. Times are Unix epoch milliseconds. */
export interface MarketCalendar {
  /** Whether it is open at an instant. */
  isOpen(at: number): boolean;
  /** When the state next changes after `at`; `Infinity` for never. */
  nextChange(at: number): number;
  /**
   * Whether a session belongs to a day, which is counted from 1970-01-01: the date that the market itself gives it, also where it opens on the
   * evening before. Bars of days are expected by it. Optional.
   */
  hasSessionOn?(day: number): boolean;
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

/**
 * The calendar of a market with one session per day, always at the same hours of its own time zone, daylight saving included.
 *
 * A session belongs to the day on which it opens, and may end on the next: days, holidays and early closes are those of the
 * day of its opening. It is open from `open` on, and closed from `close` on. An hour that the clocks skip counts as the hour
 * after it; of an hour that comes twice, the first counts. Sessions that touch, as those of a market that never closes, are one.
 *
 * @example
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
  const opensAt = minuteOf(OWNER, 'open', open);
  const lengthTo = (close: number) => (close > opensAt ? close - opensAt : close - opensAt + MINUTES_PER_DAY);
  const length = lengthTo(minuteOf(OWNER, 'close', usual));
  const days = new Set(read.days);
  const holidays = new Set(read.holidays.map((date) => dayOf(OWNER, 'holidays', date)));
  const early = new Map<number, number>();
  for (const [date, close] of Object.entries(earlyCloses)) {
    const day = dayOf(OWNER, 'earlyCloses', date);
    const shorter = lengthTo(minuteOf(OWNER, `earlyCloses of ${date}`, close));
    if (shorter >= length) {
      throw new RangeError(`${OWNER}: earlyCloses of ${date} must be before close, ${usual}, got "${close}"`);
    }
    if (holidays.has(day)) throw new RangeError(`${OWNER}: ${date} is in earlyCloses and in holidays`);
    early.set(day, shorter);
  }
  return new SessionCalendar({
    zone,
    hoursOn: (day) =>
      days.has(weekdayOf(day)) && !holidays.has(day)
        ? { opens: opensAt, closes: opensAt + (early.get(day) ?? length) }
        : undefined,
    lastSpecialDay: Math.max(Number.NEGATIVE_INFINITY, ...holidays, ...early.keys()),
  });
}
