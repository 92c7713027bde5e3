import { describe, expect, it } from 'vitest';
import type { Table } from '../table.js';
import { VersionStamper } from './versionStamper.js';

interface Item {
  readonly id: string;
  readonly seq?: number | null;
}

const table: Table<Item> = {
  name: 't',
  columns: [],
  key: ['id'],
  keyOf: (item) => item.id,
  version: 'seq',
  versionOf: (item) => item.seq as number | undefined,
  numbered: (item, seq) => ({ ...item, seq }),
};

const NOW = 1_700_000_000_000;

describe('VersionStamper', () => {
  it('gives back the very array where every item has a version', () => {
    const numbering = new VersionStamper(table, () => NOW);
    const items = [
      { id: 'a', seq: 0 },
      { id: 'b', seq: -5 },
    ];
    expect(numbering.stamp(items)).toBe(items);
    const none: Item[] = [];
    expect(numbering.stamp(none)).toBe(none);
  });

  it('stamps copies of those that have none, with the time in microseconds, and leaves the others the same', () => {
    const items: Item[] = [{ id: 'a', seq: 7 }, { id: 'b' }, { id: 'c', seq: null }, { id: 'd', seq: 9 }];
    const before = structuredClone(items);
    const stamped = new VersionStamper(table, () => NOW).stamp(items);
    expect(stamped).toEqual([
      { id: 'a', seq: 7 },
      { id: 'b', seq: NOW * 1000 },
      { id: 'c', seq: NOW * 1000 + 1 },
      { id: 'd', seq: 9 },
    ]);
    expect(stamped[0]).toBe(items[0]);
    expect(stamped[3]).toBe(items[3]);
    expect(items).toEqual(before);
  });

  it('reads each version once per batch, for the stamp and the write together', () => {
    let reads = 0;
    const counting: Table<Item> = {
      ...table,
      versionOf(item) {
        reads += 1;
        return item.seq as number | undefined;
      },
    };
    const stamper = new VersionStamper(counting, () => NOW);
    for (const items of [
      [
        { id: 'a', seq: 7 },
        { id: 'b', seq: 8 },
      ],
      [{ id: 'a' }, { id: 'b', seq: 8 }],
    ] as Item[][]) {
      reads = 0;
      const stamped = stamper.stamp(items);
      expect([...stamper.seqsOf(stamped)]).toEqual(stamped.map(({ seq }) => seq));
      expect([...stamper.seqsOf(stamped)]).toEqual(stamped.map(({ seq }) => seq));
      expect(reads).toBe(2);
    }
  });

  it('leaves a version that is no safe integer to the write, also in an array that was good before', () => {
    const stamper = new VersionStamper(table, () => NOW);
    const items = [{ id: 'a', seq: 7 }];
    stamper.stamp(items);
    items[0] = { id: 'a', seq: 0.5 };
    expect(() => stamper.seqsOf(stamper.stamp(items))).toThrow('safe integer');
  });

  it('grows strictly, across stamp and write and where the clock stands still or goes back', () => {
    let now = NOW;
    const numbering = new VersionStamper(table, () => now);
    const given: (number | null | undefined)[] = [];
    for (const step of [0, 0, -1000, 0.001, 0, 1]) {
      now += step;
      given.push(...numbering.stamp([{ id: 'a' }, { id: 'b' }]).map(({ seq }) => seq));
      given.push(...numbering.seqsOf([{ id: 'c' }]));
    }
    expect(given).toEqual([...given].sort((a, b) => a! - b!));
    expect(new Set(given).size).toBe(18);
    // A clock that goes on, as after a restart, gives more than all before.
    expect(new VersionStamper(table, () => NOW + 1).stamp([{ id: 'a' }])[0]!.seq).toBeGreaterThan(given.at(-1)!);
  });

  it('numbers a stamped batch as it is stamped, in whatever parts it is written', () => {
    let now = NOW;
    const numbering = new VersionStamper(table, () => now);
    const stamped = numbering.stamp([{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
    now += 1000;
    const seqs = stamped.map(({ seq }) => seq);
    expect([...numbering.seqsOf(stamped)]).toEqual(seqs);
    expect([...numbering.seqsOf(stamped.slice(1))]).toEqual(seqs.slice(1));
    expect(numbering.stamp(stamped)).toBe(stamped);
  });

  it('gives an unstamped batch that is written again the versions it had', () => {
    let now = NOW;
    const numbering = new VersionStamper(table, () => now);
    const batch = [{ id: 'a' }, { id: 'b', seq: 3 }];
    const first = [...numbering.seqsOf(batch)];
    now += 1000;
    expect([...numbering.seqsOf(batch)]).toEqual(first);
    expect(first).toEqual([NOW * 1000, 3]);
  });

  it('reads the clock once a batch', () => {
    let read = 0;
    const numbering = new VersionStamper(table, () => NOW + read++);
    numbering.stamp([{ id: 'a' }, { id: 'b' }]);
    numbering.seqsOf([{ id: 'a' }, { id: 'b' }]);
    numbering.stamp([{ id: 'a', seq: 1 }]);
    expect(read).toBe(2);
  });

  it('leaves what is no item, and what cannot be read, for the write to refuse', () => {
    const numbering = new VersionStamper(table, () => NOW);
    const thrower = Object.defineProperty({ id: 'x' }, 'seq', {
      get() {
        throw new Error('unreadable');
      },
    });
    const copyThrower = Object.defineProperty({ seq: undefined }, 'id', {
      enumerable: true,
      get() {
        throw new Error('unreadable');
      },
    });
    const odd = [null, 5, 'text', undefined, thrower, copyThrower, { id: 'a', seq: 1.5 }] as unknown as Item[];
    const stamped = numbering.stamp(odd);
    for (const [i, item] of stamped.entries()) expect(item).toBe(odd[i]);
    const mixed = numbering.stamp([...odd, { id: 'good' }]);
    expect(mixed).toHaveLength(8);
    expect(mixed[7]).toMatchObject({ id: 'good', seq: expect.any(Number) });
    expect(() => numbering.seqsOf([{ id: 'a', seq: 1.5 }])).toThrow('seq must be a safe integer, got 1.5');
  });
});
