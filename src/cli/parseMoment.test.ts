import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { moment, period } from './parseMoment.js';

const NOW = Date.UTC(2026, 10, 28, 12);
const DAY_MS = 86_400_000;

describe('period', () => {
  it.each([
    ['250ms', 250],
    ['15m', 900_000],
    ['1.5h', 5_400_000],
    ['30d', 30 * DAY_MS],
    ['2w', 14 * DAY_MS],
    ['3650d', 3650 * DAY_MS],
  ])('%s', (text, ms) => expect(period(text)).toBe(ms));

  it.each(['', '7', '0d', '-1d', '7days', '1d12h', '1e3d', ' 7d', '99999999w'])('refuses %j', (text) => {
    expect(() => period(text)).toThrow(InvalidArgumentError);
  });
});

describe('moment', () => {
  it.each([
    ['now', NOW],
    ['now-30d', NOW - 30 * DAY_MS],
    ['now-90s', NOW - 90_000],
    ['2026-11-01', Date.UTC(2026, 10, 1)],
    ['2026-11-01T09:30:00-05:00', Date.UTC(2026, 10, 1, 14, 30)],
    ['20261101', Date.UTC(2026, 10, 1)],
  ])('%s', (text, at) => expect(moment(text)(NOW)).toBe(at));

  it.each(['', 'now+1d', 'now-', 'now-1', 'now -1d', 'NOW', 'yesterday', '2026-13-01', '1764331200'])(
    'refuses %j in one sentence that shows what is accepted',
    (text) =>
      expect(() => moment(text)).toThrow(/^It must be now, a time before now such as now-30d, or a time such as/),
  );
});
