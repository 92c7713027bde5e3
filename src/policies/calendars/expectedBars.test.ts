import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timeframeMs } from '../../primitives/timeframe.js';
import { type MarketCalendar, marketSessions } from '../marketCalendar.js';
import { alwaysOpen } from './alwaysOpen.js';
import { expectedBars } from './expectedBars.js';
import { fxWeek } from './fxWeek.js';
import { openSpans } from './openSpans.js';
import { usEquities } from './usEquities.js';
import { usFutures } from './usFutures.js';

const at = (text: string) => Date.parse(text);
const MINUTE = 60_000;

function starts(calendar: MarketCalendar, timeframe: string, from: string, to: string): string[] {
  const bars = expectedBars(calendar, timeframe, at(from), at(to));
  const found = [...bars].map((start) => new Date(start).toISOString().slice(0, 16));
  expect(bars.count()).toBe(found.length);
  return found;
}

describe('openSpans', () => {
  it('has the spans of a week, cut off at both ends', () => {
    const spans = openSpans(usEquities(), at('2026-11-25T15:00:00Z'), at('2026-11-30T15:00:00Z'));
    const text = (ms: number) => new Date(ms).toISOString().slice(0, 16);
    const expected = [
      ['2026-11-25T15:00', '2026-11-25T21:00'],
      ['2026-11-27T14:30', '2026-11-27T18:00'],
      ['2026-11-30T14:30', '2026-11-30T15:00'],
    ];
    expect([...spans].map(({ from, to }) => [text(from), text(to)])).toEqual(expected);
    // Again, because it is asked again.
    expect([...spans]).toHaveLength(3);
  });

  it('is empty for a span without time, and for one in which the market is closed', () => {
    expect([...openSpans(alwaysOpen(), 5, 5)]).toEqual([]);
    expect([...openSpans(usEquities(), at('2026-11-26T00:00:00Z'), at('2026-11-27T00:00:00Z'))]).toEqual([]);
  });

  it('computes no more than what is asked for', () => {
    let asked = 0;
    const nyse = usEquities();
    const isOpen = (now: number) => {
      asked++;
      return nyse.isOpen(now);
    };
    const counting = { ...nyse, isOpen };
    for (const span of openSpans(counting, at('2000-01-01T00:00:00Z'), at('2040-01-01T00:00:00Z'))) {
      expect(span.from).toBe(at('2000-01-03T14:30:00Z'));
      break;
    }
    expect(asked).toBe(2);
  });

  it('ends with an error for a calendar that would hold it for ever', () => {
    const stuck = { isOpen: () => true, nextChange: (now: number) => now };
    expect(() => [...openSpans(stuck, 0, 1)]).toThrow(/^the next change of a calendar after 0 must be later .* got 0$/);
    const lost = { isOpen: () => true, nextChange: () => Number.NaN };
    expect(() => [...openSpans(lost, 0, 1)]).toThrow(/got NaN/);
  });

  it.each([
    [Number.NaN, 1, /^openSpans: from must be a time in epoch milliseconds, got NaN/],
    [0, Number.NaN, /^openSpans: to must be a time .* got NaN/],
    [0, Number.POSITIVE_INFINITY, /to must be a time .* got Infinity/],
    [5, 4, /to must be a time in epoch milliseconds that is not before 5, got 4/],
    [0, 101 * 366 * 86_400_000, /is more than a hundred years/],
  ])('refuses %s to %s', (from, to, message) => {
    expect(() => openSpans(alwaysOpen(), from, to)).toThrow(RangeError);
    expect(() => openSpans(alwaysOpen(), from, to)).toThrow(message);
  });
});

describe('expectedBars', () => {
  it.each([
    ['us-equities, a whole day', usEquities(), '1m', '2026-11-25T00:00:00Z', '2026-11-26T00:00:00Z', 390],
    ['us-equities, a half-day', usEquities(), '1m', '2026-11-26T00:00:00Z', '2026-11-28T00:00:00Z', 210],
    [
      'us-equities, extended',
      usEquities({ hours: 'extended' }),
      '5m',
      '2026-11-25T05:00:00Z',
      '2026-11-26T05:00:00Z',
      192,
    ],
    ['us-equities, a year', usEquities(), '1d', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z', 251],
    [
      'us-equities, extended, by the day',
      usEquities({ hours: 'extended' }),
      '1d',
      '2026-01-01T00:00:00Z',
      '2027-01-01T00:00:00Z',
      251,
    ],
    ['us-futures, a week', usFutures(), '1m', '2026-10-11T00:00:00Z', '2026-10-18T00:00:00Z', 5 * 23 * 60],
    ['us-futures, a week by the day', usFutures(), '1d', '2026-10-11T00:00:00Z', '2026-10-18T00:00:00Z', 5],
    ['fx-week, a week', fxWeek(), '1m', '2026-10-11T00:00:00Z', '2026-10-18T00:00:00Z', 5 * 24 * 60],
    ['fx-week, a week by the day', fxWeek(), '1d', '2026-10-11T00:00:00Z', '2026-10-18T00:00:00Z', 5],
    ['always-open, a day', alwaysOpen(), '1s', '2026-10-11T00:00:00Z', '2026-10-12T00:00:00Z', 86_400],
    ['always-open, a year by the day', alwaysOpen(), '1d', '2024-01-01T00:00:00Z', '2025-01-01T00:00:00Z', 366],
  ])('counts the bars of %s', (_, calendar, timeframe, from, to, count) => {
    const bars = expectedBars(calendar, timeframe, at(from), at(to));
    expect(bars.count()).toBe(count);
    expect([...bars]).toHaveLength(count);
  });

  it('has each bar with a moment of open market, by its start', () => {
    expect(starts(usEquities(), '1h', '2026-11-27T00:00:00Z', '2026-11-28T00:00:00Z')).toEqual([
      '2026-11-27T14:00',
      '2026-11-27T15:00',
      '2026-11-27T16:00',
      '2026-11-27T17:00',
    ]);
    // The bar that begins before the span is not in it; the one that begins before its end is.
    expect(starts(usEquities(), '1h', '2026-11-27T14:00:00.001Z', '2026-11-27T16:00:00.001Z')).toEqual([
      '2026-11-27T15:00',
      '2026-11-27T16:00',
    ]);
  });

  it('has a bar that begins in the span, and whose session begins after the span', () => {
    expect(starts(usEquities(), '1h', '2026-11-27T13:00:00Z', '2026-11-27T14:15:00Z')).toEqual(['2026-11-27T14:00']);
  });

  it('has a bar that two sessions meet once', () => {
    // The break is from 21:00 to 22:00 UTC.
    expect(starts(usFutures(), '4h', '2026-10-13T16:00:00Z', '2026-10-14T04:00:00Z')).toEqual([
      '2026-10-13T16:00',
      '2026-10-13T20:00',
      '2026-10-14T00:00',
    ]);
  });

  it('has days by their date, and weeks by their Monday', () => {
    expect(starts(usEquities({ hours: 'extended' }), '1d', '2026-11-25T00:00:00Z', '2026-12-01T00:00:00Z')).toEqual([
      '2026-11-25T00:00',
      '2026-11-27T00:00',
      '2026-11-30T00:00',
    ]);
    expect(starts(usFutures(), '1w', '2026-10-05T00:00:00Z', '2026-10-19T00:00:00Z')).toEqual([
      '2026-10-05T00:00',
      '2026-10-12T00:00',
    ]);
    expect(starts(usEquities(), '1w', '2026-10-05T00:00:00.001Z', '2026-10-12T00:00:00Z')).toEqual([]);
  });

  it('takes the days of a calendar that cannot tell from the clocks of UTC', () => {
    const { isOpen, nextChange } = usFutures();
    expect(starts({ isOpen, nextChange }, '1d', '2026-10-10T00:00:00Z', '2026-10-13T00:00:00Z')).toEqual([
      '2026-10-11T00:00',
      '2026-10-12T00:00',
    ]);
  });

  it('takes the days of a calendar of one’s own', () => {
    const tokyo = marketSessions({ timeZone: 'Asia/Tokyo', open: '09:00', close: '15:30', holidays: ['2026-11-23'] });
    expect(starts(tokyo, '1d', '2026-11-20T00:00:00Z', '2026-11-25T00:00:00Z')).toEqual([
      '2026-11-20T00:00',
      '2026-11-24T00:00',
    ]);
  });

  it('computes a bar when it is asked for, and counts a century of seconds by its sessions', () => {
    const bars = expectedBars(alwaysOpen(), '1s', 0, 3_000_000_000_000);
    expect(bars.count()).toBe(3_000_000_000);
    const [first, second] = bars;
    expect([first, second]).toEqual([0, 1_000]);
  });

  it('agrees with a look at every minute', () => {
    const calendars = [usEquities(), usEquities({ hours: 'extended' }), usFutures(), fxWeek()];
    const from = fc.integer({ min: at('2015-01-01T00:00:00Z') / MINUTE, max: at('2035-01-01T00:00:00Z') / MINUTE });
    fc.assert(
      fc.property(
        fc.constantFrom(...calendars),
        fc.constantFrom('1m', '7m', '15m', '1h', '4h', '5h'),
        from,
        fc.nat(3 * 24 * 60),
        (calendar, timeframe, begin, minutes) => {
          const lengthMs = timeframeMs(timeframe);
          const span = { from: begin * MINUTE, to: (begin + minutes) * MINUTE };
          const expected: number[] = [];
          for (let start = Math.ceil(span.from / lengthMs) * lengthMs; start < span.to; start += lengthMs) {
            let isOpen = false;
            for (let now = start; now < start + lengthMs; now += MINUTE) isOpen ||= calendar.isOpen(now);
            if (isOpen) expected.push(start);
          }
          const bars = expectedBars(calendar, timeframe, span.from, span.to);
          expect([...bars]).toEqual(expected);
          expect(bars.count()).toBe(expected.length);
        },
      ),
      { seed: 20_261_129, numRuns: 100 },
    );
  });

  it.each([
    ['1M', 0, 1, /timeframe must be a number with one of s, m, h, d, w/],
    ['1m', Number.NaN, 1, /^expectedBars: from must be/],
    ['1m', 1, 0, /^expectedBars: to must be/],
  ])('refuses %s from %s to %s', (timeframe, from, to, message) => {
    expect(() => expectedBars(alwaysOpen(), timeframe, from, to)).toThrow(RangeError);
    expect(() => expectedBars(alwaysOpen(), timeframe, from, to)).toThrow(message);
  });
});
