import { describe, expect, it } from 'vitest';
import { type Bar, barKey } from './bar.js';
import { foldBars } from './foldByKey.js';

const bar = (ts: number, close: number, seq?: number): Bar => ({
  kind: 'bar',
  vendor: 'acme',
  symbol: 'SPY',
  timeframe: '1m',
  ts,
  open: 1,
  high: 9,
  low: 1,
  close,
  volume: 0,
  ...(seq === undefined ? {} : { seq }),
});

describe('foldBars', () => {
  it('keeps of each key the version with the highest seq, whatever the order', () => {
    const older = bar(0, 1, 1);
    const newer = bar(0, 2, 2);
    for (const order of [
      [older, newer],
      [newer, older],
    ]) {
      expect([...foldBars(order).values()]).toEqual([newer]);
    }
  });

  it('keeps the earlier of equals, and the later of those without a seq, which are numbered as they come', () => {
    expect([...foldBars([bar(0, 1, 5), bar(0, 2, 5)]).values()]).toEqual([bar(0, 1, 5)]);
    expect([...foldBars([bar(0, 1), bar(0, 2)]).values()]).toEqual([bar(0, 2)]);
    expect([...foldBars([bar(0, 1), bar(0, 2, 5)]).values()]).toEqual([bar(0, 1)]);
  });

  it('keeps bars of other keys apart, in the order in which they came', () => {
    const others = [
      bar(1, 1),
      bar(0, 1),
      { ...bar(0, 1), symbol: 'QQQ' },
      { ...bar(0, 1), vendor: 'b' },
      { ...bar(0, 1), timeframe: '1h' },
    ];
    expect([...foldBars(others)]).toEqual(others.map((one) => [barKey(one), one]));
  });
});
