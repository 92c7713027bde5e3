import { describe, expect, it } from 'vitest';
import { sessionsOf } from '../../../test/support/marketSessions.js';
import { type UsEquitiesConfig, usEquities } from './usEquities.js';

const NEW_YORK = 'America/New_York';

interface PublishedYear {
  readonly source: string;
  readonly closed: string;
  readonly early: string;
}

const NYSE_GROUP = 'https://mondovisione.com/media-and-resources/news/nyse-group-announces-';
const LEAN =
  'https://github.com/QuantConnect/Lean/blob/master/Data/market-hours/market-hours-database.json (Equity-usa)';

/** Weekdays, as `MM-DD`, on which NYSE is closed, and on which it closes at 13:00. */
const PUBLISHED: Readonly<Record<number, PublishedYear>> = {
  2013: {
    source: LEAN,
    closed: '01-01 01-21 02-18 03-29 05-27 07-04 09-02 11-28 12-25',
    early: '07-03 11-29 12-24',
  },
  2014: {
    source: LEAN,
    closed: '01-01 01-20 02-17 04-18 05-26 07-04 09-01 11-27 12-25',
    early: '07-03 11-28 12-24',
  },
  2015: {
    source: LEAN,
    closed: '01-01 01-19 02-16 04-03 05-25 07-03 09-07 11-26 12-25',
    early: '11-27 12-24',
  },
  2016: {
    source: LEAN,
    closed: '01-01 01-18 02-15 03-25 05-30 07-04 09-05 11-24 12-26',
    early: '11-25',
  },
  2017: {
    source: LEAN,
    closed: '01-02 01-16 02-20 04-14 05-29 07-04 09-04 11-23 12-25',
    early: '07-03 11-24',
  },
  2018: {
    source: `${LEAN}; 12-05: the day of mourning for G. H. W. Bush`,
    closed: '01-01 01-15 02-19 03-30 05-28 07-04 09-03 11-22 12-05 12-25',
    early: '07-03 11-23 12-24',
  },
  2019: {
    source: LEAN,
    closed: '01-01 01-21 02-18 04-19 05-27 07-04 09-02 11-28 12-25',
    early: '07-03 11-29 12-24',
  },
  2020: {
    source: LEAN,
    closed: '01-01 01-20 02-17 04-10 05-25 07-03 09-07 11-26 12-25',
    early: '11-27 12-24',
  },
  2021: {
    source: `${NYSE_GROUP}2021-2022-and-2023-holiday-and-early-closings-calendar/`,
    closed: '01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24',
    early: '11-26',
  },
  2022: {
    source: `${NYSE_GROUP}2022-2023-and-2024-holiday-and-early-closings-calendar/`,
    closed: '01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26',
    early: '11-25',
  },
  2023: {
    source: `${NYSE_GROUP}2022-2023-and-2024-holiday-and-early-closings-calendar/`,
    closed: '01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25',
    early: '07-03 11-24',
  },
  2024: {
    source: `${NYSE_GROUP}2022-2023-and-2024-holiday-and-early-closings-calendar/`,
    closed: '01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25',
    early: '07-03 11-29 12-24',
  },
  2025: {
    source: `${NYSE_GROUP}2025-2026-and-2027-holiday-and-early-closings-calendar/; 01-09: the day of mourning for Carter`,
    closed: '01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25',
    early: '07-03 11-28 12-24',
  },
  2026: {
    source: `${NYSE_GROUP}2026-2027-and-2028-holiday-and-early-closings-calendar-20251223/`,
    closed: '01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25',
    early: '11-27 12-24',
  },
  2027: {
    source: `${NYSE_GROUP}2026-2027-and-2028-holiday-and-early-closings-calendar-20251223/`,
    closed: '01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24',
    early: '11-26',
  },
  2028: {
    source: `${NYSE_GROUP}2026-2027-and-2028-holiday-and-early-closings-calendar-20251223/`,
    closed: '01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25',
    early: '07-03 11-24',
  },
};

/** What the sessions of a year say of its weekdays, each by its date as `MM-DD`. */
function weekdays(config: UsEquitiesConfig, year: number): { readonly hours: Map<string, string>; closed: string[] } {
  const sessions = sessionsOf(usEquities(config), NEW_YORK, `${year}-01-01T05:00:00Z`, `${year + 1}-01-01T05:00:00Z`);
  const hours = new Map(sessions.map((session) => [session.slice(5, 10), session.slice(11)]));
  const closed: string[] = [];
  for (let at = Date.UTC(year, 0, 1); at < Date.UTC(year + 1, 0, 1); at += 86_400_000) {
    const date = new Date(at);
    const monthAndDay = date.toISOString().slice(5, 10);
    if (date.getUTCDay() % 6 !== 0 && !hours.has(monthAndDay)) closed.push(monthAndDay);
  }
  return { hours, closed };
}

describe('usEquities', () => {
  it.each(Object.entries(PUBLISHED).map(([year, published]) => ({ year: Number(year), ...published })))(
    'has the holidays and half-days of $year ($source)',
    ({ year, closed, early }) => {
      const halfDays = early.split(' ');
      for (const [hours, usual, short] of [
        ['regular', '09:30–16:00', '09:30–13:00'],
        ['extended', '04:00–20:00', '04:00–17:00'],
      ] as const) {
        const found = weekdays({ hours }, year);
        expect(found.closed.join(' ')).toBe(closed);
        const isShort = (date: string) => halfDays.includes(date);
        expect([...found.hours].filter(([, times]) => times === short).map(([date]) => date)).toEqual(halfDays);
        expect(new Set([...found.hours].filter(([date]) => !isShort(date)).map(([, times]) => times))).toEqual(
          new Set([usual]),
        );
      }
    },
  );

  it('has the same hours before and after each change of the clocks', () => {
    const utc = (from: string, to: string) => sessionsOf(usEquities(), 'UTC', from, to);
    expect(utc('2026-03-06T00:00:00Z', '2026-03-10T00:00:00Z')).toEqual([
      '2026-03-06 14:30–21:00',
      '2026-03-09 13:30–20:00',
    ]);
    expect(utc('2026-10-30T00:00:00Z', '2026-11-03T00:00:00Z')).toEqual([
      '2026-10-30 13:30–20:00',
      '2026-11-02 14:30–21:00',
    ]);
    expect(
      sessionsOf(usEquities({ hours: 'extended' }), 'UTC', '2026-10-30T00:00:00Z', '2026-11-04T00:00:00Z'),
    ).toEqual([
      '2026-10-30 08:00–2026-10-31 00:00',
      '2026-11-02 09:00–2026-11-03 01:00',
      '2026-11-03 09:00–2026-11-04 01:00',
    ]);
  });

  it('goes by what its user adds, which wins over the rules', () => {
    const changed = usEquities({
      closed: ['2026-11-24'],
      open: ['2026-11-26'],
      earlyCloses: { '2026-11-25': '12:00', '2026-11-27': '14:00' },
    });
    expect(sessionsOf(changed, NEW_YORK, '2026-11-23T00:00:00Z', '2026-11-30T00:00:00Z')).toEqual([
      '2026-11-23 09:30–16:00',
      '2026-11-25 09:30–12:00',
      '2026-11-26 09:30–16:00',
      '2026-11-27 09:30–14:00',
    ]);
  });

  it('finds the next session behind a long closing, and never later than the last of it', () => {
    const closed = Array.from({ length: 60 }, (_, day) =>
      new Date(Date.UTC(2027, 0, 4) + day * 86_400_000).toISOString().slice(0, 10),
    );
    const calendar = usEquities({ closed });
    expect(new Date(calendar.nextChange(Date.parse('2027-01-02T00:00:00Z'))).toISOString()).toBe(
      '2027-03-05T14:30:00.000Z',
    );
  });

  it.each<[string, UsEquitiesConfig, RegExp]>([
    ['unknown hours', { hours: 'all' as never }, /^usEquities: hours must be .* got "all"/],
    ['a date that is none', { closed: ['2026-02-30'] }, /^usEquities: closed must be dates .* got "2026-02-30"/],
    ['an open day that is none', { open: ['soon'] }, /open must be dates .* got "soon"/],
    ['a day of an early close', { earlyCloses: { soon: '13:00' } }, /earlyCloses must be dates .* got "soon"/],
    ['a time that is none', { earlyCloses: { '2026-11-27': '1pm' } }, /earlyCloses of 2026-11-27 .* got "1pm"/],
    [
      'a close that is late',
      { earlyCloses: { '2026-11-27': '16:00' } },
      /earlyCloses of 2026-11-27 must be after 09:30 and before 16:00, got "16:00"/,
    ],
    ['a close before the session', { earlyCloses: { '2026-11-27': '09:30' } }, /must be after 09:30 .* got "09:30"/],
    [
      'a day that is two things',
      { closed: ['2026-11-27'], open: ['2026-11-27'] },
      /2026-11-27 is named twice in closed, earlyCloses and open/,
    ],
    ['an unknown option', { holidays: [] } as never, /unknown option "holidays"/],
  ])('refuses %s', (_, config, message) => {
    expect(() => usEquities(config)).toThrow(RangeError);
    expect(() => usEquities(config)).toThrow(message);
  });

  it('refuses a time that is none', () => {
    expect(() => usEquities().isOpen(Number.NaN)).toThrow(RangeError);
    expect(() => usEquities().nextChange(Number.POSITIVE_INFINITY)).toThrow(RangeError);
  });
});
