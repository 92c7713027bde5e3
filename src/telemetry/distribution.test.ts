import { describe, expect, it } from 'vitest';
import { Distribution } from './distribution.js';

describe('a distribution', () => {
  it('puts a value at the first bound that is no smaller, and above all bounds at the end', () => {
    const distribution = new Distribution([1, 10]);
    for (const value of [0, 1, 1.5, 10, 11]) distribution.observe(value);
    expect(distribution).toMatchObject({ counts: [2, 2, 1], count: 5, sum: 23.5 });
  });

  it('adds up with another', () => {
    const one = new Distribution([1]);
    const other = new Distribution([1]);
    one.observe(0.5);
    other.observe(2);
    one.add(other);
    expect(one).toMatchObject({ counts: [1, 1], count: 2, sum: 2.5 });
  });
});
