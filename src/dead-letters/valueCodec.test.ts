import { describe, expect, it } from 'vitest';
import { isDeadLetterError } from './deadLetterError.js';
import { decodeValue, encodeValue, isPlain } from './valueCodec.js';

const there = (value: unknown): unknown => decodeValue(JSON.parse(JSON.stringify(encodeValue(value, 'item'))));

describe('the codec of values', () => {
  it.each<[string, unknown]>([
    ['a bar', { kind: 'bar', symbol: 'AAPL', ts: 1_700_000_000_000.25, open: 1.1, volume: 0, tags: ['a', null, true] }],
    ['a lone surrogate', 'a\ud800b'],
    ['a key __proto__', JSON.parse('{"__proto__":{"polluted":true}}')],
  ])('has nothing to do for %s', (_, value) => {
    expect(isPlain(value)).toBe(true);
    expect(JSON.parse(JSON.stringify(value))).toEqual(value);
    expect(there(value)).toStrictEqual(value);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['NaN', Number.NaN],
    ['an infinity', { low: Number.NEGATIVE_INFINITY }],
    ['minus zero', [-0]],
    ['a bigint', 2n ** 70n],
    ['undefined', { a: undefined, list: [undefined, 1] }],
    ['a hole', Object.assign([], { 0: 1, 2: 3 })],
    ['a date', { at: new Date(5) }],
    ['an invalid date', new Date(Number.NaN)],
    ['a map', new Map<unknown, unknown>([[{ a: 1 }, new Set([undefined])]])],
    ['a buffer', { raw: Buffer.from([0, 255, 10]) }],
    ['wide elements', new Float64Array([1, Number.NaN, -0])],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1 })],
    ['a key like a mark', { $: 'Date', of: 5 }],
    ['a mark within a mark', { $: { $: 'undefined' } }],
  ])('gives back %s', (_, value) => {
    expect(isPlain(value)).toBe(false);
    expect(there(value)).toStrictEqual(value);
    expect(Object.getPrototypeOf(there(value))).toBe(Object.getPrototypeOf(value));
  });

  class Trade {
    readonly price = 1;
  }
  const circle: { self?: unknown } = {};
  circle.self = [circle];
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];

  it.each<[string, unknown, RegExp]>([
    ['a function', { meta: { done: () => {} } }, /^item\.meta\.done is a function/],
    ['a symbol', [Symbol('x')], /^item\[0\] is a symbol/],
    ['a symbol for a key', { [Symbol('x')]: 1 }, /^item is an object with a symbol as a key/],
    ['a circle', circle, /^item\.self\[0\] is a reference to an object that contains it/],
    ['a class', { trade: new Trade() }, /^item\.trade is a Trade/],
    ['an error', new Map([['e', new Error('x')]]), /^item\.get\("e"\) is a Error/],
    ['a promise', Promise.resolve(), /is a Promise/],
    ['an array with keys', Object.assign([1], { note: 1 }), /an array with keys of its own/],
    ['a date with keys', Object.assign(new Date(0), { zone: 1 }), /a Date with keys of its own/],
    ['what is nested without end', deep, /^.{1,130} is nested more than 512 deep/],
  ])('names the path of %s', (_, value, message) => {
    expect(isPlain(value)).toBe(false);
    let failure: unknown;
    try {
      encodeValue(value, 'item');
    } catch (error) {
      failure = error;
    }
    expect(isDeadLetterError(failure)).toBe(true);
    expect(failure).toMatchObject({ code: 'SLUICE_DEAD_LETTERS_VALUE', message: expect.stringMatching(message) });
  });

  it.each([{ $: 'nothing', of: '' }, { $: 'Map', of: 5 }, { $: 'bigint', of: 'x' }, { $: 'Buffer' }])(
    'refuses %j, which it cannot have written',
    (json) => {
      expect(() => decodeValue(json)).toThrow();
    },
  );
});
