import { describe, expect, it } from 'vitest';
import { Xoshiro128 } from './xoshiro128.js';

describe('Xoshiro128', () => {
  it('gives the numbers of the reference implementation', () => {
    // From state 1, 2, 3, 4: xoshiro128starstar.c 1.1, as in the tests of the Rust crate rand_xoshiro.
    const random = new Xoshiro128(1, 2, 3, 4);
    expect(Array.from({ length: 10 }, () => random.uint32())).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  it('keeps to its ranges, and fills them evenly', () => {
    const random = Xoshiro128.fromSeed(1);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) {
      const unit = random.unit();
      expect(unit >= 0 && unit < 1).toBe(true);
      const digit = random.below(10);
      counts[digit] = counts[digit]! + 1;
    }
    // Ten counts of 10,000 with a standard deviation of 95 each.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(475);
  });

  it('differs for seeds that differ in any bit, and never stands still', () => {
    const seeds = [
      0,
      1,
      2,
      -1,
      2 ** 31,
      2 ** 32,
      2 ** 32 + 1,
      2 ** 52,
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
    ];
    const first = seeds.map((seed) => {
      const random = Xoshiro128.fromSeed(seed);
      return [random.uint32(), random.uint32(), random.uint32()].join();
    });
    expect(new Set(first).size).toBe(seeds.length);
    expect(first).not.toContain('0,0,0');
  });
});
