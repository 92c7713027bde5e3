import { describe, expect, it } from 'vitest';
import type { Bar } from './bar.js';
import { mergeBars } from './mergeBars.js';

const piece = (bar: Partial<Bar>): Bar => ({
  kind: 'bar',
  vendor: 'test',
  symbol: 'SPY',
  timeframe: '1m',
  ts: 60_000,
  open: 10,
  high: 12,
  low: 9,
  close: 11,
  volume: 100,
  ...bar,
});

describe('mergeBars', () => {
  it('takes open and start of the older, close of the newer, extremes and volume of both', () => {
    const older = piece({ seq: 1 });
    const newer = piece({ ts: 61_000, open: 11, high: 11.5, low: 8, close: 8.5, volume: 50, seq: 2 });
    expect(mergeBars(older, newer)).toEqual(piece({ ts: 60_000, high: 12, low: 8, close: 8.5, volume: 150, seq: 2 }));
  });

  it('keeps a sequence that only one has, and changes neither piece', () => {
    const older = Object.freeze(piece({ seq: 1, high: 12 }));
    const newer = Object.freeze(piece({ high: 20 }));
    expect(mergeBars(older, newer)).toEqual(piece({ seq: 1, high: 20, volume: 200 }));
  });

  it('is associative, so that it does not matter how often downstream was closed', () => {
    const [a, b, c] = [piece({}), piece({ high: 30, close: 5 }), piece({ low: 1, volume: 7 })];
    expect(mergeBars(mergeBars(a, b), c)).toEqual(mergeBars(a, mergeBars(b, c)));
  });
});
