import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../src/policies/tokenBucket.js';

/** Requests as they come: the time since the last one, and how many are tried at that moment. */
const arrivals = fc.array(fc.record({ afterMs: fc.nat(40), tries: fc.integer({ min: 1, max: 12 }) }), {
  maxLength: 60,
});
const limits = fc.record({
  rate: fc.integer({ min: 1, max: 25 }),
  perMs: fc.integer({ min: 1, max: 30 }),
  burst: fc.integer({ min: 1, max: 6 }),
});

/** The bucket as it is told to children: credit of a whole history, summed up anew each time in whole numbers. */
class NaiveBucket {
  readonly #limits: { rate: number; perMs: number; burst: number };
  #now: number | undefined;
  #credit: bigint;

  constructor(limits: { rate: number; perMs: number; burst: number }) {
    this.#limits = limits;
    this.#credit = BigInt(limits.burst * limits.perMs);
  }

  take(now: number): boolean {
    const { rate, perMs, burst } = this.#limits;
    this.#now ??= now;
    for (; this.#now < now; this.#now++) {
      this.#credit += BigInt(rate);
      const most = BigInt(burst * perMs + rate - 1);
      if (this.#credit > most) this.#credit = most;
    }
    if (this.#credit < BigInt(perMs)) return false;
    this.#credit -= BigInt(perMs);
    return true;
  }
}

function mostInWindow(times: readonly number[], perMs: number): number {
  return times.reduce((most, start) => {
    const inside = times.filter((time) => time >= start && time < start + perMs).length;
    return Math.max(most, inside);
  }, 0);
}

describe('TokenBucket', () => {
  it('lets no half-open window hold more than rate + burst - 1', () => {
    fc.assert(
      fc.property(limits, arrivals, ({ rate, perMs, burst }, moments) => {
        const bucket = new TokenBucket({ rate, perMs, burst });
        const taken: number[] = [];
        let now = 0;
        for (const { afterMs, tries } of moments) {
          now += afterMs;
          for (let i = 0; i < tries; i++) if (bucket.take(now) === 0) taken.push(now);
        }
        expect(mostInWindow(taken, perMs)).toBeLessThanOrEqual(rate + burst - 1);
      }),
      { seed: 41, numRuns: 300 },
    );
  });

  it('reaches that bound: it is not lower for the sake of safety', () => {
    fc.assert(
      fc.property(limits, ({ rate, perMs, burst }) => {
        const bucket = new TokenBucket({ rate, perMs, burst });
        let taken = 0;
        for (let now = 0; now < perMs; now++) while (bucket.take(now) === 0) taken += 1;
        // The first window after a silence in which no credit beyond burst was there.
        expect(taken).toBe(Math.floor((burst * perMs + rate * (perMs - 1)) / perMs));
      }),
      { seed: 42, numRuns: 200 },
    );
  });

  it('agrees with a naive model', () => {
    fc.assert(
      fc.property(limits, arrivals, (config, moments) => {
        const bucket = new TokenBucket(config);
        const model = new NaiveBucket(config);
        let now = 0;
        for (const { afterMs, tries } of moments) {
          now += afterMs;
          for (let i = 0; i < tries; i++) expect(bucket.take(now) === 0).toBe(model.take(now));
        }
      }),
      { seed: 43, numRuns: 300 },
    );
  });

  it('names the very millisecond: not a token before it, a token in it', () => {
    fc.assert(
      fc.property(limits, arrivals, ({ rate, perMs, burst }, moments) => {
        const bucket = new TokenBucket({ rate, perMs, burst });
        const model = new NaiveBucket({ rate, perMs, burst });
        let now = 0;
        for (const { afterMs, tries } of moments) {
          now += afterMs;
          for (let i = 0; i < tries; i++) {
            let waitMs = bucket.take(now);
            if (waitMs > 0) {
              expect(model.take(now + waitMs - 1)).toBe(false);
              now += waitMs;
              waitMs = bucket.take(now);
            }
            expect(waitMs).toBe(0);
            expect(model.take(now)).toBe(true);
          }
        }
      }),
      { seed: 44, numRuns: 300 },
    );
  });

  it('holds rate - 1 + max(burst, heaviest) where items have weights', () => {
    fc.assert(
      fc.property(
        limits,
        fc.array(fc.tuple(fc.nat(20), fc.integer({ min: 0, max: 9 })), { maxLength: 60 }),
        (config, items) => {
          const { rate, perMs, burst } = config;
          const bucket = new TokenBucket(config);
          const taken: { at: number; weight: number }[] = [];
          let now = 0;
          for (const [afterMs, weight] of items) {
            now += afterMs;
            const waitMs = bucket.take(now, weight);
            if (waitMs > 0) {
              now += waitMs;
              expect(bucket.take(now, weight)).toBe(0);
            }
            taken.push({ at: now, weight });
          }
          const heaviest = Math.max(0, ...items.map(([, weight]) => weight));
          for (const { at } of taken) {
            const inside = taken.filter((other) => other.at >= at && other.at < at + perMs);
            const total = inside.reduce((sum, { weight }) => sum + weight, 0);
            expect(total).toBeLessThanOrEqual(rate - 1 + Math.max(burst, heaviest));
          }
        },
      ),
      { seed: 45, numRuns: 300 },
    );
  });
});
