import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type } from 'arktype';
import * as t from 'io-ts';
import { of } from 'rxjs';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { record } from '../../test/support/record.js';
import type { Codec } from '../contracts/codec.js';
import { decode, type Rejected } from './decode.js';

interface Order {
  readonly symbol: string;
  readonly price: number;
  readonly side: string | number;
  readonly legs: readonly { readonly strike: number }[];
  readonly apiKey: string;
}

/** One shape in the words of each library. */
const ORDERS: readonly (readonly [string, Codec<Order>])[] = [
  [
    'io-ts',
    t.type({
      symbol: t.string,
      price: t.number,
      side: t.union([t.string, t.number]),
      legs: t.array(t.type({ strike: t.number })),
      apiKey: t.string,
    }),
  ],
  [
    'zod',
    z.object({
      symbol: z.string(),
      price: z.number(),
      side: z.union([z.string(), z.number()]),
      legs: z.array(z.object({ strike: z.number() })),
      apiKey: z.string(),
    }),
  ],
  [
    'valibot',
    v.object({
      symbol: v.string(),
      price: v.number(),
      side: v.union([v.string(), v.number()]),
      legs: v.array(v.object({ strike: v.number() })),
      apiKey: v.string(),
    }),
  ],
  [
    'arktype',
    type({
      symbol: 'string',
      price: 'number',
      side: 'string|number',
      legs: type({ strike: 'number' }).array(),
      apiKey: 'string',
    }),
  ],
];

const GOOD: Order = { symbol: 'SPY', price: 470.1, side: 1, legs: [{ strike: 400 }], apiKey: 'k' };

function decoded<T>(codec: Codec<T>, input: unknown) {
  const rejected: Rejected[] = [];
  const chain = of(input).pipe(decode(codec, { divertTo: (it) => void rejected.push(it) }));
  return { result: record(chain), rejected };
}

describe.each(ORDERS)('a schema of %s', (_, codec) => {
  it('makes items of what it accepts', () => {
    const { result, rejected } = decoded(codec, GOOD);
    expect(result.values).toEqual([GOOD]);
    expect(rejected).toEqual([]);
  });

  it.each<[string, unknown, string, RegExp, string]>([
    ['a wrong type', { ...GOOD, price: 'abc' }, 'price', /^(a )?number$/, '"abc"'],
    [
      'a place within an array',
      { ...GOOD, legs: [{ strike: 1 }, { strike: '2' }] },
      'legs[1].strike',
      /number$/,
      '"2"',
    ],
    ['no member of a union', { ...GOOD, side: true }, 'side', /string.* (or|\|) .*number|number or a string/, 'true'],
    ['an object for a text', { ...GOOD, symbol: { a: 1 } }, 'symbol', /^(a )?string$/, 'an object'],
    ['a missing field', { ...GOOD, symbol: undefined }, 'symbol', /^(a )?string$/, 'undefined'],
    ['a value under the name of a secret', { ...GOOD, apiKey: 12_345 }, 'apiKey', /^(a )?string$/, 'a number'],
    ['another value', null, '', /object|symbol: string/i, 'null'],
  ])('says the place, what it expected and what it got, of %s', (_what, input, path, expected, got) => {
    const { result, rejected } = decoded(codec, input);
    expect(result.values).toEqual([]);
    expect(rejected).toHaveLength(1);
    expect(rejected[0]?.input).toBe(input);
    const { problems, failureClass } = rejected[0]!.error;
    expect(problems).toEqual([{ path, expected: expect.stringMatching(expected), got }]);
    expect(failureClass).toBe('poison');
    expect(rejected[0]?.reason).toBe(`${path && `${path}: `}expected ${problems[0]?.expected}, got ${got}`);
  });

  it('names the first problem and counts the others', () => {
    const { rejected } = decoded(codec, { ...GOOD, symbol: 1, price: 'x', legs: 2 });
    expect(rejected[0]?.error.problems.map(({ path }) => path).sort()).toEqual(['legs', 'price', 'symbol']);
    expect(rejected[0]?.reason).toMatch(/, got .* \(and 2 more\)$/);
  });
});

describe('a schema', () => {
  it.each<[string, Codec<unknown>]>([
    ['zod', z.string().transform(Number).pipe(z.number())],
    ['valibot', v.pipe(v.string(), v.transform(Number))],
    ['arktype', type('string.numeric.parse')],
  ])('of %s converts', (_, codec) => expect(decoded(codec, '5').result.values).toEqual([5]));

  it('says a check of its own in its own words', () => {
    const even = v.pipe(
      v.number(),
      v.check((n) => n % 2 === 0, 'an odd lot'),
    );
    expect(decoded(v.object({ size: even }), { size: 3 }).rejected[0]?.reason).toBe('size: an odd lot (got 3)');
    expect(decoded(z.object({ size: z.number().min(5).multipleOf(2) }), { size: 3 }).rejected[0]?.reason).toMatch(
      /^size: Too small.*; .*multiple of 2 \(got 3\)$/,
    );
  });

  it.each<[string, Codec<unknown>]>([
    ['arktype, which quotes values', type({ password: "'x'|'y'" })],
    ['valibot, which quotes values', v.object({ password: v.picklist(['x', 'y']) })],
    [
      'valibot with a check',
      v.object({
        password: v.pipe(
          v.string(),
          v.check((s) => s === 'x'),
        ),
      }),
    ],
    [
      'zod with a message that quotes',
      z.object({ password: z.string().refine(() => false, { error: (it) => `not ${it.input}` }) }),
    ],
    [
      'arktype in a text of its own',
      type({ auth: { token: type('string').narrow((s, ctx) => ctx.mustBe(`other than ${s}`)) } }),
    ],
  ])('never shows a secret: %s', (_, codec) => {
    const { rejected } = decoded(codec, { password: 'hunter2', auth: { token: 'hunter2' } });
    expect(rejected).toHaveLength(1);
    expect(`${rejected[0]?.reason} ${JSON.stringify(rejected[0]?.error.problems)}`).not.toContain('hunter2');
    expect(rejected[0]?.reason).toContain('a string of 7 characters');
  });

  it.each<[string, Codec<unknown>]>([
    ['zod', z.string().refine(async () => true)],
    [
      'valibot',
      v.pipeAsync(
        v.string(),
        v.checkAsync(async () => false),
      ),
    ],
    ['a promise that fails', standard(() => Promise.reject(new Error('lost')))],
  ])('that is asynchronous ends the stream at the first item: %s', (_, codec) => {
    const { result, rejected } = decoded(codec, 'x');
    expect(rejected).toEqual([]);
    expect(result.error).toBeInstanceOf(RangeError);
    expect(String(result.error)).toMatch(
      /^RangeError: decode: its codec answers with a promise, .*boundedMergeMap\(\)/,
    );
  });

  it('that throws ends the stream with what it threw, as a codec does', () => {
    const bug = new TypeError('bug');
    const { result } = decoded(
      standard(() => {
        throw bug;
      }),
      1,
    );
    expect(result.error).toBe(bug);
  });

  it.each<[string, readonly StandardSchemaV1.Issue[], string]>([
    ['no issues', [], 'the codec refused the value without a reason'],
    ['segments as objects', [{ message: 'no', path: [{ key: 'a' }, { key: 0 }] }], 'a[0]: no (got 1)'],
    ['a symbol in the path', [{ message: 'no', path: [Symbol('s')] }], 'Symbol(s): no (got undefined)'],
    ['a path that leads nowhere', [{ message: 'no', path: ['x', 'y', 'z'] }], 'x.y.z: no (got undefined)'],
    ['a getter that throws', [{ message: 'no', path: ['bad'] }], 'bad: no (got undefined)'],
    ['a message with a secret', [{ message: 'no password=hunter2' }], 'no password=*** (got an object)'],
    ['a long message', [{ message: 'x'.repeat(500) }], `${'x'.repeat(79)}… (got an object)`],
    [
      'many',
      Array.from({ length: 500 }, (__, i) => ({ message: 'no', path: [i] })),
      '[0]: no (got undefined) (and 19 more)',
    ],
  ])('of any vendor may answer with %s', (_, issues, reason) => {
    const input = {
      a: [1],
      get bad() {
        throw new Error('got');
      },
    };
    expect(
      decoded(
        standard(() => ({ issues })),
        input,
      ).rejected[0]?.reason,
    ).toBe(reason);
  });
});

function standard(validate: StandardSchemaV1.Props<unknown, unknown>['validate']): StandardSchemaV1<unknown, unknown> {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}
