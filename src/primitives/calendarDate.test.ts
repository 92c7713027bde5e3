import { describe, expect, it } from 'vitest';
import { epochDay } from './calendarDate.js';

describe('epochDay', () => {
  it.each([
    ['1970-01-01', 0],
    ['1969-12-31', -1],
    ['2000-01-01', 10957],
    ['2000-02-29', 11016],
    ['2024-02-29', 19782],
    ['0100-01-01', -683_003],
    ['9999-12-31', 2_932_896],
  ])('%s is %d', (date, day) => {
    expect(epochDay(date)).toBe(day);
  });

  it('counts every day of four hundred years', () => {
    for (let day = -73_048; day < 73_049; day++) {
      expect(epochDay(new Date(day * 86_400_000).toISOString().slice(0, 10))).toBe(day);
    }
  });

  it.each([
    '',
    '2023-02-29',
    '1900-02-29',
    '2024-04-31',
    '2024-00-10',
    '2024-13-10',
    '2024-01-00',
    '2024-01-32',
    '0099-01-01',
    '2024/01/01',
    '2024-01-1',
    '2024-1-01',
    ' 024-01-01',
    '2024-01-0a',
    '-024-01-01',
    '2024-01-01Z',
    '２０２４-01-01',
  ])('%j is no date', (date) => {
    expect(epochDay(date)).toBeNaN();
  });
});
