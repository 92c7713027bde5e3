import { describe, expect, it } from 'vitest';
import { blamed, by, held, play, refusing, Search, unnamed } from '../../test/support/refusedSearch.js';
import { RefusedItems } from './refusedItems.js';
import { TableRefusals } from './tableRefusals.js';

describe('RefusedItems of a table that refuses every row', () => {
  it('holds the batch when the witness is refused, and gives nothing up', () => {
    const search = new Search('abcdefg', by('price'), { witness: 'w' });
    const writes = play(search, () => by('price'), 11);
    expect(writes.at(-1)).toBe('w!');
    expect(search.items.isHeld).toBe(true);
    expect(search.letters).toEqual([]);
    expect(search.items.rest.items.join('')).toBe('abcdefg');
  });

  it('holds without a witness, and for a missing partition whatever the witness', () => {
    for (const [rule, witness] of [
      ['price', undefined],
      ['23514', 'w'],
    ] as const) {
      const search = new Search('abcdefg', by(rule), witness === undefined ? {} : { witness });
      expect(play(search, () => by(rule), 10).at(-1)).toBe('e!');
      expect(search.items.isHeld).toBe(true);
      expect(search.letters).toEqual([]);
    }
  });

  it('probes with the first suspect and a few items behind all of them, as one probe', () => {
    const search = new Search('abcdefghijkl', by('price'));
    const writes = play(search, () => by('price'), 40);
    // Held after the fifth; each probe: the first suspect, then the items behind, four at most, all but the first continued.
    const first = writes.findIndex((write) => write.startsWith('~'));
    expect(writes.slice(first, first + 5)).toEqual(['~a!', '+f!', '+g!', '+h!', '+i!']);
    expect(writes.slice(first + 5, first + 9)).toEqual(['~a!', '+j!', '+k!', '+l!']);
    expect(writes[first + 9]).toBe('~a!');
    expect(search.letters).toEqual([]);
  });

  it('tries one more suspect per four probes', () => {
    const search = new Search('abcdef', by('price'));
    const writes = play(search, () => by('price'), 60);
    const probes = writes.join(' ').split(' ~').slice(1);
    expect(probes.slice(0, 10)).toEqual([
      ...['a! +f!', 'a!', 'a!', 'a!', 'a! +b!', 'a! +b!', 'a! +b!', 'a! +b!', 'a! +b! +c!', 'a! +b! +c!'],
    ]);
    // Each has been written so often.
    const timesOf = (item: string) => 1 + writes.filter((write) => write.includes(item)).length;
    expect(search.end().letters).toEqual([...'abcdef'].map((item) => `${item}${timesOf(item)}`));
  });

  it('waits a second for the table at first, then a tenth longer each time, and a minute at most', () => {
    const search = new Search('abcdef', by('price'));
    const waits: number[] = [];
    for (let part = search.next(), n = 0; n < 400; n += 1, part = search.next()) {
      if (search.items.isHeld) waits.push(search.items.holdMs);
      expect(part).not.toBe('.');
      search.refuse(by('price'));
    }
    expect(waits[0]).toBe(1_000);
    expect(waits[1]).toBeCloseTo(1_100);
    expect(waits[2]).toBeCloseTo(1_210);
    expect(Math.max(...waits)).toBe(60_000);
  });

  it('goes on with everything when the table takes rows again, and waits a second the next time', () => {
    const search = held('abcdefg');
    const table = by('price');
    for (let probes = 0; probes < 3; ) {
      search.next();
      probes += Number(search.refuse(table).items.isHeld);
    }
    expect(search.items.holdMs).toBeGreaterThan(1_200);
    expect(search.next()).toBe('a');
    search.commit();
    expect(search.items.isHeld).toBe(false);
    expect(search.items.isContinued).toBe(false);
    expect(search.next()).toBe('bcdefg');
    while (!search.refuse(table).items.isHeld) search.next();
    expect(search.items.holdMs).toBe(1_000);
    // Now there is a witness.
    expect(play(search, () => undefined)).toEqual(['~a', '~b', 'cdefg']);
    expect(search.letters).toEqual([]);
  });

  it('looks anew at the rest, where the table was blamed half-way and has taken a suspect since', () => {
    const search = new Search('abcd', by('price'));
    expect(play(search, refusing('a'), 2)).toEqual(['ab!', 'a!']);
    expect(search.next()).toBe('bcd');
    search.refusals.blame();
    search.refuse(by('price'));
    expect(search.items.isHeld).toBe(true);
    expect(play(search, () => undefined)).toEqual(['~a', 'bcd']);
    expect(search.letters).toEqual([]);
  });

  it('needs no witness to find that the table is to blame', () => {
    const items = [...'abcde'];
    const batch = { items, given: items };
    const search = new RefusedItems(batch, { refusals: new TableRefusals() });
    search.refused(batch, by('price'));
    for (let part = search.next(); part && !search.isHeld; part = search.next()) search.refused(part, by('price'));
    expect(search.isHeld).toBe(true);
    expect(search.rest.items).toEqual(items);
  });

  it('convicts what the probe was refused when an item behind it is committed, and tries the other suspects again', () => {
    const search = held('abcdefgh');
    expect(search.next()).toBe('a');
    search.refuse(by('price'));
    expect(search.items.isContinued).toBe(true);
    expect(search.next()).toBe('f');
    search.commit();
    expect(search.letters).toEqual(['a5']);
    expect(search.items.rest.items.join('')).toBe('bcdegh');
    expect(play(search, refusing('d'))).toEqual(['b', 'cdegh!', 'cde!', 'cd!', 'c', 'd!', 'egh']);
    expect(search.letters).toEqual(['a5', 'd9']);
  });

  it('gives up a suspect whose key was committed behind it: written later, it would be the older version on top', () => {
    const search = held('abcdeBgh', { keyOf: (item) => item.toLowerCase() });
    expect(search.next()).toBe('a');
    search.refuse(by('price'));
    expect(search.next()).toBe('B');
    search.commit();
    expect(search.letters.map(([item]) => item)).toEqual(['a', 'b']);
    expect(search.items.rest.items.join('')).toBe('cdegh');
  });

  it('keeps suspects of other keys apart from what was committed', () => {
    const search = held('abcdefgh', { keyOf: (item) => item });
    search.next();
    search.refuse(by('price'));
    search.next();
    search.commit();
    expect(search.items.rest.items.join('')).toBe('bcdegh');
  });

  it('gives up an item that is refused for itself, while the first suspects are asked once more', () => {
    const search = held('abcdefgh');
    expect(search.next()).toBe('a');
    search.refuse(unnamed);
    expect(search.letters).toEqual(['a5']);
    expect(search.errors).toEqual(['for itself']);
    expect(search.next()).toBe('b');
  });

  it('holds a part that a blamed table refuses, without looking for bad items in it', () => {
    const search = blamed('abc');
    expect(search.letters).toEqual([]);
    expect(search.items.isHeld).toBe(true);
    expect(search.next()).toBe('a');
    search.refuse(by('price'));
    expect(search.items.isHeld).toBe(true);
    expect(search.end().letters).toEqual(['a3']);
    expect(search.items.rest.items).toEqual(['b', 'c']);
  });

  it('writes the rest as a whole once the only suspect was given up, and the table takes rows', () => {
    const search = blamed('abc');
    expect(play(search, refusing('a'), 1)).toEqual(['~a!']);
    expect(search.next()).toBe('a');
    search.refusals.accepted();
    search.refuse(by('price'));
    expect(search.letters).toEqual(['a4']);
    expect(search.next()).toBe('bc');
  });

  it('goes on with the probe behind an item that is refused for itself, but not once another writer has committed', () => {
    for (const hasCommitted of [false, true]) {
      const search = held('abcdefgh');
      search.next();
      search.refuse(by('price'));
      expect(search.next()).toBe('f');
      if (hasCommitted) search.refusals.accepted();
      search.refuse(unnamed);
      expect([search.items.isHeld, search.items.isContinued]).toEqual([false, !hasCommitted]);
      expect(search.next()).toBe('g');
    }
  });

  it('says by which rule the table refuses, whatever it says of a single item', () => {
    const search = held('abcdefg');
    expect(search.items.tableRefusal).toEqual({ rule: 'price', error: 'price' });
    search.next();
    search.refuse(by('price', 'again'));
    expect(search.next()).toBe('f');
    search.refuse(unnamed);
    expect(search.next()).toBe('g');
    search.refuse(unnamed);
    expect(search.items.isHeld).toBe(true);
    expect(search.items.tableRefusal).toEqual({ rule: 'price', error: 'again' });
  });

  it('asks the suspects before anything else when another writer has committed meanwhile', () => {
    const search = held('abcdefgh');
    search.next();
    search.refuse(by('price'));
    expect(search.next()).toBe('f');
    search.refusals.accepted();
    search.refuse(by('price'));
    expect(search.items.isHeld).toBe(false);
    expect(search.next()).toBe('a');
  });

  it('asks them from the first one on, though one behind it was refused meanwhile', () => {
    const search = held('abcde');
    for (let holds = 0; holds < 4; ) {
      search.next();
      holds += Number(search.refuse(by('price')).items.isHeld);
    }
    expect(search.next()).toBe('a');
    search.refuse(by('price'));
    expect(search.next()).toBe('b');
    search.refusals.accepted();
    search.refuse(by('price'));
    expect(search.letters).toEqual([]);
    expect(search.next()).toBe('a');
  });

  it('needs no witness where a suspect that is asked again is committed', () => {
    const search = held('abcdefgh', { witness: 'w' });
    // The witness goes first in each probe, and is no part of the batch.
    expect(search.next()).toBe('w');
    expect(search.items.isForeign).toBe(true);
    search.refuse(by('price'));
    expect(search.items.isContinued).toBe(true);
    expect(search.next()).toBe('a');
    search.commit();
    expect(search.letters).toEqual([]);
    expect(search.items.rest.items.join('')).toBe('bcdefgh');
  });

  it('convicts nobody by a witness that is committed after a hold: the table may have been mended since', () => {
    const search = held('abcdefgh', { witness: 'w' });
    expect(search.next()).toBe('w');
    search.commit();
    expect(search.letters).toEqual([]);
    expect(search.next()).toBe('a');
    search.commit();
    expect(play(search, refusing('c'))).toEqual(['bcdefgh!', 'bcde!', 'bc!', 'b', 'c!', 'defgh']);
    expect(search.letters).toEqual(['c10']);
  });
});
