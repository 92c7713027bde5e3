import { describe, expect, it } from 'vitest';
import { TokenBucket } from './tokenBucket.js';

/** When a bucket that is always asked lets tokens go, in milliseconds. */
function greedy(bucket: TokenBucket, untilMs: number): number[] {
  const taken: number[] = [];
  for (let now = 0; now <= untilMs; ) {
    const waitMs = bucket.take(now);
    if (waitMs === 0) taken.push(now);
    else now += waitMs;
  }
  return taken;
}

describe('TokenBucket', () => {
  it('spreads fractional intervals without drift', () => {
    expect(greedy(new TokenBucket({ rate: 3, perMs: 10 }), 30)).toEqual([0, 4, 7, 10, 14, 17, 20, 24, 27, 30]);
  });

  it('has given exactly rate × spans + 1 tokens after a long time', () => {
    expect(greedy(new TokenBucket({ rate: 7, perMs: 1_000 }), 1_000_000)).toHaveLength(7_001);
  });

  it('gives the items of one millisecond together at rates above one a millisecond', () => {
    const bucket = new TokenBucket({ rate: 5, perMs: 2 });
    expect(greedy(bucket, 4)).toEqual([0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4]);
  });

  it('lets what costs nothing pass at any time', () => {
    const bucket = new TokenBucket({ rate: 1, perMs: 10 });
    expect(bucket.take(0)).toBe(0);
    expect(bucket.take(0, 0)).toBe(0);
    expect(bucket.take(0)).toBe(10);
  });

  it('saves up no more than burst', () => {
    const bucket = new TokenBucket({ rate: 1, perMs: 10, burst: 3 });
    expect([0, 1, 2].map(() => bucket.take(5_000))).toEqual([0, 0, 0]);
    expect(bucket.take(5_000)).toBe(10);
    expect(bucket.take(5_009)).toBe(1);
    expect(bucket.take(5_010)).toBe(0);
  });

  it('says how long it is until the next token without taking one', () => {
    const bucket = new TokenBucket({ rate: 1, perMs: 10 });
    expect(bucket.readyInMs(0)).toBe(0);
    bucket.take(0);
    expect(bucket.readyInMs(4)).toBe(6);
    expect(bucket.readyInMs(10)).toBe(0);
    expect(bucket.take(10)).toBe(0);
  });

  it('lets what is heavier than burst go when full, and makes the next wait for the debt', () => {
    const bucket = new TokenBucket({ rate: 1, perMs: 10, burst: 2 });
    expect(bucket.take(0, 5)).toBe(0);
    expect(bucket.take(0, 1)).toBe(40);
    expect(bucket.take(40, 2)).toBe(10);
    expect(bucket.take(50, 2)).toBe(0);
  });

  it('lets what weighs nothing go at any time', () => {
    const bucket = new TokenBucket({ rate: 1, perMs: 10 });
    bucket.take(0);
    expect(bucket.take(0, 0)).toBe(0);
    bucket.take(10, 3);
    expect(bucket.take(10, 1)).toBe(30);
    expect(bucket.take(10, 0)).toBe(0);
  });

  it('neither stalls nor overdraws when the clock is set back', () => {
    const bucket = new TokenBucket({ rate: 1, perMs: 10 });
    bucket.take(1_000_000);
    expect(bucket.take(5)).toBe(10);
    expect(bucket.take(14)).toBe(1);
    expect(bucket.take(15)).toBe(0);
  });

  it.each([
    [{ rate: 0, perMs: 10 }, 'rate must be an integer of at least 1, got 0'],
    [{ rate: 0.5, perMs: 10 }, 'rate must be an integer of at least 1, got 0.5'],
    [{ rate: 1, perMs: 0 }, 'perMs must be an integer of at least 1, got 0'],
    [{ rate: 1, perMs: 1, burst: 0 }, 'burst must be an integer from 1 to 9007199254740990, got 0'],
    [{ rate: 1, perMs: 2 ** 52, burst: 3 }, 'burst must be an integer from 1 to 1, got 3'],
  ])('refuses %j', (config, message) => {
    expect(() => new TokenBucket(config)).toThrow(new RangeError(`TokenBucket: ${message}`));
  });

  it('makes up for a wait that took too long, at once and for one perMs at most', () => {
    const taken = (bucket: TokenBucket, now: number) => {
      let count = 0;
      while (bucket.take(now) === 0) count += 1;
      return count;
    };
    for (const [lateMs, made] of [
      [0, 1],
      [3, 4],
      [10, 11],
      [500, 11],
    ] as const) {
      const bucket = new TokenBucket({ rate: 10, perMs: 10 });
      expect(taken(bucket, 0)).toBe(1);
      expect(bucket.readyInMs(0)).toBe(1);
      const now = 1 + lateMs;
      bucket.makeUpFor(lateMs, now);
      expect(taken(bucket, now)).toBe(made);
      // What was made up for is over: a silence saves up no more than the burst.
      expect(taken(bucket, now + 1_000)).toBe(1);
    }
  });

  it('loses what is made up for and not taken', () => {
    const bucket = new TokenBucket({ rate: 10, perMs: 10 });
    bucket.take(0);
    bucket.makeUpFor(8, 9);
    expect(bucket.take(10)).toBe(0);
    expect(bucket.take(10)).toBe(1);
  });
});
