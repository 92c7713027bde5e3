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

  it('adds trades up, weighs the average price by volume, and is complete if both are', () => {
    const older = piece({ trades: 3, vwap: 10, volume: 100, isComplete: true, isFinal: true });
    const newer = piece({ trades: 4, vwap: 13, volume: 200, isComplete: true, isFinal: false });
    expect(mergeBars(older, newer)).toEqual(
      piece({ volume: 300, trades: 7, vwap: 12, isComplete: true, isFinal: false }),
    );
    expect(mergeBars(older, { ...newer, isComplete: false })).toMatchObject({ isComplete: false });
    expect(mergeBars({ ...older, isComplete: false }, piece({}))).toMatchObject({ isComplete: false });
  });

  it('does not know what one of the two does not know', () => {
    const full = piece({ trades: 3, vwap: 10, isComplete: true, isFinal: true });
    for (const bare of [piece({}), piece({ trades: null, vwap: null })]) {
      expect(mergeBars(full, bare)).toStrictEqual(piece({ volume: 200 }));
      expect(mergeBars(bare, full)).toStrictEqual(piece({ volume: 200, isFinal: true }));
    }
    // Nothing was traded, so there is no average.
    const idle = piece({ volume: 0, vwap: 10 });
    expect(mergeBars(idle, idle)).toStrictEqual(piece({ volume: 0 }));
  });
});
