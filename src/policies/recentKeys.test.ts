import { describe, expect, it } from 'vitest';
import { RecentKeys } from './recentKeys.js';

describe('RecentKeys', () => {
  it('remembers a key for windowMs from when it was first met, not prolonged by repeats', () => {
    const keys = new RecentKeys(5, 10);
    expect([0, 5, 9, 10, 15, 20].map((now) => keys.isRepeated('a', now))).toEqual([
      false,
      true,
      true,
      false,
      true,
      false,
    ]);
  });

  it('forgets the oldest beyond max', () => {
    const keys = new RecentKeys(2);
    for (const key of ['a', 'b', 'a', 'c']) keys.isRepeated(key, 0);
    expect(keys.size).toBe(2);
    expect(keys.isRepeated('b', 0)).toBe(true);
    expect(keys.isRepeated('a', 0)).toBe(false);
  });

  it('forgets what is over when another key comes', () => {
    const keys = new RecentKeys(100, 10);
    for (let now = 0; now < 50; now++) keys.isRepeated(now, now);
    expect(keys.size).toBe(10);
  });

  it('tells 1 from "1"', () => {
    const keys = new RecentKeys(10);
    keys.isRepeated(1, 0);
    expect(keys.isRepeated('1', 0)).toBe(false);
  });

  it('forgets no later for a clock that is set back', () => {
    const keys = new RecentKeys(5, 10);
    keys.isRepeated('a', 1_000);
    expect(keys.isRepeated('a', 3)).toBe(true);
    expect(keys.isRepeated('a', 13)).toBe(false);
  });
});
