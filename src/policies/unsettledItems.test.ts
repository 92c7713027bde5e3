import { describe, expect, it } from 'vitest';
import { UnsettledItems } from './unsettledItems.js';

const letters = ['a', 'b', 'c', 'd'];
const stamped = ['A', 'B', 'C', 'D'];

describe('UnsettledItems', () => {
  it('is the batch itself while nothing is settled', () => {
    const batch = { items: stamped, given: letters };
    expect(new UnsettledItems(batch).rest).toBe(batch);
  });

  it('leaves what is settled out of the rest, of both arrays', () => {
    const unsettled = new UnsettledItems({ items: stamped, given: letters });
    unsettled.from = 3;
    expect(unsettled.rest).toEqual({ items: ['D'], given: ['d'] });
    expect(unsettled.length).toBe(4);
  });

  it('cuts stamped and given items at the same places', () => {
    const unsettled = new UnsettledItems({ items: stamped, given: letters });
    expect(unsettled.slice(1, 3)).toEqual({ items: ['B', 'C'], given: ['b', 'c'] });
  });

  it('makes one array of a part whose items were not stamped', () => {
    const { items, given } = new UnsettledItems({ items: letters, given: letters }).slice(1, 3);
    expect(items).toEqual(['b', 'c']);
    expect(given).toBe(items);
  });

  it('counts for each item the refused parts that it was in', () => {
    const unsettled = new UnsettledItems({ items: letters, given: letters });
    expect(unsettled.attemptsAt(0)).toBe(0);
    unsettled.refused(0, 4);
    unsettled.refused(1, 2);
    expect([0, 1, 2, 3].map((at) => unsettled.attemptsAt(at))).toEqual([1, 2, 1, 1]);
  });

  it('keeps the items that are wanted, each with its attempts', () => {
    const unsettled = new UnsettledItems({ items: stamped, given: letters });
    unsettled.refused(0, 3);
    unsettled.refused(1, 2);
    unsettled.from = 1;
    unsettled.keep((at) => at === 1 || at === 3);
    expect(unsettled.from).toBe(0);
    expect(unsettled.rest).toEqual({ items: ['B', 'D'], given: ['b', 'd'] });
    expect([0, 1].map((at) => unsettled.attemptsAt(at))).toEqual([2, 0]);
  });

  it('goes on with one array where the items were not stamped', () => {
    const unsettled = new UnsettledItems({ items: letters, given: letters });
    unsettled.keep((at) => at > 1);
    const { items, given } = unsettled.rest;
    expect(items).toEqual(['c', 'd']);
    expect(given).toBe(items);
  });
});
