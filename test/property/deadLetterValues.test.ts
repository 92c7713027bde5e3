import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LetterFormat } from '../../src/dead-letters/letterFormat.js';
import { encodeLetters, lineHead } from '../../src/dead-letters/letterLine.js';
import { decodeValue, encodeValue, isPlain } from '../../src/dead-letters/valueCodec.js';

/** Keys that JSON, prototypes or the codec's own marks could trip over. */
const key = fc.oneof(
  fc.string(),
  fc.constantFrom('$', 'of', '__proto__', 'constructor', 'toJSON', 'length', '0', '\ud800', '$$', 'values'),
);

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\ud800', 'a\udfffb', '\u2028', '\0', '{"$":"Date"}'),
);

/** Any value that a letter can hold. */
const value = fc.anything({
  key,
  values: [
    fc.boolean(),
    fc.double(),
    fc.integer(),
    fc.bigInt(),
    text,
    fc.constantFrom(undefined, null, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324),
    fc.date({ noInvalidDate: false }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.uint8Array().map((bytes) => bytes.buffer.slice(0, bytes.length)),
  ],
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withTypedArray: true,
  withSparseArray: true,
  withObjectString: true,
  maxDepth: 4,
});

const tagged = fc.record({ $: fc.constantFrom('Date', 'Map', 'undefined', 'object', 'bigint', 'nothing'), of: value });

/** Node's own word for it, and ours, which tells holes, own keys such as `__proto__` and the bytes of views apart. */
function expectSame(actual: unknown, expected: unknown): void {
  expect(isDeepStrictEqual(actual, expected)).toBe(true);
  expect(shapeOf(actual)).toBe(shapeOf(expected));
}

function shapeOf(value: unknown): string {
  if (typeof value !== 'object' || value === null)
    return Object.is(value, -0) ? '-0' : `${typeof value} ${String(value)}`;
  const prototype: unknown = Object.getPrototypeOf(value);
  const name = (prototype as { constructor?: { name?: string } } | null)?.constructor?.name ?? 'null';
  if (value instanceof Date) return `Date ${value.getTime()}`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer ${Buffer.from(value).toString('hex')}`;
  if (ArrayBuffer.isView(value)) {
    return `${name} ${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`;
  }
  if (value instanceof Map) return `Map ${[...value].map(([a, b]) => `${shapeOf(a)}:${shapeOf(b)}`).join()}`;
  if (value instanceof Set) return `Set ${[...value].map(shapeOf).join()}`;
  const entries = Object.keys(value).map(
    (key) => `${JSON.stringify(key)}:${shapeOf((value as Record<string, unknown>)[key])}`,
  );
  return `${Array.isArray(value) ? `Array ${value.length}` : prototype === null ? 'bare' : 'Object'} {${entries.join()}}`;
}

describe('values in dead letters', () => {
  it('come back from JSON exactly as they were', () => {
    fc.assert(
      fc.property(fc.oneof({ weight: 4, arbitrary: value }, tagged), (original) => {
        expectSame(decodeValue(JSON.parse(JSON.stringify(encodeValue(original, 'item')))), original);
      }),
      { numRuns: 2_000, seed: 20_261_125 },
    );
  });

  it('that pass for plain are what JSON gives back by itself, and hold no mark', () => {
    let plain = 0;
    fc.assert(
      fc.property(fc.oneof(value, fc.jsonValue(), tagged), (original) => {
        if (!isPlain(original)) return;
        plain += 1;
        const json: unknown = JSON.parse(JSON.stringify(original));
        expectSame(json, original);
        expectSame(decodeValue(json), original);
      }),
      { numRuns: 2_000, seed: 20_261_125 },
    );
    expect(plain).toBeGreaterThan(500);
  });

  it('come back from a line of a segment, whole or split by size, in their order', () => {
    const format = new LetterFormat();
    fc.assert(
      fc.property(
        fc.array(fc.oneof(value, tagged), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 20_000, max: 40_000 }),
        (items, longest) => {
          const draft = { at: 1.5, pipeline: 'p', stage: 's', reason: 'poison', error: null, attempts: 1, replays: 0 };
          const back: unknown[] = [];
          for (const { rest, bytes } of encodeLetters({ ...draft, items }, longest)) {
            const line = Buffer.from(lineHead('1764035028123', 7) + rest);
            expect(line.length).toBeLessThanOrEqual(bytes);
            expect(line.indexOf(0x0a)).toBe(line.length - 1);
            const parsed = format.parse(line.subarray(0, -1));
            if (parsed.is !== 'entry') throw new Error(JSON.stringify(parsed));
            expect(parsed.value).toMatchObject({ ...draft, id: '1764035028123-7' });
            back.push(...parsed.value.items);
          }
          expectSame(back, items);
        },
      ),
      { numRuns: 300, seed: 20_261_125 },
    );
  });
});
