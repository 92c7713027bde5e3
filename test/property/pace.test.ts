import fc from 'fast-check';
import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { gatedSource } from '../../src/flow/gatedSource.js';
import { type PaceConfig, type PaceLimits, pace } from '../../src/operators/pace.js';
import { ProfilePacer } from '../../src/policies/pacingProfile.js';

interface Item {
  readonly id: number;
  readonly key: string;
  readonly weight: number;
}

const items = fc
  .array(fc.record({ pauseMs: fc.nat(25), key: fc.constantFrom('a', 'b', 'c'), weight: fc.nat(3) }), { maxLength: 50 })
  .map((list) => list.map((item, id) => ({ ...item, id })));

/** Plays items through `pace` on virtual time, from a source that obeys the gate, and says when each came out. */
function play(list: readonly (Item & { readonly pauseMs: number })[], config: PaceConfig<Item> & PaceLimits) {
  const scheduler = new VirtualTimeScheduler();
  const passed: { at: number; item: Item }[] = [];
  let completed = false;
  const source$ = gatedSource<Item>({ name: 'source' }, (outlet) => {
    let next = 0;
    const step = () => {
      const item = list[next];
      if (!item) return outlet.complete();
      outlet.whenOpen(() => {
        next += 1;
        outlet.next(item);
        scheduler.schedule(step, list[next]?.pauseMs ?? 0);
      });
    };
    scheduler.schedule(step, list[0]?.pauseMs ?? 0);
  });
  source$.pipe(pace({ ...config, scheduler })).subscribe({
    next: (item) => passed.push({ at: scheduler.now(), item }),
    complete: () => {
      completed = true;
    },
  });
  scheduler.flush();
  return { passed, completed, timersLeft: scheduler.actions.length };
}

describe('pace', () => {
  it('passes everything in order, holds rate + burst - 1 in any window, and leaves no timer', () => {
    const limits = fc.record({
      rate: fc.integer({ min: 1, max: 20 }),
      perMs: fc.integer({ min: 1, max: 30 }),
      burst: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(items, limits, (list, config) => {
        const { passed, completed, timersLeft } = play(list, config);
        expect(passed.map(({ item }) => item.id)).toEqual(list.map(({ id }) => id));
        expect(completed).toBe(true);
        expect(timersLeft).toBe(0);
        for (const { at } of passed) {
          const inside = passed.filter((other) => other.at >= at && other.at < at + config.perMs);
          expect(inside.length).toBeLessThanOrEqual(config.rate + config.burst - 1);
        }
      }),
      { seed: 51, numRuns: 200 },
    );
  });

  it('holds every window of a profile strictly', () => {
    const windows = fc.array(
      fc.record({ limit: fc.integer({ min: 3, max: 8 }), perMs: fc.integer({ min: 1, max: 60 }), keyed: fc.boolean() }),
      { minLength: 1, maxLength: 3 },
    );
    fc.assert(
      fc.property(items, windows, (list, rules) => {
        const profile = {
          windows: rules.map(({ limit, perMs, keyed }) => ({
            limit,
            perMs,
            weight: (item: Item) => item.weight,
            ...(keyed ? { by: (item: Item) => item.key } : {}),
          })),
        };
        const { passed, completed, timersLeft } = play(list, { profile });
        expect(passed).toHaveLength(list.length);
        expect(completed).toBe(true);
        expect(timersLeft).toBe(0);
        const total = (from: number, perMs: number, key?: string) =>
          passed
            .filter(({ at, item }) => at >= from && at < from + perMs && (key === undefined || item.key === key))
            .reduce((sum, { item }) => sum + item.weight, 0);
        for (const { limit, perMs, keyed } of rules) {
          for (const { at, item } of passed) {
            expect(total(at, perMs, keyed ? item.key : undefined)).toBeLessThanOrEqual(limit);
          }
        }
      }),
      { seed: 52, numRuns: 200 },
    );
  });

  it('agrees on every passage with windows that are added up anew each time', () => {
    const moments = fc.array(fc.record({ afterMs: fc.nat(15), key: fc.constantFrom('a', 'b'), weight: fc.nat(3) }), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(moments, fc.integer({ min: 3, max: 6 }), fc.integer({ min: 1, max: 40 }), (list, limit, perMs) => {
        const pacer = new ProfilePacer<Omit<Item, 'id'>>({
          windows: [
            { limit, perMs, by: ({ key }) => key, weight: ({ weight }) => weight },
            { limit: limit + 2, perMs },
          ],
        });
        const passed: { at: number; key: string; weight: number }[] = [];
        let now = 0;
        for (const { afterMs, key, weight } of list) {
          now += afterMs;
          const recent = passed.filter(({ at }) => at > now - perMs);
          const ofKey = recent.filter((other) => other.key === key).reduce((sum, other) => sum + other.weight, 0);
          const fits = ofKey + weight <= limit && recent.length + 1 <= limit + 2;
          const waitMs = pacer.take(now, pacer.price({ key, weight }));
          expect(waitMs === 0).toBe(fits || (weight === 0 && recent.length + 1 <= limit + 2));
          if (waitMs === 0) passed.push({ at: now, key, weight });
        }
      }),
      { seed: 53, numRuns: 200 },
    );
  });
});
