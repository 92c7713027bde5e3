import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GivenUp, WriteFailure } from '../../src/policies/batchFate.js';
import { RefusedItems } from '../../src/policies/refusedItems.js';
import { TableRefusals, Witness } from '../../src/policies/tableRefusals.js';
import { holds } from './holds.js';

/** An item: its place in the batch, and the rule that refuses it; '' for one without a name, `undefined` if it is good. */
interface Item {
  readonly at: number;
  readonly rule: string | undefined;
}

const rules = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  { weight: 5, arbitrary: fc.constantFrom('23514 (price)', '23514 (price)', '23502 (venue)', '23514') },
  { weight: 1, arbitrary: fc.constant('') },
);

/** Bad items come alone and in runs. */
const batches = fc
  .array(fc.record({ rule: rules, times: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 8 })) }), {
    minLength: 1,
    maxLength: 7,
  })
  .map((runs) => runs.flatMap(({ rule, times }) => Array<string | undefined>(times).fill(rule)))
  .map((found): Item[] => found.map((rule, at) => ({ at, rule })));

interface Course {
  readonly written: Item[];
  readonly letters: GivenUp<Item>[];
  readonly rest: readonly Item[];
  readonly holds: number;
  /** How many writes it took until it was held for the first time. */
  readonly writesBeforeHold: number;
}

/** Plays a batch to its end, or until it was held too often. The table refuses everything until so many holds have passed. */
function play(
  items: readonly Item[],
  refusedHolds: number,
  hasWitness: boolean,
  keyOf?: (item: Item) => number,
): Course {
  const refusals = new TableRefusals();
  const witness = new Witness();
  const seen: Item = { at: -1, rule: undefined };
  if (hasWitness) witness.saw([seen]);
  const batch = { items, given: items };
  const search = new RefusedItems<Item>(batch, { refusals, witness, keyOf });
  const written: Item[] = [];
  const letters: GivenUp<Item>[] = [];
  let holdsSeen = 0;
  let writes = 1;
  let writesBeforeHold = 0;
  const ruleOf = (part: readonly Item[]) =>
    holdsSeen < refusedHolds ? '42 (table)' : part.find(({ rule }) => rule !== undefined)?.rule;
  const failure = (rule: string): WriteFailure => ({
    error: rule,
    class: 'poison',
    hasCode: true,
    isLostConnection: false,
    retryAfterMs: 0,
    isBreakerHolding: false,
    refusal: rule === '' ? undefined : rule,
  });
  const first = ruleOf(items);
  if (first === undefined) return { written: [...items], letters, rest: [], holds: 0, writesBeforeHold };
  letters.push(...search.refused(batch, failure(first)));
  for (let part = search.next(); part; part = search.next()) {
    if (search.isHeld) {
      if (holdsSeen === 0) writesBeforeHold = writes;
      holdsSeen += 1;
      if (holdsSeen > 5 * items.length + 20)
        return { written, letters, rest: search.rest.items, holds: holdsSeen, writesBeforeHold };
    }
    writes += 1;
    const rule = ruleOf(part.items);
    if (rule !== undefined) {
      letters.push(...search.refused(part, failure(rule)));
      continue;
    }
    refusals.accepted();
    if (!search.isForeign) {
      written.push(...part.items);
      witness.saw(part.items);
    }
    letters.push(...search.written(part));
    if (writes > (holdsSeen + 5) * (items.length + 10)) throw new Error('too many writes');
  }
  letters.push(...search.convicted());
  return { written, letters, rest: search.rest.items, holds: holdsSeen, writesBeforeHold };
}

const placesOf = (items: readonly Item[]) => items.map(({ at }) => at);
const ascending = (places: readonly number[]) => [...places].sort((a, b) => a - b);

describe('RefusedItems', () => {
  it('writes every good item once, in order, and gives up every bad one alone, or holds bad ones that nothing speaks for', () => {
    let held = 0;
    holds(
      'RefusedItems tells bad items from a bad table',
      fc.property(batches, fc.boolean(), (items, hasWitness) => {
        const { written, letters, rest } = play(items, 0, hasWitness);
        const given = letters.flatMap(({ items: one }) => one);
        expect(ascending(placesOf([...written, ...given, ...rest]))).toEqual(placesOf(items));
        expect(placesOf(written)).toEqual(ascending(placesOf(written)));
        for (const { items: one, attempts } of letters) {
          expect(one).toHaveLength(1);
          expect(one[0]!.rule).toEqual(expect.any(String));
          expect(attempts).toBeGreaterThan(0);
        }
        if (rest.length === 0) return;
        held += 1;
        // A good item behind them would have spoken against them.
        expect(rest.every(({ rule }) => rule !== undefined)).toBe(true);
        expect(rest.length).toBeGreaterThanOrEqual(5);
      }),
      { seed: 5, numRuns: 1_000 },
    );
    expect(held).toBeGreaterThan(20);
  });

  it('gives up no good item while the table refuses everything, and finds that out with few writes', () => {
    holds(
      'RefusedItems keeps good items from a bad table',
      fc.property(batches, fc.integer({ min: 1, max: 20 }), fc.boolean(), (items, refusedHolds, hasWitness) => {
        fc.pre(items.length >= 5);
        const { written, letters, rest, writesBeforeHold } = play(items, refusedHolds, hasWitness);
        expect(writesBeforeHold).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(items.length)) + 8);
        const given = letters.flatMap(({ items: one }) => one);
        expect(given.every(({ rule }) => rule !== undefined)).toBe(true);
        // With keys, the order of each comes first.
        const keyed = play(items, refusedHolds, hasWitness, ({ at }) => at % 3).written;
        for (const key of [0, 1, 2]) {
          const places = placesOf(keyed).filter((at) => at % 3 === key);
          expect(places).toEqual(ascending(places));
        }
        expect(ascending(placesOf([...written, ...given, ...rest]))).toEqual(placesOf(items));
        expect(rest.every(({ rule }) => rule !== undefined)).toBe(true);
      }),
      { seed: 6, numRuns: 1_000 },
    );
  });
});
