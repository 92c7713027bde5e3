import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MarketCalendar } from '../marketCalendar.js';
import { fxWeek } from './fxWeek.js';
import { usEquities } from './usEquities.js';
import { usFutures } from './usFutures.js';

const QUARTER_MS = 15 * 60_000;
const FROM = Date.parse('2015-01-01T00:00:00Z');
const TO = Date.parse('2036-01-01T00:00:00Z');

/** https://aa.usno.navy.mil/data/easter */
const EASTER_SUNDAYS = new Set(
  (
    '2015-04-05 2016-03-27 2017-04-16 2018-04-01 2019-04-21 2020-04-12 2021-04-04 2022-04-17 2023-04-09 2024-03-31 2025-04-20 ' +
    '2026-04-05 2027-03-28 2028-04-16 2029-04-01 2030-04-21 2031-04-13 2032-03-28 2033-04-17 2034-04-09 2035-03-25'
  ).split(' '),
);

/** What a person reads off a wall calendar, without any of the arithmetic under test. */
class WallDate {
  readonly #date: Date;
  readonly text: string;
  readonly year: number;
  readonly monthAndDay: string;
  readonly day: number;
  readonly weekday: string;

  constructor(text: string) {
    this.#date = new Date(`${text}T12:00:00Z`);
    this.text = text;
    this.year = Number(text.slice(0, 4));
    this.monthAndDay = text.slice(5);
    this.day = Number(text.slice(8));
    this.weekday = this.#date.toUTCString().slice(0, 3);
  }

  plus(days: number): WallDate {
    return new WallDate(new Date(this.#date.getTime() + days * 86_400_000).toISOString().slice(0, 10));
  }

  isIn(month: string, weekday: string, from: number, to: number): boolean {
    return this.monthAndDay.startsWith(month) && this.weekday === weekday && this.day >= from && this.day <= to;
  }

  get isWeekend(): boolean {
    return this.weekday === 'Sat' || this.weekday === 'Sun';
  }

  /** The day on which a date is observed, itself or the weekday next to it. */
  observes(monthAndDay: string): boolean {
    if (this.isWeekend) return false;
    if (this.monthAndDay === monthAndDay) return true;
    if (this.weekday === 'Fri') return this.plus(1).monthAndDay === monthAndDay;
    return this.weekday === 'Mon' && this.plus(-1).monthAndDay === monthAndDay;
  }
}

const isGoodFriday = (date: WallDate) => EASTER_SUNDAYS.has(date.plus(2).text);
const isThanksgiving = (date: WallDate) => date.isIn('11', 'Thu', 22, 28);
const isMourning = (date: WallDate) => date.text === '2018-12-05' || date.text === '2025-01-09';
/** On a Saturday it would be observed on a day of the year before, and is not. */
const isNewYear = (date: WallDate) => date.observes('01-01') && date.monthAndDay !== '12-31';
const isChristmas = (date: WallDate) => date.observes('12-25');

function isLesserHoliday(date: WallDate): boolean {
  return (
    date.isIn('01', 'Mon', 15, 21) ||
    date.isIn('02', 'Mon', 15, 21) ||
    date.isIn('05', 'Mon', 25, 31) ||
    (date.year >= 2022 && date.observes('06-19')) ||
    date.observes('07-04') ||
    date.isIn('09', 'Mon', 1, 7) ||
    isThanksgiving(date)
  );
}

function isHalfDay(date: WallDate): boolean {
  const isEve = date.monthAndDay === '07-03' || date.monthAndDay === '12-24';
  return (isEve && !date.plus(1).isWeekend) || isThanksgiving(date.plus(-1));
}

interface Model {
  readonly timeZone: string;
  readonly isOpen: (date: WallDate, time: string) => boolean;
}

function equities(opens: string, closes: string, halfDay: string): Model {
  return {
    timeZone: 'America/New_York',
    isOpen: (date, time) => {
      if (date.isWeekend || isNewYear(date) || isChristmas(date) || isGoodFriday(date)) return false;
      if (isLesserHoliday(date) || isMourning(date)) return false;
      return time >= opens && time < (isHalfDay(date) ? halfDay : closes);
    },
  };
}

const FUTURES: Model = {
  timeZone: 'America/Chicago',
  isOpen: (date, time) => {
    const isEvening = time >= '17:00';
    const trading = isEvening ? date.plus(1) : date;
    if (trading.isWeekend || isNewYear(trading) || isChristmas(trading)) return false;
    if (isGoodFriday(trading) && !trading.isIn('04', 'Fri', 1, 7)) return false;
    if (isEvening) return true;
    if (isGoodFriday(trading)) return time < '08:15';
    if (isMourning(trading)) return time < '08:30';
    if (isLesserHoliday(trading)) return time < '12:00';
    return time < (isHalfDay(trading) ? '12:15' : '16:00');
  },
};

const CURRENCIES: Model = {
  timeZone: 'America/New_York',
  isOpen: (date, time) => {
    const trading = time >= '17:00' ? date.plus(1) : date;
    return !trading.isWeekend && trading.monthAndDay !== '01-01' && trading.monthAndDay !== '12-25';
  },
};

const PAIRS: readonly [string, MarketCalendar, Model][] = [
  ['usEquities', usEquities(), equities('09:30', '16:00', '13:00')],
  ['usEquities, extended', usEquities({ hours: 'extended' }), equities('04:00', '20:00', '17:00')],
  ['usFutures', usFutures(), FUTURES],
  ['fxWeek', fxWeek(), CURRENCIES],
];

describe.each(PAIRS)('%s', (_, calendar, { timeZone, isOpen }) => {
  const clock = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  const expected = (at: number): boolean => {
    const [date = '', time = ''] = clock.format(at).split(' ');
    return isOpen(new WallDate(date), time);
  };

  it('agrees with a naive model, and with itself, on any instant from 2015 to 2035', () => {
    fc.assert(
      fc.property(fc.integer({ min: FROM, max: TO }), (at) => {
        const state = expected(at);
        expect(calendar.isOpen(at)).toBe(state);
        // Every change is on a quarter of an hour.
        let change = Math.floor(at / QUARTER_MS) * QUARTER_MS + QUARTER_MS;
        while (expected(change) === state) change += QUARTER_MS;
        expect(new Date(calendar.nextChange(at))).toEqual(new Date(change));
        expect(calendar.isOpen(change - 1)).toBe(state);
        expect(calendar.nextChange(change - 1)).toBe(change);
        expect(calendar.isOpen(change)).toBe(!state);
      }),
      { seed: 20_261_128, numRuns: 150 },
    );
  });

  it('agrees with the model on the morning and the afternoon of every day', () => {
    const wrong: string[] = [];
    for (let day = FROM; day < TO; day += 86_400_000) {
      for (const at of [day + 15 * 3_600_000, day + 19 * 3_600_000]) {
        if (calendar.isOpen(at) !== expected(at)) wrong.push(new Date(at).toISOString());
      }
    }
    expect(wrong).toEqual([]);
  });
});
