import { describe, expect, it } from 'vitest';
import { type MarketSessionsConfig, marketSessions } from './marketCalendar.js';

const at = (text: string) => Date.parse(text);
const NEVER = Number.POSITIVE_INFINITY;

const NEW_YORK = { timeZone: 'America/New_York', open: '09:30', close: '16:00' };
/** Opens on Sunday evening; an hour of rest each day; closed from Friday afternoon on. */
const CHICAGO = { timeZone: 'America/Chicago', open: '17:00', close: '16:00', days: [7, 1, 2, 3, 4] };
const ALWAYS = { timeZone: 'UTC', open: '00:00', close: '00:00', days: [1, 2, 3, 4, 5, 6, 7] };

/** The changes after `from`, each with the state that it brings. */
function changes(config: MarketSessionsConfig, from: string, count: number): string[] {
  const calendar = marketSessions(config);
  const found: string[] = [];
  for (let now = calendar.nextChange(at(from)); found.length < count && now < NEVER; now = calendar.nextChange(now)) {
    found.push(`${new Date(now).toISOString().slice(0, 16)} ${calendar.isOpen(now) ? 'open' : 'closed'}`);
    // The state just before is the other one.
    expect(calendar.isOpen(now - 1)).toBe(!calendar.isOpen(now));
  }
  return found;
}

describe('marketSessions', () => {
  it.each([
    ['2026-11-25T14:29:59.999Z', false],
    ['2026-11-25T14:30:00Z', true],
    ['2026-11-25T20:59:59.999Z', true],
    ['2026-11-25T21:00:00Z', false],
    ['2026-11-28T15:00:00Z', false],
    ['2026-11-29T15:00:00Z', false],
    ['2026-11-30T15:00:00Z', true],
    ['1969-12-31T15:00:00Z', true],
    ['1969-12-26T15:00:00Z', true],
    ['1969-12-28T15:00:00Z', false],
  ])('is open from open until close, on weekdays: at %s %s', (time, isOpen) => {
    expect(marketSessions(NEW_YORK).isOpen(at(time))).toBe(isOpen);
  });

  it('names each change, over a weekend', () => {
    expect(changes(NEW_YORK, '2026-11-26T15:00:00Z', 5)).toEqual([
      '2026-11-26T21:00 closed',
      '2026-11-27T14:30 open',
      '2026-11-27T21:00 closed',
      '2026-11-30T14:30 open',
      '2026-11-30T21:00 closed',
    ]);
  });

  it('goes by the clocks of the market when they are changed', () => {
    expect(changes(NEW_YORK, '2026-03-06T12:00:00Z', 4)).toEqual([
      '2026-03-06T14:30 open',
      '2026-03-06T21:00 closed',
      '2026-03-09T13:30 open',
      '2026-03-09T20:00 closed',
    ]);
    expect(changes(NEW_YORK, '2026-10-30T12:00:00Z', 4)).toEqual([
      '2026-10-30T13:30 open',
      '2026-10-30T20:00 closed',
      '2026-11-02T14:30 open',
      '2026-11-02T21:00 closed',
    ]);
    expect(changes({ timeZone: 'Australia/Sydney', open: '10:00', close: '16:00' }, '2026-10-01T12:00:00Z', 4)).toEqual(
      ['2026-10-02T00:00 open', '2026-10-02T06:00 closed', '2026-10-04T23:00 open', '2026-10-05T05:00 closed'],
    );
  });

  it('takes an hour that the clocks skip for the next, and the first of an hour that comes twice', () => {
    const night = { timeZone: 'America/New_York', open: '02:30', close: '04:00', days: [7] };
    expect(changes(night, '2026-03-07T12:00:00Z', 2)).toEqual(['2026-03-08T07:30 open', '2026-03-08T08:00 closed']);
    const early = { timeZone: 'America/New_York', open: '01:30', close: '04:00', days: [7] };
    expect(changes(early, '2026-10-31T12:00:00Z', 2)).toEqual(['2026-11-01T05:30 open', '2026-11-01T09:00 closed']);
    const late = { timeZone: 'America/New_York', open: '00:30', close: '01:30', days: [7] };
    expect(changes(late, '2026-10-31T12:00:00Z', 2)).toEqual(['2026-11-01T04:30 open', '2026-11-01T05:30 closed']);
  });

  it('has sessions over midnight, which belong to the day on which they open', () => {
    expect(changes(CHICAGO, '2026-11-19T12:00:00Z', 6)).toEqual([
      '2026-11-19T22:00 closed',
      '2026-11-19T23:00 open',
      '2026-11-20T22:00 closed',
      '2026-11-22T23:00 open',
      '2026-11-23T22:00 closed',
      '2026-11-23T23:00 open',
    ]);
    const calendar = marketSessions({ ...CHICAGO, holidays: ['2026-11-22'] });
    expect(calendar.isOpen(at('2026-11-22T23:30:00Z'))).toBe(false);
    expect(calendar.isOpen(at('2026-11-23T15:00:00Z'))).toBe(false);
    expect(calendar.isOpen(at('2026-11-23T23:30:00Z'))).toBe(true);
  });

  it('knows zones far from UTC, and with odd offsets', () => {
    const far = (timeZone: string) => changes({ timeZone, open: '09:00', close: '10:00' }, '2026-06-01T00:00:00Z', 2);
    expect(far('Pacific/Kiritimati')).toEqual(['2026-06-01T19:00 open', '2026-06-01T20:00 closed']);
    expect(far('Pacific/Pago_Pago')).toEqual(['2026-06-01T20:00 open', '2026-06-01T21:00 closed']);
    expect(far('Asia/Kathmandu')).toEqual(['2026-06-01T03:15 open', '2026-06-01T04:15 closed']);
  });

  it('is closed on holidays, and closes early on days with an early close', () => {
    const config = { ...NEW_YORK, holidays: ['2026-11-26'], earlyCloses: { '2026-11-27': '13:00' } };
    expect(changes(config, '2026-11-25T15:00:00Z', 4)).toEqual([
      '2026-11-25T21:00 closed',
      '2026-11-27T14:30 open',
      '2026-11-27T18:00 closed',
      '2026-11-30T14:30 open',
    ]);
    expect(changes({ ...CHICAGO, earlyCloses: { '2026-11-26': '12:15' } }, '2026-11-26T20:00:00Z', 3)).toEqual([
      '2026-11-26T22:00 closed',
      '2026-11-26T23:00 open',
      '2026-11-27T18:15 closed',
    ]);
  });

  it('takes sessions that touch for one', () => {
    const weekdays = { ...ALWAYS, days: [1, 2, 3, 4, 5] };
    expect(changes(weekdays, '2026-11-24T12:00:00Z', 3)).toEqual([
      '2026-11-28T00:00 closed',
      '2026-11-30T00:00 open',
      '2026-12-05T00:00 closed',
    ]);
  });

  it('never changes where it never closes, but for holidays, however far away', () => {
    const calendar = marketSessions(ALWAYS);
    expect(calendar.nextChange(at('2026-11-25T12:00:00Z'))).toBe(NEVER);
    expect(calendar.isOpen(at('2026-11-25T00:00:00Z'))).toBe(true);
    expect(changes({ ...ALWAYS, holidays: ['2027-12-25'] }, '2026-11-25T12:00:00Z', 9)).toEqual([
      '2027-12-25T00:00 closed',
      '2027-12-26T00:00 open',
    ]);
    expect(changes({ ...ALWAYS, earlyCloses: { '2027-12-24': '18:00' } }, '2026-11-25T12:00:00Z', 9)).toEqual([
      '2027-12-24T18:00 closed',
      '2027-12-25T00:00 open',
    ]);
  });

  it('finds the next session behind a row of holidays', () => {
    const holidays = Array.from({ length: 40 }, (_, day) =>
      new Date(at('2026-11-30T00:00:00Z') + day * 86_400_000).toISOString().slice(0, 10),
    );
    expect(changes({ ...NEW_YORK, days: [1], holidays }, '2026-11-25T00:00:00Z', 1)).toEqual(['2027-01-11T14:30 open']);
  });

  it('finds the session of the next week once that of the only day is over', () => {
    expect(changes({ ...NEW_YORK, days: [1] }, '2026-11-23T22:00:00Z', 2)).toEqual([
      '2026-11-30T14:30 open',
      '2026-11-30T21:00 closed',
    ]);
  });

  it('answers the same in any order of questions', () => {
    const asked = marketSessions(CHICAGO);
    const times = Array.from({ length: 400 }, (_, hour) => at('2026-10-25T00:30:00Z') + hour * 3_600_000);
    const forwards = times.map((time) => [asked.isOpen(time), asked.nextChange(time)]);
    const backwards = times.toReversed().map((time) => [asked.isOpen(time), asked.nextChange(time)]);
    expect(backwards.toReversed()).toEqual(forwards);
    expect(times.map((time) => marketSessions(CHICAGO).isOpen(time))).toEqual(forwards.map(([isOpen]) => isOpen));
  });

  it.each<[string, object, message: RegExp]>([
    ['an unknown zone', { timeZone: 'New York' }, /^marketSessions: timeZone must be the IANA name .* got "New York"/],
    ['no zone', { timeZone: '' }, /timeZone must be a string that is not empty/],
    ['open', { open: '9:30' }, /open must be a time from "00:00" to "23:59", got "9:30"/],
    ['a time with something before it', { open: 'at 09:30' }, /open must be a time .* got "at 09:30"/],
    ['a time with something behind it', { open: '09:30:00' }, /open must be a time .* got "09:30:00"/],
    ['a time in an array', { open: ['09:30'] as never }, /open must be/],
    ['a holiday in an array', { holidays: [['2026-12-25']] as never }, /holidays must be dates/],
    ['a holiday that is nothing', { holidays: [null] as never }, /holidays must be dates such as .* got null/],
    ['close', { close: '24:00' }, /close must be .* got "24:00"/],
    ['a close that is no text', { close: 16 }, /close must be .* got 16/],
    ['no days', { days: [] }, /days must be an array that is not empty/],
    ['days', { days: [0] }, /days\[0\] must be an integer from 1 to 7, got 0/],
    ['a holiday', { holidays: ['25.12.2026'] }, /holidays must be dates such as "2026-12-25", got "25.12.2026"/],
    ['a holiday that no calendar has', { holidays: ['2026-02-30'] }, /got "2026-02-30"/],
    ['a month that no calendar has', { holidays: ['2026-13-01'] }, /got "2026-13-01"/],
    ['a day of an early close', { earlyCloses: { tomorrow: '13:00' } }, /earlyCloses must be dates .* got "tomorrow"/],
    ['an early close in an array', { earlyCloses: { '2026-11-27': ['13:00'] } }, /earlyCloses of 2026-11-27 must be/],
    ['an early close', { earlyCloses: { '2026-11-27': '1pm' } }, /earlyCloses of 2026-11-27 must be a time .* "1pm"/],
    [
      'an early close that is late',
      { earlyCloses: { '2026-11-27': '17:00' } },
      /earlyCloses of 2026-11-27 must be before close, 16:00, got "17:00"/,
    ],
    ['an early close that is none', { earlyCloses: { '2026-11-27': '16:00' } }, /must be before close/],
    ['an early close before it opens', { earlyCloses: { '2026-11-27': '09:00' } }, /must be before close/],
    [
      'a day that is both',
      { holidays: ['2026-11-27'], earlyCloses: { '2026-11-27': '13:00' } },
      /2026-11-27 is in earlyCloses and in holidays/,
    ],
    ['a misspelt option', { holiday: [] }, /unknown option "holiday"/],
  ])('refuses %s', (_, config, message) => {
    expect(() => marketSessions({ ...NEW_YORK, ...config })).toThrow(RangeError);
    expect(() => marketSessions({ ...NEW_YORK, ...config })).toThrow(message);
  });

  it('refuses a time that is none, and does not call it closed', () => {
    expect(() => marketSessions(NEW_YORK).isOpen(Number.NaN)).toThrow(RangeError);
    expect(() => marketSessions(NEW_YORK).nextChange(Number.NaN)).toThrow(RangeError);
  });
});
