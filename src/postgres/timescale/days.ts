import { checked, type OptionsOf } from '../../primitives/options.js';

/** When the days of `bars_1d` begin. */
export interface DaysConfig {
  /** An IANA time zone such as `America/New_York`, or `UTC`. Days have 23 or 25 hours where its clocks change. */
  readonly timeZone: string;
  /** The time of that zone at which a day begins, `17:00` for a session that begins the evening before. Default `00:00`. */
  readonly startsAt?: string;
}

export type Days = Required<DaysConfig>;

export const UTC_DAYS: Days = { timeZone: 'UTC', startsAt: '00:00' };

/** Postgres takes more than names: it reads `+05:30` with the sign reversed, and `IST` as the time of Israel. */
function isTimeZone(value: unknown): value is string {
  if (typeof value !== 'string' || !/^(?:UTC|[A-Za-z]\w*(?:\/[\w+-]+)+)$/.test(value)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return true;
  } catch {
    return false;
  }
}

const isTimeOfDay = (value: unknown): value is string =>
  typeof value === 'string' && /^(?:[01]\d|2[0-3]):[0-5]\d$/.test(value);

export const DAYS_OPTIONS = {
  timeZone: checked('the IANA name of a time zone, such as America/New_York, or UTC', isTimeZone).required(),
  startsAt: checked('a time of day from 00:00 to 23:59', isTimeOfDay).default(UTC_DAYS.startsAt),
} satisfies OptionsOf<DaysConfig>;

/** `America/New_York` or `America/New_York@17:00`; undefined for anything else. */
export function parseDays(text: string): Days | undefined {
  const [timeZone, startsAt = UTC_DAYS.startsAt, ...rest] = text.split('@');
  return isTimeZone(timeZone) && isTimeOfDay(startsAt) && rest.length === 0 ? { timeZone, startsAt } : undefined;
}

export function isSameDays(one: Days, other: Days): boolean {
  return one.timeZone === other.timeZone && one.startsAt === other.startsAt;
}

/** For humans, and in the comment of a view, by which a later run knows the days of the view. */
export function daysText({ timeZone, startsAt }: Days): string {
  return `days of ${timeZone} from ${startsAt}`;
}

/** The days that a comment tells of; undefined if it tells of none. */
export function daysIn(comment: string): Days | undefined {
  const [, timeZone, startsAt] = /\bdays of (\S+) from (\d\d:\d\d)/.exec(comment) ?? [];
  return timeZone === undefined || startsAt === undefined ? undefined : { timeZone, startsAt };
}

/** A beginning of a day long ago: 2000-01-03 at `startsAt`. */
export function originMs({ timeZone, startsAt }: Days): number {
  const local = Date.parse(`2000-01-03T${startsAt}:00Z`);
  // Twice: the first guess may be on the other side of a change of the clocks.
  return local - offsetMs(timeZone, local - offsetMs(timeZone, local));
}

/** How far the clocks of a zone are ahead of UTC. */
function offsetMs(timeZone: string, at: number): number {
  const format = new Intl.DateTimeFormat('en', { timeZone, hourCycle: 'h23', ...CLOCK });
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const [year, month, day, hour, minute, second] = Object.keys(CLOCK).map((part) => parts.get(part as 'year')!);
  return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) - at;
}

const CLOCK = {
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
} as const;
