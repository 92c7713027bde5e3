import { describe, expect, it } from 'vitest';

import { SessionCalendar, type SessionPlan } from './sessionCalendar.js';

const DAY = 86_400_000;
const HOUR = 3_600_000;

/** UTC, which counts how often it is asked. */
function counted(plan: Partial<SessionPlan>) {
  const asked = { zone: 0, days: 0 };
  const zone: SessionPlan['zone'] = {
    dayOf: (at) => {
      asked.zone++;
      return Math.floor(at / DAY);
    },
    instantOf: (wall) => {
      asked.zone++;
      return wall;
    },
  };
  const hoursOn = plan.hoursOn ?? (() => ({ opens: 9 * 60, closes: 17 * 60 }));
  const calendar = new SessionCalendar({
    zone,
    hoursOn: (day) => {
      asked.days++;
      return hoursOn(day);
    },
    lastSpecialDay: plan.lastSpecialDay ?? Number.NEGATIVE_INFINITY,
  });
  return { calendar, asked };
}

describe('SessionCalendar', () => {
  it('asks the zone once per change, however often a clock that moves on asks', () => {
    const { calendar, asked } = counted({});
    for (let at = 0; at < 2 * DAY; at += 60_000) {
      calendar.isOpen(at);
      calendar.nextChange(at);
    }
    // Five states, and the sessions around them.
    expect(asked.zone).toBeLessThan(25);
    expect(asked.days).toBeLessThan(10);
  });

  it('keeps the sessions of the days around, whichever way the clock goes', () => {
    const { calendar, asked } = counted({});
    calendar.nextChange(10 * DAY);
    const before = asked.days;
    for (let i = 0; i < 100; i++) {
      calendar.isOpen(10 * DAY + (i % 2) * 12 * HOUR);
      calendar.isOpen(10 * DAY - (i % 2) * 12 * HOUR);
    }
    expect(asked.days - before).toBeLessThan(5);
  });

  it('finds no change where all sessions touch, or none comes, within a bounded number of days', () => {
    const always = counted({ hoursOn: () => ({ opens: 0, closes: 24 * 60 }) });
    expect(always.calendar.nextChange(0)).toBe(Number.POSITIVE_INFINITY);
    expect(always.calendar.isOpen(DAY * 1_000)).toBe(true);
    const never = counted({ hoursOn: () => undefined });
    expect(never.calendar.nextChange(0)).toBe(Number.POSITIVE_INFINITY);
    expect(never.calendar.isOpen(0)).toBe(false);
    expect(always.asked.days).toBeLessThan(20);
    expect(never.asked.days).toBeLessThan(20);
  });

  it('looks as far as the last special day', () => {
    const plan = { hoursOn: (day: number) => (day >= 400 ? { opens: 0, closes: 60 } : undefined), lastSpecialDay: 400 };
    expect(counted(plan).calendar.nextChange(0)).toBe(400 * DAY);
  });

  it('opens on the evening of the day before, and closes on the morning of the day after', () => {
    const { calendar } = counted({ hoursOn: (day) => (day === 10 ? { opens: -60, closes: 25 * 60 } : undefined) });
    expect(calendar.nextChange(9 * DAY)).toBe(10 * DAY - HOUR);
    expect(calendar.isOpen(10 * DAY - HOUR)).toBe(true);
    expect(calendar.isOpen(11 * DAY + HOUR - 1)).toBe(true);
    expect(calendar.nextChange(10 * DAY)).toBe(11 * DAY + HOUR);
    expect(calendar.isOpen(11 * DAY + HOUR)).toBe(false);
  });

  it('has no session that ends as it begins', () => {
    const { calendar } = counted({
      hoursOn: (day) => (day === 5 ? { opens: 60, closes: 60 } : day === 6 ? { opens: 60, closes: 120 } : undefined),
    });
    expect(calendar.nextChange(5 * DAY)).toBe(6 * DAY + HOUR);
  });
});
