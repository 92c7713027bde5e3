import { describe, expect, it } from 'vitest';
import { Bisection } from './bisection.js';

interface Write {
  readonly part: readonly number[];
  readonly result: 'written' | 'refused';
}

/** Writes all of `count` numbers to a sink that refuses a part with any of `bad` in it. */
function isolate(count: number, bad: readonly number[]) {
  const bisection = new Bisection(Array.from({ length: count }, (_, i) => i));
  const writes: Write[] = [];
  const isolated: number[] = [];
  for (let part = bisection.next(); part; part = bisection.next()) {
    const isRefused = part.some((item) => bad.includes(item));
    writes.push({ part, result: isRefused ? 'refused' : 'written' });
    if (!isRefused) bisection.written();
    else {
      const item = bisection.poisoned();
      if (item !== undefined) isolated.push(item);
    }
  }
  return { writes, isolated };
}

const shown = (writes: readonly Write[]) =>
  writes.map(({ part, result }) => `${part.join(' ')} ${result === 'refused' ? '#' : '|'}`);

describe('Bisection', () => {
  it('halves what is bad, from left to right, and then writes the rest whole', () => {
    const { writes, isolated } = isolate(8, [2]);
    expect(shown(writes)).toEqual(['0 1 2 3 #', '0 1 |', '2 #', '3 4 5 6 7 |']);
    expect(isolated).toEqual([2]);
  });

  it('halves the rest as well, if that is bad', () => {
    const { writes, isolated } = isolate(8, [0, 6]);
    expect(shown(writes)).toEqual([
      '0 1 2 3 #',
      '0 1 #',
      '0 #',
      '1 2 3 4 5 6 7 #',
      '1 2 3 4 |',
      '5 6 #',
      '5 |',
      '6 #',
      '7 |',
    ]);
    expect(isolated).toEqual([0, 6]);
  });

  it.each<[count: number, bad: number[]]>([
    [1, [0]],
    [2, [0]],
    [2, [1]],
    [3, [2]],
    [7, [0, 1, 2, 3, 4, 5, 6]],
    [9, [8]],
    [9, [0, 8]],
  ])('of %d items isolates %j', (count, bad) => {
    expect(isolate(count, bad).isolated).toEqual(bad);
  });

  it('isolates one bad item of 2,000 with at most 13 writes, wherever it stands', () => {
    let most = 0;
    for (let bad = 0; bad < 2_000; bad++) {
      const { writes, isolated } = isolate(2_000, [bad]);
      if (isolated.length !== 1 || isolated[0] !== bad) expect(isolated).toEqual([bad]);
      most = Math.max(most, writes.length);
    }
    expect(most).toBe(13);
  });

  it('takes no more than ⌈log₂ n⌉ + 2 writes for one bad item of n', () => {
    for (let count = 2; count <= 130; count++) {
      const most = Math.ceil(Math.log2(count)) + 2;
      for (let bad = 0; bad < count; bad++) {
        const { writes } = isolate(count, [bad]);
        if (writes.length > most) expect([count, bad, writes.length]).toEqual([count, bad, most]);
      }
    }
  });

  it('condemns no item of a batch that was refused for what its items are together', () => {
    const bisection = new Bisection(['a', 'b', 'c', 'd']);
    const written: string[] = [];
    for (let part = bisection.next(); part; part = bisection.next()) {
      written.push(...part);
      bisection.written();
    }
    expect(written).toEqual(['a', 'b', 'c', 'd']);
  });

  it('knows nothing of what is right of a part that was bad only together', () => {
    const bisection = new Bisection([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(bisection.next()).toEqual([0, 1, 2, 3]);
    bisection.poisoned();
    expect(bisection.next()).toEqual([0, 1]);
    bisection.written();
    expect(bisection.next()).toEqual([2]);
    bisection.written();
    expect(bisection.next()).toEqual([3]);
    bisection.written();
    expect(bisection.next()).toEqual([4, 5, 6, 7]);
  });

  it('gives the same part until its result is reported', () => {
    const bisection = new Bisection([1, 2, 3, 4]);
    expect(bisection.next()).toEqual([1, 2]);
    expect(bisection.next()).toEqual([1, 2]);
    bisection.written();
    expect(bisection.next()).toEqual([3]);
  });

  it('has nothing to write of nothing', () => {
    expect(new Bisection([]).next()).toBeUndefined();
  });

  it('takes no result of a part that it has not given', () => {
    const bisection = new Bisection([1, 2]);
    expect(() => bisection.written()).toThrow(/next\(\)/);
    expect(() => bisection.poisoned()).toThrow(/next\(\)/);
    bisection.next();
    bisection.written();
    expect(() => bisection.written()).toThrow(/next\(\)/);
    expect(bisection.next()).toEqual([2]);
  });

  it('leaves the items as they are', () => {
    const items = Object.freeze([1, 2, 3]);
    const bisection = new Bisection(items);
    for (let part = bisection.next(); part; part = bisection.next()) bisection.poisoned();
    expect(items).toEqual([1, 2, 3]);
  });
});
