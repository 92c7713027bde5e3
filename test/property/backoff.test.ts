import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff, type Jitter } from '../../src/policies/backoff.js';
import { Xoshiro128 } from '../../src/primitives/xoshiro128.js';
import { holds } from './holds.js';

const durations = fc.oneof(
  fc.constant(0),
  fc.double({ min: 0, max: 1e6, noNaN: true }),
  fc.integer({ min: 1, max: 5_000 }),
);
const configs = fc
  .record({
    first: durations,
    second: durations,
    multiplier: fc.oneof(fc.constant(1), fc.double({ min: 1, max: 10, noNaN: true }), fc.constant(Number.MAX_VALUE)),
    jitter: fc.constantFrom<Jitter>('full', 'equal', 'decorrelated', 'none'),
  })
  .map(({ first, second, ...config }) => ({
    ...config,
    initialMs: Math.min(first, second),
    maxMs: Math.max(first, second),
  }));
/** Where the waits have room to grow, and to be counted. */
const roomy = fc
  .record({
    initialMs: fc.integer({ min: 1, max: 1_000 }),
    room: fc.constantFrom(2, 10, 1_000, 1_000_000),
    multiplier: fc.double({ min: 1.1, max: 4, noNaN: true }),
    jitter: fc.constantFrom<Jitter>('full', 'equal', 'decorrelated'),
  })
  .map(({ room, ...config }) => ({ ...config, maxMs: config.initialMs * room }));
const chances = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
  minLength: 1,
  maxLength: 40,
});

/** The limits as they are told to children: the range of the n-th wait, worked out anew from the waits before. */
function range(
  { initialMs, maxMs, multiplier, jitter }: { initialMs: number; maxMs: number; multiplier: number; jitter: Jitter },
  before: readonly number[],
): [least: number, most: number] {
  if (jitter === 'decorrelated') {
    const last = before.at(-1) ?? initialMs;
    return [initialMs, Math.min(maxMs, Math.max(initialMs, last * multiplier))];
  }
  let cap = initialMs;
  for (let i = 0; i < before.length; i++) cap = Math.min(maxMs, cap * multiplier);
  if (jitter === 'none') return [cap, cap];
  return jitter === 'full' ? [0, cap] : [cap / 2, cap];
}

describe('Backoff', () => {
  it('keeps each wait in its range', () => {
    holds(
      'Backoff keeps each wait in its range',
      fc.property(configs, chances, (config, drawn) => {
        let next = 0;
        const backoff = new Backoff({ ...config, random: () => drawn[next++]! });
        const waits: number[] = [];
        for (let i = 0; i < drawn.length; i++) {
          const [least, most] = range(config, waits);
          const ms = backoff.nextMs();
          expect(ms).toBeGreaterThanOrEqual(least);
          expect(ms).toBeLessThanOrEqual(most);
          expect(ms).toBeLessThanOrEqual(config.maxMs);
          waits.push(ms);
        }
      }),
      { seed: 71, numRuns: 500 },
    );
  });

  it('grows with chance, and is spread evenly over its range', () => {
    holds(
      'Backoff is spread evenly over its range',
      fc.property(roomy, fc.integer({ min: 0, max: 6 }), fc.nat(), (config, failures, seed) => {
        const chance = Xoshiro128.fromSeed(seed);
        const parts = [0, 0, 0, 0];
        for (let i = 0; i < 200; i++) {
          const waits: number[] = [];
          let isLast = false;
          const drawn = (i + chance.unit()) / 200;
          const backoff = new Backoff({ ...config, random: () => (isLast ? drawn : 0.5) });
          for (let n = 0; n < failures; n++) waits.push(backoff.nextMs());
          isLast = true;
          const [least, most] = range(config, waits);
          // Where a decorrelated wait is cut to maxMs, it is not even.
          const isCut =
            config.jitter === 'decorrelated' && (waits.at(-1) ?? config.initialMs) * config.multiplier > config.maxMs;
          if (most - least < 1e-6 || isCut) return;
          parts[Math.min(3, Math.floor(((backoff.nextMs() - least) / (most - least)) * 4))]! += 1;
        }
        for (const part of parts) {
          expect(part).toBeGreaterThanOrEqual(49);
          expect(part).toBeLessThanOrEqual(51);
        }
      }),
      { seed: 72, numRuns: 100 },
    );
  });

  it('begins anew after reset, whatever came before', () => {
    holds(
      'Backoff begins anew after reset',
      fc.property(configs, chances, fc.nat(30), (config, drawn, failures) => {
        let next = 0;
        const random = () => drawn[next++ % drawn.length]!;
        const used = new Backoff({ ...config, random });
        for (let i = 0; i < failures; i++) used.nextMs();
        used.reset();
        next = 0;
        const after = Array.from({ length: 10 }, () => used.nextMs());
        next = 0;
        const fresh = new Backoff({ ...config, random });
        expect(after).toEqual(Array.from({ length: 10 }, () => fresh.nextMs()));
      }),
      { seed: 73, numRuns: 200 },
    );
  });
});
