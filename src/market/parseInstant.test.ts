import { describe, expect, it } from 'vitest';
import { type EpochUnit, parseInstant } from './parseInstant.js';

describe('parseInstant', () => {
  const good: [time: string | number, unit: EpochUnit, expected: number][] = [
    ['2000-01-03', 'ms', Date.UTC(2000, 0, 3)],
    ['2024-02-29', 'ms', Date.UTC(2024, 1, 29)],
    ['1969-12-31', 'ms', -86_400_000],
    ['2024-01-02T14:30:00Z', 'ms', Date.UTC(2024, 0, 2, 14, 30)],
    ['2024-01-02T14:30', 'ms', Date.UTC(2024, 0, 2, 14, 30)],
    ['2024-01-02 14:30:15', 's', Date.UTC(2024, 0, 2, 14, 30, 15)],
    ['2024-01-02T14:30:00.25Z', 'ms', Date.UTC(2024, 0, 2, 14, 30, 0, 250)],
    ['2024-01-02T14:30:00.000125Z', 'ms', Date.UTC(2024, 0, 2, 14, 30) + 0.125],
    ['2024-01-02T14:30:00.000125499Z', 'ms', Date.UTC(2024, 0, 2, 14, 30) + 0.125],
    ['2024-01-02T09:30:00-05:00', 'ms', Date.UTC(2024, 0, 2, 14, 30)],
    ['2024-01-02T20:00:00+0530', 'ms', Date.UTC(2024, 0, 2, 14, 30)],
    [' 2024-01-02 ', 'ms', Date.UTC(2024, 0, 2)],
    ['1700000000', 's', 1_700_000_000_000],
    ['1700000000.5', 's', 1_700_000_000_500],
    [1_700_000_000_000, 'ms', 1_700_000_000_000],
    ['1700000000000125', 'us', 1_700_000_000_000.125],
    ['1700000000000125100', 'ns', 1_700_000_000_000.125],
    ['1.7e12', 'ms', 1_700_000_000_000],
    ['20240102', 'ms', Date.UTC(2024, 0, 2)],
    ['20240229', 'ms', Date.UTC(2024, 1, 29)],
    ['20240229', 's', 20_240_229_000],
    ['2100-01-01', 'ms', Date.UTC(2100, 0, 1)],
    ['2024-01-02T24:00', 'ms', Date.UTC(2024, 0, 3)],
    ['2024-01-02T14:30:00+14:00', 'ms', Date.UTC(2024, 0, 2, 0, 30)],
    [0, 'ms', 0],
  ];
  it.each(good)('takes %s in %s', (time, unit, expected) => {
    expect(parseInstant(time, unit)).toBe(expected);
  });

  it.each([
    '',
    'yesterday',
    '31/12/2020',
    '2023-02-29',
    '1900-02-29',
    '2023-13-01',
    '2023-00-10',
    '2023-04-31',
    '2023-04-00',
    '2024-01-02T24:01',
    '2024-01-02T14:60',
    '2024-01-02T14:30:60',
    '0024-01-02',
    '0x10',
    'Infinity',
    '2024-01-02Z',
    '20241301',
    '20230229',
    '2024-01-02T14:30+99:99',
    '2024-01-02T14:30+14:01',
    '2024-01-02T14:30-15:00',
    '2024-01-02T14:30+05:60',
  ])('refuses %j', (time) => {
    expect(parseInstant(time)).toBeNaN();
  });

  it('refuses numbers that are none', () => {
    expect(parseInstant(Number.POSITIVE_INFINITY, 's')).toBeNaN();
    expect(parseInstant(Number.NaN)).toBeNaN();
  });

  it('does not depend on the time zone of the machine', () => {
    const zone = process.env.TZ;
    try {
      process.env.TZ = 'America/New_York';
      expect(parseInstant('2024-07-01 12:00')).toBe(Date.UTC(2024, 6, 1, 12));
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });
});
