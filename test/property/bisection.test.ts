import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bisection } from '../../src/policies/bisection.js';
import { holds } from './holds.js';

/** How many items there are, and which of them are bad. */
const batches = fc
  .integer({ min: 1, max: 200 })
  .chain((count) =>
    fc.tuple(
      fc.constant(count),
      fc.oneof(
        fc.uniqueArray(fc.nat(count - 1), { minLength: 1, maxLength: 4 }),
        fc.uniqueArray(fc.nat(count - 1), { minLength: 1, maxLength: count }),
      ),
    ),
  );

describe('Bisection', () => {
  it('isolates the bad items, and writes every other once and in order', () => {
    holds(
      'Bisection isolates the bad items',
      fc.property(batches, ([count, badOnes]) => {
        const bad = new Set(badOnes);
        const items = Array.from({ length: count }, (_, i) => ({ i }));
        const bisection = new Bisection(items);
        const written: number[] = [];
        const isolated: number[] = [];
        /** Parts that must hold a bad item: they were refused, or what was left of such a part was. The batch was, too. */
        const knownBad = [items.length === 1 ? '' : `0-${count}`];
        let writes = 0;
        for (let part = bisection.next(); part; part = bisection.next()) {
          writes += 1;
          const from = part[0]!.i;
          // The parts stand in the batch as they are, and begin where the last settled item was.
          expect(part).toEqual(items.slice(from, from + part.length));
          expect(from).toBe(written.length + isolated.length);
          expect(knownBad).not.toContain(`${from}-${from + part.length}`);
          if (part.some(({ i }) => bad.has(i))) {
            const item = bisection.poisoned();
            if (part.length > 1) {
              knownBad.push(`${from}-${from + part.length}`);
              expect(item).toBeUndefined();
            } else {
              expect(item).toBe(part[0]);
              isolated.push(from);
            }
          } else {
            bisection.written();
            written.push(...part.map(({ i }) => i));
          }
        }
        expect(isolated).toEqual([...bad].sort((a, b) => a - b));
        expect(written).toEqual(items.map(({ i }) => i).filter((i) => !bad.has(i)));
        expect(writes).toBeLessThanOrEqual(bad.size * (Math.ceil(Math.log2(count)) + 2));
        expect(bisection.next()).toBeUndefined();
      }),
      { seed: 81, numRuns: 500 },
    );
  });

  it('ends and settles every item once, whatever the sink says of whatever part', () => {
    holds(
      'Bisection ends whatever the sink says',
      fc.property(fc.integer({ min: 1, max: 60 }), fc.infiniteStream(fc.boolean()), (count, answers) => {
        const bisection = new Bisection(Array.from({ length: count }, (_, i) => i));
        const settled: number[] = [];
        let writes = 0;
        for (let part = bisection.next(); part; part = bisection.next()) {
          writes += 1;
          expect(writes).toBeLessThanOrEqual(count * 9);
          if (answers.next().value) {
            settled.push(...part);
            bisection.written();
          } else {
            const item = bisection.poisoned();
            // Only what was refused all alone is given up.
            expect(item).toBe(part.length === 1 ? part[0] : undefined);
            if (item !== undefined) settled.push(item);
          }
        }
        expect(settled).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
      { seed: 82, numRuns: 300 },
    );
  });
});
