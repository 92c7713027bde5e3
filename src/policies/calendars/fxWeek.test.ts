import { describe, expect, it } from 'vitest';
import { sessionsOf } from '../../../test/support/marketSessions.js';
import { fxWeek } from './fxWeek.js';

const NEW_YORK = 'America/New_York';

describe('fxWeek', () => {
  it('trades from Sunday 17:00 to Friday 17:00 without a break', () => {
    expect(sessionsOf(fxWeek(), NEW_YORK, '2026-10-10T12:00:00Z', '2026-10-24T12:00:00Z')).toEqual([
      '2026-10-11 17:00–2026-10-16 17:00',
      '2026-10-18 17:00–2026-10-23 17:00',
    ]);
  });

  it('follows the clocks of New York', () => {
    expect(sessionsOf(fxWeek(), 'UTC', '2026-02-28T12:00:00Z', '2026-03-14T12:00:00Z')).toEqual([
      '2026-03-01 22:00–2026-03-06 22:00',
      '2026-03-08 21:00–2026-03-13 21:00',
    ]);
    expect(sessionsOf(fxWeek(), 'UTC', '2026-10-24T12:00:00Z', '2026-11-07T12:00:00Z')).toEqual([
      '2026-10-25 21:00–2026-10-30 21:00',
      '2026-11-01 22:00–2026-11-06 22:00',
    ]);
  });

  /** https://www.cboe.com/about/hours/fx/ */
  it('rests on New Year’s Day and on Christmas Day, from the evening before', () => {
    expect(sessionsOf(fxWeek(), NEW_YORK, '2024-12-21T12:00:00Z', '2025-01-04T12:00:00Z')).toEqual([
      '2024-12-22 17:00–2024-12-24 17:00',
      '2024-12-25 17:00–2024-12-27 17:00',
      '2024-12-29 17:00–2024-12-31 17:00',
      '2025-01-01 17:00–2025-01-03 17:00',
    ]);
    expect(
      sessionsOf(fxWeek({ open: ['2024-12-25'] }), NEW_YORK, '2024-12-21T12:00:00Z', '2024-12-28T12:00:00Z'),
    ).toEqual(['2024-12-22 17:00–2024-12-27 17:00']);
  });

  it('is not shorter for a holiday on a weekend', () => {
    expect(sessionsOf(fxWeek(), NEW_YORK, '2022-12-24T12:00:00Z', '2023-01-07T12:00:00Z')).toEqual([
      '2022-12-25 17:00–2022-12-30 17:00',
      '2023-01-01 17:00–2023-01-06 17:00',
    ]);
  });

  it('refuses an unknown option', () => {
    expect(() => fxWeek({ holidays: [] } as never)).toThrow(/^fxWeek: unknown option "holidays"/);
  });
});
