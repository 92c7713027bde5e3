import { describe, expect, test } from 'vitest';
import type { Bar } from '../../market/bar.js';
import type { Trade } from '../../market/trade.js';
import { MAX_RANKS, Ranker, rankedRecord } from './rankedRecord.js';

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

  test('a bar that is still forming is below every final one, whoever sends it', () => {
    const ohlc = { open: 1, high: 1, low: 1, close: 1, volume: 1 };
    const bar: Bar = { kind: 'bar', vendor: 'one', symbol: 'A', timeframe: '1m', ts: 0, ...ohlc };
    const forming = rankedRecord({ ...bar, isFinal: false, seq: 2 ** 51 - 1 }, 0, 'merged');
    const final = rankedRecord({ ...bar, isFinal: true, seq: 0 }, MAX_RANKS - 1, 'merged');
    expect(final.seq).toBeGreaterThan(forming.seq!);
    expect(rankedRecord({ ...bar, isFinal: false, seq: 8 }, 1, 'merged').seq).toBeGreaterThan(
      rankedRecord({ ...bar, isFinal: false, seq: 7 }, 0, 'merged').seq!,
    );
  });

  test('records without a version are numbered by their receipt, each above the one before', () => {
    let now = 5;
    const ranker = new Ranker(0, 'merged', () => now);
    const { seq: _, ...bare } = trade(1);
    const first = ranker.record(bare as Trade).seq!;
    const second = ranker.record(bare as Trade).seq!;
    now = 6;
    const third = ranker.record(bare as Trade).seq!;
    expect([second - first, third - first]).toEqual([1, 1_000]);
    expect(ranker.record(trade(9)).seq).toBe(rankedRecord(trade(9), 0, 'merged').seq);
  });
});
