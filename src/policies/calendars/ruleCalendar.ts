import { weekdayOf } from '../../primitives/calendarDate.js';
import { listOf, type OptionsOf, type Read, unchecked } from '../../primitives/options.js';
import { timeZoneOf } from '../../primitives/timeZone.js';
import type { MarketCalendar } from '../marketCalendar.js';
import { FRIDAY } from './dateRules.js';
import { dayOf, minuteOf } from './readDates.js';
import { MINUTES_PER_DAY, SessionCalendar, type SessionHours } from './sessionCalendar.js';

/** Where a calendar departs from its rules: what nobody could foresee, or what the rules have wrong. Dates are `YYYY-MM-DD`. */
export interface CalendarChanges {
  /** Further days without a session. Default none. */
  readonly closed?: readonly string[] | undefined;
  /** When the sessions of single days close, as `HH:MM`, whatever the rules say of them. Default none. */
  readonly earlyCloses?: Readonly<Record<string, string>> | undefined;
  /** Days that have a whole session, whatever the rules say of them. Default none. */
  readonly open?: readonly string[] | undefined;
}

/** The spec of {@link CalendarChanges}: a calendar spreads it into its own. */
export const CALENDAR_CHANGES = {
  // Read as dates and times.
  closed: listOf(unchecked()).default([]),
  earlyCloses: unchecked(),
  open: listOf(unchecked()).default([]),
} satisfies OptionsOf<CalendarChanges>;

/** No session on this day. */
export const CLOSED = 'closed';

/** What is special about a day: no session, or the minute of the day at which its session closes. */
export type Exception = typeof CLOSED | number;

export interface CalendarRules {
  readonly timeZone: string;
  /** The usual hours of the sessions of Monday to Friday. */
  readonly hours: SessionHours;
  /** What the rules say of a day from Monday to Friday, which is counted from 1970-01-01. */
  readonly exceptionOn: (day: number) => Exception | undefined;
}

/** A market with a session on each day from Monday to Friday, exceptions by rule, and exceptions to the rule. */
export function ruleCalendar(
  owner: string,
  rules: CalendarRules,
  changes: Read<CalendarChanges, typeof CALENDAR_CHANGES>,
): MarketCalendar {
  const { hours, exceptionOn } = rules;
  const zone = timeZoneOf(rules.timeZone);
  if (!zone) throw new RangeError(`${owner}: this runtime does not know the time zone ${rules.timeZone}`);
  const changed = changedDays(owner, hours, changes);

  const hoursOn = (day: number): SessionHours | undefined => {
    let close: Exception | undefined = changed.get(day);
    if (close === undefined) {
      if (weekdayOf(day) > FRIDAY) return undefined;
      close = exceptionOn(day);
    }
    if (close === CLOSED) return undefined;
    return close === undefined ? hours : { opens: hours.opens, closes: close };
  };
  const lastSpecialDay = Math.max(Number.NEGATIVE_INFINITY, ...changed.keys());
  return new SessionCalendar({ zone, hoursOn, lastSpecialDay });
}

function changedDays(
  owner: string,
  hours: SessionHours,
  { closed, earlyCloses = {}, open }: CalendarChanges,
): ReadonlyMap<number, Exception> {
  const changed = new Map<number, Exception>();
  const change = (option: string, date: unknown, exception: Exception) => {
    const day = dayOf(owner, option, date);
    if (changed.has(day)) throw new RangeError(`${owner}: ${date} is named twice in closed, earlyCloses and open`);
    changed.set(day, exception);
  };
  for (const date of closed ?? []) change('closed', date, CLOSED);
  for (const date of open ?? []) change('open', date, hours.closes);
  for (const [date, time] of Object.entries(earlyCloses)) {
    const close = minuteOf(owner, `earlyCloses of ${date}`, time);
    if (close <= hours.opens || close >= hours.closes) {
      const opens = hours.opens < 0 ? '' : `after ${clock(hours.opens)} and `;
      throw new RangeError(
        `${owner}: earlyCloses of ${date} must be ${opens}before ${clock(hours.closes)}, got ${JSON.stringify(time)}`,
      );
    }
    change('earlyCloses', date, close);
  }
  return changed;
}

/** As `HH:MM`. */
function clock(minute: number): string {
  const inDay = (minute + MINUTES_PER_DAY) % MINUTES_PER_DAY;
  return `${String(Math.floor(inDay / 60)).padStart(2, '0')}:${String(inDay % 60).padStart(2, '0')}`;
}
