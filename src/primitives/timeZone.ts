import { DAY_MS } from './calendarDate.js';

/** How many midnights of UTC are cached for a zone, because asking `Intl` takes microseconds. */
const MAX_CACHED_DAYS = 1_024;

/** The clocks of a time zone, daylight saving included. Instants are Unix epoch milliseconds. */
export interface TimeZone {
  /** The day in the zone, counted from 1970-01-01. */
  dayOf(at: number): number;
  /**
   * When the clocks of the zone show what those of UTC show at `wall`. An hour that the clocks skip counts as the hour after it;
   * of an hour that comes twice, the first counts.
   */
  instantOf(wall: number): number;
  /** As `instantOf`, but the second instant of an hour that comes twice. */
  lastInstantOf(wall: number): number;
  /** What clocks of UTC would show when those of the zone show what they show at `at`: the inverse of `instantOf`. */
  wallOf(at: number): number;
  /**
   * How far the clocks of the zone are ahead on a day of theirs, counted from 1970-01-01, in milliseconds; `NaN` if they change
   * on that day or the day before or after.
   */
  steadyOffset(day: number): number;
}

/** The zone of an IANA name, such as `America/New_York`; `undefined` if no zone has that name. */
export function timeZoneOf(name: string): TimeZone | undefined {
  const clock = clockOf(name);
  if (!clock) return undefined;

  /** The offset of the zone as `Intl` has it, in milliseconds. */
  const exactOffset = (at: number): number => {
    const shown: Record<string, number> = {};
    for (const { type, value } of clock.formatToParts(at)) shown[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = shown;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1_000) * 1_000;
  };

  const midnights = new Map<number, number>();
  const offsetAtMidnight = (day: number): number => {
    let offset = midnights.get(day);
    if (offset === undefined) {
      offset = exactOffset(day * DAY_MS);
      if (midnights.size >= MAX_CACHED_DAYS) midnights.clear();
      midnights.set(day, offset);
    }
    return offset;
  };

  const offsetAt = (at: number): number => {
    const day = Math.floor(at / DAY_MS);
    const offset = offsetAtMidnight(day);
    // Clocks do not change twice within a day.
    return offset === offsetAtMidnight(day + 1) ? offset : exactOffset(at);
  };

  return {
    dayOf: (at) => Math.floor((at + offsetAt(at)) / DAY_MS),

    instantOf(wall) {
      // The offset is that of the day before or of the day after: clocks do not change twice within that time.
      const before = offsetAt(wall - DAY_MS);
      const after = offsetAt(wall + DAY_MS);
      if (before === after || offsetAt(wall - before) === before) return wall - before;
      return offsetAt(wall - after) === after ? wall - after : wall - before;
    },

    lastInstantOf(wall) {
      const before = offsetAt(wall - DAY_MS);
      const after = offsetAt(wall + DAY_MS);
      return offsetAt(wall - after) === after ? wall - after : wall - before;
    },

    wallOf: (at) => at + offsetAt(at),

    steadyOffset(day) {
      const offset = offsetAtMidnight(day);
      for (let near = day - 1; near <= day + 2; near++) if (offsetAtMidnight(near) !== offset) return Number.NaN;
      return offset;
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
