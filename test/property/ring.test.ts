import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Ring } from '../../src/primitives/ring.js';

/** What a ring is to behave like. */
interface Model {
  items: number[];
  capacity: number;
  next: number;
}

class Push implements fc.Command<Model, Ring<number>> {
  constructor(readonly count: number) {}
  check = () => true;
  run(model: Model, ring: Ring<number>) {
    for (let i = 0; i < this.count; i++) {
      const item = model.next++;
      expect(ring.isFull).toBe(model.items.length >= model.capacity);
      if (model.items.length >= model.capacity) {
        expect(() => ring.push(item)).toThrow(RangeError);
      } else {
        ring.push(item);
        model.items.push(item);
      }
    }
    expect(ring.length).toBe(model.items.length);
  }
  toString = () => `push ×${this.count}`;
}

class Shift implements fc.Command<Model, Ring<number>> {
  constructor(readonly count: number) {}
  check = () => true;
  run(model: Model, ring: Ring<number>) {
    for (let i = 0; i <= model.items.length; i++) expect(ring.at(i)).toBe(model.items[i]);
    for (let i = 0; i < this.count; i++) expect(ring.shift()).toBe(model.items.shift());
    expect(ring.length).toBe(model.items.length);
  }
  toString = () => `shift ×${this.count}`;
}

class PutBack implements fc.Command<Model, Ring<number>> {
  check = (model: Readonly<Model>) => model.items.length > 0;
  run(model: Model, ring: Ring<number>) {
    const item = ring.shift() as number;
    expect(item).toBe(model.items[0]);
    ring.unshift(item);
    expect(ring.length).toBe(model.items.length);
  }
  toString = () => 'shift and unshift';
}

class Take implements fc.Command<Model, Ring<number>> {
  constructor(readonly most: number) {}
  check = () => true;
  run(model: Model, ring: Ring<number>) {
    expect(ring.take(this.most)).toEqual(model.items.splice(0, this.most));
    expect(ring.length).toBe(model.items.length);
  }
  toString = () => `take ${this.most}`;
}

class Drain implements fc.Command<Model, Ring<number>> {
  check = () => true;
  run(model: Model, ring: Ring<number>) {
    expect(ring.take(ring.length)).toEqual(model.items.splice(0));
    expect(ring.length).toBe(0);
    expect(ring.shift()).toBeUndefined();
  }
  toString = () => 'drain';
}

it('a ring behaves like an array with a limit, whatever is done to it', () => {
  const counts = fc.integer({ min: 0, max: 40 });
  const commands = fc.commands(
    [
      counts.map((count) => new Push(count)),
      counts.map((count) => new Shift(count)),
      counts.map((most) => new Take(most)),
      fc.constant(new PutBack()),
      fc.constant(new Drain()),
    ],
    { maxCommands: 80 },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 130 }), commands, (capacity, actions) => {
      fc.modelRun(() => ({ model: { items: [], capacity, next: 0 }, real: new Ring<number>(capacity) }), actions);
    }),
    { seed: 20_000_104, numRuns: 300 },
  );
});

it('a ring refuses a capacity that is none', () => {
  for (const capacity of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => new Ring(capacity)).toThrow(`got ${capacity}`);
  }
});

it('a ring keeps no reference to what has left it', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const ring = new Ring<object>(100);
  const passThrough = (leave: () => unknown): WeakRef<object> => {
    const item = {};
    ring.push(item);
    leave();
    return new WeakRef(item);
  };
  const gone = [() => ring.shift(), () => ring.take(1), () => ring.take(ring.length)].map(passThrough);
  // What a WeakRef was made of stays until the current job is over.
  await new Promise(setImmediate);
  collectGarbage();
  expect(gone.map((reference) => reference.deref())).toEqual([undefined, undefined, undefined]);
});
