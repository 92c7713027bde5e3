import { DAY_MS } from './calendarDate.js';

/** The clocks of a time zone, daylight saving included. Instants are Unix epoch milliseconds. */
export interface TimeZone {
  /** The day in the zone, counted from 1970-01-01. */
  dayOf(at: number): number;
  /**
   * When the clocks of the zone show what those of UTC show at `wall`. An hour that the clocks skip counts as the hour after it;
   * of an hour that comes twice, the first counts.
   */
  instantOf(wall: number): number;
}

/** The zone of an IANA name, such as `America/New_York`; `undefined` if no zone has that name. */
export function timeZoneOf(name: string): TimeZone | undefined {
  const clock = clockOf(name);
  if (!clock) return undefined;

  /** What the clocks of the zone show, as the instant at which those of UTC show it. */
  const wallAt = (at: number): number => {
    const shown: Record<string, number> = {};
    for (const { type, value } of clock.formatToParts(at)) shown[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = shown;
    return Date.UTC(year, month - 1, day, hour, minute, second);
  };

  const offsetAt = (at: number) => wallAt(at) - Math.floor(at / 1_000) * 1_000;

  return {
    dayOf: (at) => Math.floor(wallAt(at) / DAY_MS),

    instantOf(wall) {
      // The offset is that of the day before or of the day after: clocks do not change twice within that time.
      const before = offsetAt(wall - DAY_MS);
      const after = offsetAt(wall + DAY_MS);
      if (before === after || offsetAt(wall - before) === before) return wall - before;
      return offsetAt(wall - after) === after ? wall - after : wall - before;
    },
  };
}

function clockOf(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return undefined;
  }
}
