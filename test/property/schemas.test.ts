import { type } from 'arktype';
import fc from 'fast-check';
import * as t from 'io-ts';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { type Codec, type Decoder, decoderOf, Refusal } from '../../src/contracts/codec.js';
import * as market from '../../src/market/index.js';
import { syntheticEvents } from '../../src/sources/index.js';

/** What a codec makes of a value: the item, or the places that are wrong with what is there. */
function outcomeOf(codec: Codec<unknown>, input: unknown): unknown {
  const decoded = decoderOf('test', codec)(input);
  if (!(decoded instanceof Refusal)) return { item: decoded };
  return { wrong: decoded.problems.map(({ path, got }) => `${path}: ${got}`).sort() };
}

const LIBRARIES: readonly Codec<unknown>[] = [
  z.object({ symbol: z.string(), price: z.number(), legs: z.array(z.object({ strike: z.number() })) }),
  v.object({ symbol: v.string(), price: v.number(), legs: v.array(v.object({ strike: v.number() })) }),
  type({ symbol: 'string', price: 'number', legs: type({ strike: 'number' }).array() }),
];
const LIKE = t.type({ symbol: t.string, price: t.number, legs: t.array(t.type({ strike: t.number })) });

it('schemas of zod, valibot and arktype reject the same values at the same places as a codec of io-ts', () => {
  const some = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
  const legs = fc.array(fc.oneof(fc.record({ strike: some }), some), { maxLength: 4 });
  const input = fc.oneof(fc.record({ symbol: some, price: some, legs: fc.oneof(legs, some) }), some);
  fc.assert(
    fc.property(input, (value) => {
      const expected = outcomeOf(LIKE, value);
      for (const codec of LIBRARIES) expect(outcomeOf(codec, value)).toEqual(expected);
    }),
    { numRuns: 500, seed: 20_261_128 },
  );
});

it('codecs of records say the same as an io-ts codec and as a Standard Schema', () => {
  const { barCodec, fundamentalsCodec, gapCodec, marketEventCodec, newsCodec, optionCodec, quoteCodec, tradeCodec } =
    market;
  const codecs = [
    barCodec,
    fundamentalsCodec,
    gapCodec,
    marketEventCodec,
    newsCodec,
    optionCodec,
    quoteCodec,
    tradeCodec,
  ];
  const records = [...syntheticEvents({ count: 100, seed: 7 })];
  const some = fc.oneof(fc.string(), fc.double(), fc.constant(null), fc.constant(undefined), fc.array(fc.integer()));
  const damaged = fc
    .tuple(fc.constantFrom(...records), fc.nat(), some)
    .map(([record, nth, value]) => ({ ...record, [Object.keys(record)[nth % Object.keys(record).length]!]: value }));
  const withoutSchema = (codec: Decoder<unknown>): Codec<unknown> => ({ decode: (input) => codec.decode(input) });
  let refused = 0;
  fc.assert(
    fc.property(fc.oneof(damaged, fc.constantFrom(...records), some), (value) => {
      for (const codec of codecs) {
        const asSchema = decoderOf('test', codec as Codec<unknown>)(value);
        expect(asSchema).toEqual(decoderOf('test', withoutSchema(codec))(value));
        if (asSchema instanceof Refusal) refused += 1;
      }
    }),
    { numRuns: 500, seed: 20_261_128 },
  );
  expect(refused).toBeGreaterThan(100);
});
