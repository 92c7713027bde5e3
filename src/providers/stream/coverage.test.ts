import { describe, expect, it } from 'vitest';
import { Coverage } from './coverage.js';

const hole = (from: number, to: number) => ({ series: { of: 'trade', symbol: 'A' } as const, from, to });

function covering(...seqs: number[]): Coverage {
  const coverage = new Coverage();
  for (const seq of seqs) coverage.add(seq);
  return coverage;
}

const among = (coverage: Coverage, to: number) =>
  Array.from({ length: to }, (_, i) => i + 1).filter((seq) => coverage.has(seq));

describe('what a connection has delivered', () => {
  it('is everything from its first record to its last', () => {
    expect(among(covering(3, 6), 9)).toEqual([3, 4, 5, 6]);
    expect(among(new Coverage(), 9)).toEqual([]);
  });

  it('lacks what may be in a hole: all of its step but for the records that came', () => {
    const coverage = covering(1, 2);
    coverage.lose(hole(20, 60));
    for (const seq of [3, 6, 7]) coverage.add(seq);
    expect(coverage.endStep()).toBe(true);
    coverage.add(9);
    expect(among(coverage, 10)).toEqual([1, 2, 3, 6, 7, 8, 9]);
    expect([...coverage.holesBeyond(6)]).toEqual([hole(20, 60)]);
    expect([...coverage.holesBeyond(7)]).toEqual([]);
  });

  it('lacks what may be in a hole that ends in a later step', () => {
    const coverage = covering(1);
    coverage.lose(hole(10, 40));
    expect(coverage.endStep()).toBe(false);
    expect([...coverage.holesBeyond(99)]).toEqual([hole(10, 40)]);
    coverage.add(4);
    expect([coverage.endStep(), among(coverage, 5)]).toEqual([true, [1, 4]]);
  });

  it('ends before a hole behind which nothing came', () => {
    const coverage = covering(1, 2);
    coverage.lose(hole(20, 40));
    coverage.end();
    expect([among(coverage, 5), [...coverage.holesBeyond(0)]]).toEqual([[1, 2], []]);
  });

  it('begins later where it has too many holes, whose spans become one', () => {
    const coverage = covering(1);
    for (let i = 1; i <= 1_001; i += 1) {
      coverage.lose(hole(i * 10, i * 10 + 1));
      coverage.add(1 + 2 * i);
      coverage.endStep();
    }
    expect(among(coverage, 7)).toEqual([3, 5, 7]);
    const [first, ...others] = coverage.holesBeyond(0);
    expect([first, others.length]).toEqual([hole(10, 21), 999]);
  });

  it('adds up what two holes of one step lack', () => {
    const coverage = covering(1);
    coverage.lose({ ...hole(10, 40), rows: 2 });
    coverage.lose({ ...hole(40, 50), rows: 3 });
    coverage.lose(hole(50, 60));
    expect([...coverage.holesBeyond(99)]).toEqual([{ ...hole(10, 60), rows: 5 }]);
  });
});
