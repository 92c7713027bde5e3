import { describe, expect, it } from 'vitest';
import { by, held, play, refusing, Search, unnamed } from '../../test/support/refusedSearch.js';
import type { WriteFailure } from './batchFate.js';
import { RefusedItems } from './refusedItems.js';

describe('RefusedItems', () => {
  it('is neither held nor part of a probe before anything was refused', () => {
    const items = new RefusedItems({ items: ['a'], given: ['a'] });
    expect([items.isHeld, items.isContinued, items.isForeign]).toEqual([false, false, false]);
  });

  it('halves until the bad item stands alone, and gives it up when another was committed', () => {
    const search = new Search('abcdefgh', by('price'));
    expect(play(search, refusing('c'))).toEqual(['abcd!', 'ab', 'c!', 'defgh']);
    expect(search.letters).toEqual(['c3']);
    expect(search.items.rest.items).toEqual([]);
  });

  it('writes item by item after two bad ones in a row', () => {
    const search = new Search('abcdefgh', by('price'));
    expect(play(search, refusing('abc'))).toEqual([
      'abcd!',
      'ab!',
      'a!',
      'bcdefgh!',
      'bcde!',
      'bc!',
      'b!',
      'c!',
      'd',
      'efgh',
    ]);
    expect(search.letters).toEqual(['a4', 'b7', 'c6']);
  });

  it('gives up each item that is refused alone at once where nobody watches the table', () => {
    const search = new Search('ab', by('price'), { hasRefusals: false });
    expect(search.next()).toBe('a');
    search.refuse(by('price'));
    expect(search.letters).toEqual(['a2']);
    expect(search.next()).toBe('b');
    search.refuse(by('price'));
    expect(search.letters).toEqual(['a2', 'b2']);
    expect(search.next()).toBe('.');
  });

  it('asks the witness when five in a row were refused by one rule, and convicts them by it', () => {
    const search = new Search('abcdefg', by('price'), { witness: 'w' });
    expect(play(search, refusing('abcdefg')).slice(0, 12)).toEqual([
      ...['abcd!', 'ab!', 'a!', 'bcdefg!', 'bcd!', 'bc!', 'b!', 'c!', 'd!', 'e!', 'w', 'f!'],
    ]);
    expect(search.letters.map(([item]) => item).join('')).toBe('abcdefg');
    expect(search.items.isHeld).toBe(false);
  });

  it('says that the write of the witness is foreign, and no other', () => {
    const search = new Search('abcdefg', by('price'), { witness: 'w' });
    const foreign: boolean[] = [];
    for (let part = search.next(); part !== '.'; part = search.next()) {
      foreign.push(search.items.isForeign);
      expect(search.items.isForeign).toBe(part === 'w');
      if (part === 'w') search.commit();
      else search.refuse(by('price'));
    }
    expect(foreign.filter(Boolean)).toHaveLength(1);
  });

  it('gives up one that is refused for itself at once where it stands alone, and keeps those before it', () => {
    const search = new Search('abc', unnamed);
    expect(search.next()).toBe('ab');
    search.refuse(unnamed);
    expect(search.next()).toBe('a');
    search.refuse(unnamed);
    expect(search.letters).toEqual(['a3']);
    const other = new Search('ab', by('price'));
    expect(other.next()).toBe('a');
    other.refuse(by('price'));
    expect(other.next()).toBe('b');
    other.refuse(unnamed);
    // What is said of b says nothing of a.
    expect(other.letters).toEqual([]);
    expect(other.next()).toBe('.');
    expect(other.end().letters).toEqual(['a2', 'b2']);
  });

  it('does not take the refusal of an item for itself as the table’s, though another writer has blamed that', () => {
    const search = new Search('abc', by('price'));
    search.refusals.blame();
    expect(search.next()).toBe('ab');
    search.refuse(unnamed);
    expect(search.next()).toBe('a');
    search.refuse(unnamed);
    expect(search.letters).toEqual(['a3']);
    expect(search.items.isHeld).toBe(false);
  });

  describe('a sink that names what it refuses', () => {
    const naming = (...rejected: NonNullable<WriteFailure['rejected']>): WriteFailure => ({ ...by('price'), rejected });

    it('is believed: they are given up, in order, and the rest is written as a whole', () => {
      const search = new Search('abcdef', naming({ index: 4, error: 'fifth' }, { index: 1 }));
      expect(search.letters).toEqual(['b1', 'e1']);
      expect(search.errors).toEqual(['price', 'fifth']);
      expect(search.items.rest.items.join('')).toBe('acdf');
      expect(play(search, () => undefined)).toEqual(['acdf']);
    });

    it('is not believed where the place is outside of the batch', () => {
      const search = new Search('ab', naming({ index: 2 }));
      expect(search.letters).toEqual([]);
      expect(search.next()).toBe('a');
    });

    it('speaks of the part that it was given, and convicts the suspects before it', () => {
      const search = new Search('abcdef', by('price'));
      expect(search.next()).toBe('abc');
      search.refuse(by('price'));
      expect(search.next()).toBe('ab');
      search.refuse(by('price'));
      expect(search.next()).toBe('a');
      search.refuse(by('price'));
      expect(search.next()).toBe('bcdef');
      search.refuse(naming({ index: 0 }, { index: 2 }));
      expect(search.letters).toEqual(['a4', 'b4', 'd2']);
      expect(search.items.rest.items.join('')).toBe('cef');
      expect(play(search, () => undefined)).toEqual(['cef']);
    });

    it('speaks of the suspect that was written again, which is given up once, and of no other', () => {
      for (const [error, said] of [
        ['itself', 'itself'],
        [undefined, 'price'],
      ]) {
        const search = held('abcdefgh');
        expect(search.next()).toBe('a');
        search.refuse(naming({ index: 0, error }));
        expect(search.letters).toEqual(['a5']);
        expect(search.errors).toEqual([said]);
        expect(search.next()).toBe('b');
      }
    });
  });
});
