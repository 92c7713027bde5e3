import { describe, expect, it } from 'vitest';
import { CALENDAR_NAMES, calendarOf } from './calendarOf.js';

describe('calendarOf', () => {
  it.each([
    // Eight o'clock in the evening of a Thursday in New York.
    ['us-equities', '2026-10-14T16:00:00Z', '2026-10-14T22:00:00Z'],
    ['us-equities-extended', '2026-10-14T22:00:00Z', '2026-10-15T02:00:00Z'],
    ['us-futures', '2026-10-15T02:00:00Z', '2026-10-14T21:30:00Z'],
    ['fx-week', '2026-10-14T21:30:00Z', '2026-10-17T12:00:00Z'],
  ])('knows %s', (name, open, closed) => {
    expect(calendarOf(name).isOpen(Date.parse(open))).toBe(true);
    expect(calendarOf(name).isOpen(Date.parse(closed))).toBe(false);
  });

  it('knows the market that never closes', () => {
    const calendar = calendarOf('always-open');
    expect(calendar.isOpen(0)).toBe(true);
    expect(calendar.nextChange(0)).toBe(Number.POSITIVE_INFINITY);
  });

  it('has a calendar for each name', () => {
    for (const name of CALENDAR_NAMES) expect(calendarOf(name).nextChange(0)).toBeGreaterThan(0);
  });

  it.each([
    [
      'us-equites',
      /^there is no calendar "us-equites" \(did you mean us-equities\? expected one of: us-equities, us-equ/,
    ],
    [
      'NYSE',
      /^there is no calendar "NYSE" \(expected one of: us-equities, us-equities-extended, us-futures, fx-week, always-open\)$/,
    ],
    ['__proto__', /there is no calendar "__proto__"/],
    ['x'.repeat(10_000), /^there is no calendar "x{60}" /],
  ])('names what there is for %.20s', (name, message) => {
    expect(() => calendarOf(name)).toThrow(RangeError);
    expect(() => calendarOf(name)).toThrow(message);
  });
});
