import { isRight } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { barCodec } from './barCodec.js';
import { expecting } from './fieldCodecs.js';
import { fundamentalsCodec } from './fundamentalsCodec.js';
import type { MarketEvent } from './marketEvent.js';
import { newsCodec } from './newsCodec.js';
import { optionCodec } from './optionCodec.js';

type Codecs = { readonly [E in MarketEvent as E['kind']]: t.Type<E, E, unknown> };

const CODECS: Codecs = {
  bar: barCodec,
  option: optionCodec,
  news: newsCodec,
  fundamental: fundamentalsCodec,
};

const kindOfEvent = expecting(
  '"bar", "option", "news" or "fundamental"',
  (u): u is MarketEvent['kind'] => typeof u === 'string' && Object.hasOwn(CODECS, u),
);

/** Untrusted input to a {@link MarketEvent}, by the codec of its `kind`. */
export const marketEventCodec: t.Type<MarketEvent, MarketEvent, unknown> = new t.Type<
  MarketEvent,
  MarketEvent,
  unknown
>('MarketEvent', (u): u is MarketEvent => isRight(validate(u, [])), validate, t.identity);

function validate(input: unknown, context: t.Context): t.Validation<MarketEvent> {
  if (typeof input !== 'object' || input === null) return t.failure(input, context);
  const { kind } = input as { readonly kind?: unknown };
  if (kindOfEvent.is(kind)) return CODECS[kind].validate(input, context);
  return t.failure(kind, t.appendContext(context, 'kind', kindOfEvent, kind));
}
