import { describe, expect, it } from 'vitest';
import { readOptions } from '../../primitives/options.js';
import { DAYS_OPTIONS, type Days, type DaysConfig, daysIn, daysText, originMs, parseDays } from './days.js';

const read = (config: object) => readOptions('migrate: days', config as DaysConfig, DAYS_OPTIONS);

describe('the days of a rollup', () => {
  it('begin at midnight where no time is given', () => {
    expect(read({ timeZone: 'Europe/Berlin' })).toEqual({ timeZone: 'Europe/Berlin', startsAt: '00:00' });
  });

  it.each(['UTC', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5', 'America/Port-au-Prince'])(
    'may be of %s',
    (timeZone) => {
      expect(read({ timeZone }).timeZone).toBe(timeZone);
    },
  );

  // Each of these is one time in JavaScript and another one in Postgres, or in one of the two none.
  it.each(['+05:30', '-03:00', 'IST', 'EST5EDT', 'GMT+5', 'America/Nowhere', 'utc', '', "x'; DROP", 5])(
    'are never of what two programs read in two ways: %j',
    (timeZone) => {
      expect(() => read({ timeZone })).toThrow(/days: timeZone must be the IANA name of a time zone/);
    },
  );

  it.each(['24:00', '7:00', '17:60', '17', 17])('refuses to begin at %j', (startsAt) => {
    expect(() => read({ timeZone: 'UTC', startsAt })).toThrow(/days: startsAt must be a time of day/);
  });

  it('need a zone', () => {
    expect(() => read({ startsAt: '17:00' })).toThrow(/timeZone must be/);
  });

  it.each<[Days, string]>([
    [{ timeZone: 'UTC', startsAt: '00:00' }, '2000-01-03T00:00:00.000Z'],
    [{ timeZone: 'America/New_York', startsAt: '17:00' }, '2000-01-03T22:00:00.000Z'],
    [{ timeZone: 'Asia/Kolkata', startsAt: '09:15' }, '2000-01-03T03:45:00.000Z'],
    [{ timeZone: 'Australia/Sydney', startsAt: '00:00' }, '2000-01-02T13:00:00.000Z'],
  ])('begin in %j at %s', (days, origin) => {
    expect(new Date(originMs(days)).toISOString()).toBe(origin);
    expect(daysIn(`sluice rollup: made of the bars of 1m, with ${daysText(days)}`)).toEqual(days);
  });

  it.each([
    ['America/New_York', { timeZone: 'America/New_York', startsAt: '00:00' }],
    ['America/New_York@17:00', { timeZone: 'America/New_York', startsAt: '17:00' }],
    ['America/New_York@', undefined],
    ['@17:00', undefined],
    ['America/New_York@17:00@1', undefined],
    ['+05:30', undefined],
  ])('are read from %j on the command line', (text, days) => {
    expect(parseDays(text)).toEqual(days);
  });

  it('are not found in a comment that tells of none', () => {
    expect(daysIn('sluice rollup: made of the bars of 1m')).toBeUndefined();
  });
});
