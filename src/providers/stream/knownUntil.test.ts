import { describe, expect, it } from 'vitest';
import type { Bar } from '../../market/bar.js';
import { knownAt } from './knownUntil.js';
import { noteRecord, SeriesTable } from './seriesTable.js';

const MINUTE = 60_000;
const T = 1_767_623_400_000;

function barOf(minute: number, isFinal: boolean): Bar {
  const prices = { open: 1, high: 1, low: 1, close: 1, volume: 1 };
  return { kind: 'bar', vendor: 'toy', symbol: 'A', timeframe: '1m', ts: T + minute * MINUTE, ...prices, isFinal };
}

describe('a series of bars', () => {
  it('is known up to its last final bar: the one before a forming one may still be corrected', () => {
    const table = new SeriesTable(['bar'], '1m');
    table.want(['A']);
    const state = table.get({ of: 'bar', symbol: 'A' })!;
    const known = (bar: Bar) => {
      noteRecord(state, bar, T + 10 * MINUTE);
      return (state.knownUntil! - T) / MINUTE;
    };
    expect(known(barOf(1, false))).toBe(0);
    expect(known(barOf(2, false))).toBe(1);
    expect(known(barOf(2, true))).toBe(2);
    expect(known(barOf(3, false))).toBe(2);
  });

  it('that was live in the middle of a bar misses that one and the one before', () => {
    expect(knownAt({ of: 'bar', timeframe: '1m' }, T + 2.5 * MINUTE)).toBe(T + MINUTE);
    expect(knownAt({ of: 'bar', timeframe: '5m' }, T + 2.5 * MINUTE)).toBe(T - 5 * MINUTE);
  });
});

it('a series of ticks is known up to the moment in which it was live', () => {
  expect(knownAt({ of: 'trade' }, T + 1.5)).toBe(T + 1.5);
});
