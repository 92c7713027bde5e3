import { describe, expect, it } from 'vitest';
import type { BatchPart, GivenUp, WriteFailure } from './batchFate.js';
import { RefusedItems } from './refusedItems.js';
import { TableRefusals, Witness } from './tableRefusals.js';

const FAILURE: WriteFailure = {
  error: 'refused',
  class: 'poison',
  hasCode: true,
  isLostConnection: false,
  retryAfterMs: 0,
  isBreakerHolding: false,
};
const by = (refusal: string, error: unknown = refusal): WriteFailure => ({ ...FAILURE, refusal, error });
const unnamed: WriteFailure = { ...FAILURE, error: 'for itself' };

interface Setting {
  readonly witness?: string;
  readonly keyOf?: (item: string) => string;
  readonly hasRefusals?: boolean;
}

/** A batch of the letters of a text, of which the first write was refused. */
class Search {
  readonly refusals = new TableRefusals();
  readonly witness = new Witness();
  readonly items: RefusedItems<string>;
  /** All that was given up: item, attempts. */
  readonly letters: string[] = [];
  readonly errors: unknown[] = [];
  #part: BatchPart<string>;

  constructor(text: string, failure: WriteFailure, { witness, keyOf, hasRefusals = true }: Setting = {}) {
    const items = [...text];
    const batch = { items, given: items };
    if (witness !== undefined) this.witness.saw([witness]);
    this.items = new RefusedItems(batch, hasRefusals ? { refusals: this.refusals, witness: this.witness, keyOf } : {});
    this.#part = batch;
    this.refuse(failure);
  }

  /** The items of the next write, as a text; `.` if there is none. */
  next(): string {
    const part = this.items.next();
    if (part === undefined) return '.';
    expect(part.given).toEqual(part.items);
    this.#part = part;
    return part.items.join('');
  }

  refuse(failure: WriteFailure): this {
    this.#note(this.items.refused(this.#part, failure));
    return this;
  }

  commit(): this {
    this.refusals.accepted();
    if (!this.items.isForeign) this.witness.saw(this.#part.items);
    this.#note(this.items.written(this.#part));
    return this;
  }

  end(): this {
    this.#note(this.items.convicted());
    return this;
  }

  #note(given: readonly GivenUp<string>[]): void {
    for (const { items, attempts, error, reason } of given) {
      expect(reason).toBe('poison');
      this.letters.push(`${items.join('')}${attempts}`);
      this.errors.push(error);
    }
  }
}

/** Plays a batch against a sink that refuses these letters, all by one rule, and returns its writes; at most so many. */
function play(search: Search, isBad: (part: string) => WriteFailure | undefined, limit = 40): string[] {
  const writes: string[] = [];
  for (let part = search.next(); part !== '.' && writes.length < limit; part = search.next()) {
    const failure = isBad(part);
    writes.push(`${search.items.isContinued ? '+' : ''}${search.items.isHeld ? '~' : ''}${part}${failure ? '!' : ''}`);
    if (failure) search.refuse(failure);
    else search.commit();
  }
  if (writes.length < limit) search.end();
  return writes;
}

const refusing = (bad: string, rule = 'price') => {
  return (part: string) => ([...part].some((item) => bad.includes(item)) ? by(rule) : undefined);
};

describe('RefusedItems', () => {
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
    expect(play(search, () => undefined)).toEqual(['bcdefg']);
    expect(search.letters).toEqual([]);
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

  it('holds a part that a blamed table refuses, without looking for bad items in it', () => {
    const refusals = new TableRefusals();
    refusals.blame();
    const batch = { items: ['a', 'b', 'c'], given: ['a', 'b', 'c'] };
    const items = new RefusedItems(batch, { refusals });
    expect(items.refused(batch, by('price'))).toEqual([]);
    expect(items.isHeld).toBe(true);
    expect(items.next()?.items).toEqual(['a']);
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
      const search = held('abcdefgh');
      expect(search.next()).toBe('a');
      search.refuse(naming({ index: 0 }));
      expect(search.letters).toEqual(['a5']);
      expect(search.next()).toBe('b');
    });
  });
});

/** A batch that waits for its table. */
function held(text: string, setting: Setting = {}): Search {
  const search = new Search(text, by('price'), setting);
  while (!search.items.isHeld) {
    search.next();
    search.refuse(by('price'));
  }
  expect(search.letters).toEqual([]);
  return search;
}
