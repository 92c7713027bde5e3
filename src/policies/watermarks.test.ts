import { describe, expect, it } from 'vitest';
import { watermarks } from './watermarks.js';

describe('watermarks', () => {
  it.each([
    [{}, { capacity: 10_000, high: 8_000, low: 5_000 }],
    [{ highWatermark: 0.5 }, { capacity: 10_000, high: 5_000, low: 2_500 }],
    [{ highWatermark: 0.6 }, { capacity: 10_000, high: 6_000, low: 5_000 }],
    [{ capacity: 1 }, { capacity: 1, high: 1, low: 0 }],
    [{ capacity: 2 }, { capacity: 2, high: 2, low: 1 }],
    [
      { capacity: 10, highWatermark: 1, lowWatermark: 0 },
      { capacity: 10, high: 10, low: 0 },
    ],
    [
      { capacity: 3, highWatermark: 0.5, lowWatermark: 0.49 },
      { capacity: 3, high: 2, low: 1 },
    ],
    [
      { capacity: 10, highWatermark: 0.3, lowWatermark: 0.299_999_999_999 },
      { capacity: 10, high: 3, low: 2 },
    ],
    [
      { capacity: 100, highWatermark: 0.55, lowWatermark: 0.29 },
      { capacity: 100, high: 55, low: 29 },
    ],
    [
      { capacity: 10, highWatermark: 0.01, lowWatermark: 0 },
      { capacity: 10, high: 1, low: 0 },
    ],
  ])('turns %j into whole items', (options, limits) => {
    expect(watermarks('op', options)).toEqual(limits);
  });

  it('refuses marks that cross, in the name of its owner', () => {
    expect(() => watermarks('op', { highWatermark: 0.3, lowWatermark: 0.3 })).toThrow(
      'op: lowWatermark must be below highWatermark, got 0.3 and 0.3',
    );
  });
});
