import { expect } from 'vitest';
import type { BatchPart, GivenUp, WriteFailure } from '../../src/policies/batchFate.js';
import { RefusedItems } from '../../src/policies/refusedItems.js';
import { TableRefusals, Witness } from '../../src/policies/tableRefusals.js';

const FAILURE: WriteFailure = {
  error: 'refused',
  class: 'poison',
  hasCode: true,
  isLostConnection: false,
  retryAfterMs: 0,
  isBreakerHolding: false,
};
export const by = (refusal: string, error: unknown = refusal): WriteFailure => ({ ...FAILURE, refusal, error });
export const unnamed: WriteFailure = { ...FAILURE, error: 'for itself' };

interface Setting {
  readonly witness?: string;
  readonly keyOf?: (item: string) => string;
  readonly hasRefusals?: boolean;
}

/** A batch of the letters of a text, of which the first write was refused. */
export class Search {
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
export function play(search: Search, isBad: (part: string) => WriteFailure | undefined, limit = 40): string[] {
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

export const refusing = (bad: string, rule = 'price') => {
  return (part: string) => ([...part].some((item) => bad.includes(item)) ? by(rule) : undefined);
};

/** A batch that waits for a table which another writer has blamed. */
export function blamed(text: string): Search {
  const search = new Search(text, unnamed);
  search.refusals.blame();
  search.next();
  return search.refuse(by('price'));
}

/** A batch that waits for its table. */
export function held(text: string, setting: Setting = {}): Search {
  const search = new Search(text, by('price'), setting);
  while (!search.items.isHeld) {
    search.next();
    search.refuse(by('price'));
  }
  expect(search.letters).toEqual([]);
  return search;
}
