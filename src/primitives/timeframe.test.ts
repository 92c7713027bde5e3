import { describe, expect, it } from 'vitest';
import { timeframeMs } from './timeframe.js';

describe('timeframeMs', () => {
  it.each([
    ['30s', 30_000],
    ['1m', 60_000],
    ['15m', 900_000],
    ['4h', 14_400_000],
    ['1d', 86_400_000],
    ['1w', 604_800_000],
  ])('takes %s', (timeframe, ms) => {
    expect(timeframeMs(timeframe)).toBe(ms);
  });

  it.each(['', '1', 'm', '0m', '1M', '1y', '1.5h', '-1m', ' 1m', '1234567s'])('refuses %j', (timeframe) => {
    expect(() => timeframeMs(timeframe)).toThrow(
      new RangeError(
        `timeframe must be a number with one of s, m, h, d, w, such as 1m or 1d, got ${JSON.stringify(timeframe)}`,
      ),
    );
  });
});
