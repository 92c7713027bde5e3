import { describe, expect, it } from 'vitest';
import { sessionsOf } from '../../../test/support/marketSessions.js';
import { type UsFuturesConfig, usFutures } from './usFutures.js';

const CHICAGO = 'America/Chicago';

/** Sessions by the date on which they close, as `2026-01-19 12:00`. */
function closes(from: string, to: string, config?: UsFuturesConfig): string[] {
  return sessionsOf(usFutures(config), CHICAGO, from, to).map((session) => session.split('–')[1] ?? '');
}

describe('usFutures', () => {
  it('trades from Sunday 17:00 to Friday 16:00, with a break of an hour per day', () => {
    expect(sessionsOf(usFutures(), CHICAGO, '2026-10-10T12:00:00Z', '2026-10-18T12:00:00Z')).toEqual([
      '2026-10-11 17:00–2026-10-12 16:00',
      '2026-10-12 17:00–2026-10-13 16:00',
      '2026-10-13 17:00–2026-10-14 16:00',
      '2026-10-14 17:00–2026-10-15 16:00',
      '2026-10-15 17:00–2026-10-16 16:00',
    ]);
  });

  it('has the same hours before and after each change of the clocks', () => {
    expect(sessionsOf(usFutures(), 'UTC', '2026-03-05T12:00:00Z', '2026-03-10T12:00:00Z')).toEqual([
      '2026-03-05 23:00–2026-03-06 22:00',
      '2026-03-08 22:00–2026-03-09 21:00',
      '2026-03-09 22:00–2026-03-10 21:00',
    ]);
    expect(sessionsOf(usFutures(), 'UTC', '2026-10-29T12:00:00Z', '2026-11-02T12:00:00Z')).toEqual([
      '2026-10-29 22:00–2026-10-30 21:00',
      '2026-11-01 23:00–2026-11-02 22:00',
    ]);
  });

  /**
   * Of equity index futures: https://www.cmegroup.com/tools-information/holiday-calendar.html, as reported by
   * https://edgeclear.com/exchange-holiday-hours/ (2026-01-19) and
   * https://docs.trade.xyz/consolidated-resources/holiday-closures (2026, in New York's time).
   */
  it.each([
    ['New Year’s Day', '2025-12-31T12:00:00Z', ['2026-01-02 16:00'], '2026-01-01 17:00'],
    [
      'Martin Luther King, Jr. Day',
      '2026-01-18T12:00:00Z',
      ['2026-01-19 12:00', '2026-01-20 16:00'],
      '2026-01-18 17:00',
    ],
    ['Presidents Day', '2026-02-15T12:00:00Z', ['2026-02-16 12:00', '2026-02-17 16:00'], '2026-02-15 17:00'],
    ['Good Friday with a report', '2026-04-02T12:00:00Z', ['2026-04-03 08:15', '2026-04-06 16:00'], '2026-04-02 17:00'],
    ['Memorial Day', '2026-05-24T12:00:00Z', ['2026-05-25 12:00', '2026-05-26 16:00'], '2026-05-24 17:00'],
    ['Juneteenth', '2026-06-18T12:00:00Z', ['2026-06-19 12:00', '2026-06-22 16:00'], '2026-06-18 17:00'],
    ['Independence Day', '2026-07-02T12:00:00Z', ['2026-07-03 12:00', '2026-07-06 16:00'], '2026-07-02 17:00'],
    ['Labor Day', '2026-09-06T12:00:00Z', ['2026-09-07 12:00', '2026-09-08 16:00'], '2026-09-06 17:00'],
    ['Thanksgiving', '2026-11-25T12:00:00Z', ['2026-11-26 12:00', '2026-11-27 12:15'], '2026-11-25 17:00'],
    ['Christmas', '2026-12-22T23:30:00Z', ['2026-12-24 12:15', '2026-12-28 16:00'], '2026-12-23 17:00'],
  ])('keeps the hours of %s of 2026', (_, from, expected, opens) => {
    const sessions = sessionsOf(usFutures(), CHICAGO, from, '2026-12-31T12:00:00Z');
    expect(sessions[0]?.slice(0, 16)).toBe(opens);
    expect(sessions.slice(0, expected.length).map((session) => session.split('–')[1])).toEqual(expected);
  });

  /** Days on which it closes other than at 16:00, of years before: the sources are beside them. */
  it.each([
    // https://daytradetowin.com/blog/july-4-independence-day-trading-holiday-hours/
    ['2017-07-02T12:00:00Z', ['2017-07-03 12:15', '2017-07-04 12:00', '2017-07-05 16:00']],
    // A Friday without the employment report: closed.
    ['2024-03-28T12:00:00Z', ['2024-04-01 16:00']],
    // https://www.forexlive.com/news/us-markets-closed-for-juneteenth-on-wednesday-june-19th-market-hours-impact-20240617/
    ['2024-06-18T12:00:00Z', ['2024-06-19 12:00', '2024-06-20 16:00']],
    // https://mondovisione.com/media-and-resources/news/cme-group-announces-trading-hours-for-us-national-day-of-mourning-to-honor-for/
    ['2025-01-08T12:00:00Z', ['2025-01-09 08:30', '2025-01-10 16:00']],
    // https://www.forexlive.com/news/reminder-us-markets-are-closed-on-monday-january-20-2025-20250119/
    ['2025-01-19T12:00:00Z', ['2025-01-20 12:00', '2025-01-21 16:00']],
    ['2025-04-17T12:00:00Z', ['2025-04-21 16:00']],
    // Good Friday on the first Friday of April, and on the second.
    ['2034-04-06T12:00:00Z', ['2034-04-07 08:15', '2034-04-10 16:00']],
    ['2039-04-07T12:00:00Z', ['2039-04-11 16:00']],
    // Sunday, 1 January 2023, was observed on Monday: it opened on Monday evening.
    ['2022-12-30T23:30:00Z', ['2023-01-03 16:00']],
    // Juneteenth was not observed before 2022.
    ['2021-06-17T12:00:00Z', ['2021-06-18 16:00', '2021-06-21 16:00']],
  ])('keeps the hours of other years: from %s on', (from, expected) => {
    const to = new Date(Date.parse(from) + 8 * 86_400_000).toISOString();
    expect(closes(from, to).slice(0, expected.length)).toEqual(expected);
  });

  it('goes by what its user adds', () => {
    const energy = { earlyCloses: { '2026-01-19': '13:30' }, open: ['2026-02-16'], closed: ['2026-01-21'] };
    expect(closes('2026-01-18T12:00:00Z', '2026-01-22T12:00:00Z', energy)).toEqual([
      '2026-01-19 13:30',
      '2026-01-20 16:00',
      '2026-01-22 16:00',
    ]);
    expect(closes('2026-02-15T12:00:00Z', '2026-02-16T12:00:00Z', energy)).toEqual(['2026-02-16 16:00']);
  });

  it('refuses a close that is none, and an unknown option', () => {
    expect(() => usFutures({ earlyCloses: { '2026-01-19': '16:30' } })).toThrow(
      /^usFutures: earlyCloses of 2026-01-19 must be before 16:00, got "16:30"/,
    );
    expect(() => usFutures({ close: [] } as never)).toThrow(/unknown option "close" \(did you mean "closed"\?/);
  });
});
