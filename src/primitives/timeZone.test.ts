import { describe, expect, it } from 'vitest';
import { timeZoneOf } from './timeZone.js';

const QUARTER_MS = 15 * 60_000;
const DAY_MS = 86_400_000;

describe('timeZoneOf', () => {
  it('knows no zone that there is not', () => {
    expect(timeZoneOf('New York')).toBeUndefined();
  });

  // Lord Howe moves its clocks by half an hour; Apia skipped a day; Tehran ended daylight saving time at midnight.
  it.each([
    ['America/New_York', '2026-03-08'],
    ['America/New_York', '2026-11-01'],
    ['Australia/Lord_Howe', '2026-04-05'],
    ['Australia/Lord_Howe', '2026-10-04'],
    ['Pacific/Apia', '2011-12-30'],
    ['Asia/Tehran', '2021-09-22'],
    ['Asia/Kathmandu', '2026-06-01'],
    ['Europe/London', '1970-01-01'],
  ])('has the days of %s around %s as Intl has them, whatever was asked before', (name, date) => {
    const zone = timeZoneOf(name)!;
    const clock = new Intl.DateTimeFormat('sv-SE', { timeZone: name, dateStyle: 'short' });
    const from = Date.parse(`${date}T00:00:00Z`) - 3 * DAY_MS;
    for (let at = from; at < from + 6 * DAY_MS; at += QUARTER_MS) {
      for (const instant of [at, at - 1]) {
        expect(zone.dayOf(instant)).toBe(Date.parse(clock.format(instant)) / DAY_MS);
      }
    }
  });

  it.each([
    ['America/New_York', '2026-03-08'],
    ['America/New_York', '2026-11-01'],
    ['Australia/Lord_Howe', '2026-04-05'],
    ['Australia/Lord_Howe', '2026-10-04'],
  ])('finds the instant at which the clocks of %s show each quarter of an hour around %s', (name, date) => {
    const zone = timeZoneOf(name)!;
    const clock = new Intl.DateTimeFormat('sv-SE', { timeZone: name, dateStyle: 'short', timeStyle: 'short' });
    const shownAt = (at: number) => Date.parse(`${clock.format(at).replace(' ', 'T')}Z`);
    const first = new Map<number, number>();
    const from = Date.parse(`${date}T00:00:00Z`) - 2 * DAY_MS;
    for (let at = from; at < from + 4 * DAY_MS; at += QUARTER_MS) {
      const shown = shownAt(at);
      if (!first.has(shown)) first.set(shown, at);
    }
    for (let wall = from + DAY_MS; wall < from + 3 * DAY_MS; wall += QUARTER_MS) {
      // What the clocks skip is left to the tests of calendars.
      if (first.has(wall)) expect(zone.instantOf(wall)).toBe(first.get(wall));
    }
  });

  it('refuses a time that is none', () => {
    expect(() => timeZoneOf('UTC')!.dayOf(Number.NaN)).toThrow(RangeError);
  });
});
