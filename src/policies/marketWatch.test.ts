import { describe, expect, it } from 'vitest';
import type { MarketCalendar } from './marketCalendar.js';
import { MarketWatch } from './marketWatch.js';

/** Open from 10 to 20, and from 30 on. */
function calendarOf() {
  const asked: number[] = [];
  const calendar: MarketCalendar = {
    isOpen(at) {
      asked.push(at);
      return (at >= 10 && at < 20) || at >= 30;
    },
    nextChange: (at) => [10, 20, 30].find((change) => change > at) ?? Number.POSITIVE_INFINITY,
  };
  return { calendar, asked };
}

describe('MarketWatch', () => {
  it.each([
    [0, false, 10],
    [10, true, 0],
    [19, true, 0],
    [20, false, 10],
    [29, false, 1],
    [30, true, 0],
  ])('at %i', (at, isOpen, closedForMs) => {
    const watch = new MarketWatch(calendarOf().calendar, at);
    expect([watch.isOpen, watch.closedForMs()]).toEqual([isOpen, closedForMs]);
  });

  it('tells that the market has moved, even if it was open before and is open again', () => {
    const watch = new MarketWatch(calendarOf().calendar, 12);
    expect([watch.moveTo(15), watch.moveTo(20), watch.moveTo(35), watch.moveTo(36)]).toEqual([
      false,
      true,
      true,
      false,
    ]);
    const other = new MarketWatch(calendarOf().calendar, 12);
    expect([other.moveTo(31), other.isOpen]).toEqual([true, true]);
  });

  it('asks its calendar once per change, and again when the clock is set back', () => {
    const { calendar, asked } = calendarOf();
    const watch = new MarketWatch(calendar, 12);
    for (const at of [12, 13, 14, 15, 16, 16]) expect(watch.moveTo(at)).toBe(false);
    expect(asked).toEqual([12]);
    expect(watch.moveTo(14)).toBe(true);
    expect(asked).toEqual([12, 14]);
  });
});
