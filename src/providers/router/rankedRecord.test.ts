import { describe, expect, test } from 'vitest';
import type { Trade } from '../../market/trade.js';
import { MAX_RANKS, rankedRecord } from './rankedRecord.js';

const trade = (seq: number): Trade => ({
  ...{ kind: 'trade', vendor: 'one', symbol: 'AAPL', id: '1', ts: 1, price: 1, size: 1, seq },
});

describe('rankedRecord', () => {
  test('a record of a higher rank has the higher version, whatever both versions were', () => {
    const ranks = Array.from({ length: MAX_RANKS }, (_, rank) => rank);
    const lowest = ranks.map((rank) => rankedRecord(trade(0), rank, 'merged').seq!);
    const highest = ranks.map((rank) => rankedRecord(trade(2 ** 51 - 1), rank, 'merged').seq!);
    for (const rank of ranks.slice(1)) expect(lowest[rank - 1]).toBeGreaterThan(highest[rank]!);
    expect([...lowest, ...highest].every(Number.isSafeInteger)).toBe(true);
  });

  test('of one provider, the newer version stays the newer one, and the vendor is that of the series', () => {
    const older = rankedRecord(trade(7), 1, 'merged');
    expect(rankedRecord(trade(8), 1, 'merged').seq).toBeGreaterThan(older.seq!);
    expect(older.vendor).toBe('merged');
  });

  test('a version that cannot be ranked is refused, and named', () => {
    expect(() => rankedRecord(trade(2 ** 51), 0, 'merged')).toThrow(/record of one has the seq 2251799813685248/);
    expect(() => rankedRecord(trade(-1), 0, 'merged')).toThrow(RangeError);
  });

  test('a gap record keeps its version', () => {
    const gap = {
      kind: 'gap',
      vendor: 'one',
      symbol: 'AAPL',
      of: 'trade',
      from: 1,
      to: 2,
      cause: 'stale',
      state: 'open',
    };
    expect(rankedRecord({ ...gap, seq: 2 ** 52 } as never, 0, 'merged')).toEqual({
      ...gap,
      vendor: 'merged',
      seq: 2 ** 52,
    });
  });
});
