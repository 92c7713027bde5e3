import * as t from 'io-ts';
import { expecting } from './fields.js';
import { recordCodec, typeOf } from './recordCodec.js';
import { isRecordKind, KINDS, type MarketEvent, RECORD_KINDS, type RecordKind } from './recordKinds.js';
import type { RecordShape } from './recordShape.js';

type Codec = t.Type<MarketEvent, MarketEvent, unknown>;

const codecOf = (kind: RecordKind): Codec => recordCodec(RECORD_KINDS[kind] as RecordShape<MarketEvent>);

const CODECS = Object.fromEntries(KINDS.map((kind) => [kind, codecOf(kind)])) as Readonly<Record<RecordKind, Codec>>;

const expectedKind = KINDS.map((kind) => JSON.stringify(kind))
  .join(', ')
  .replace(/, (?=[^,]*$)/, ' or ');

const kindCodec = typeOf(expecting(expectedKind, isRecordKind));

/** Untrusted input to a {@link MarketEvent}, by the codec of its `kind`. */
export const marketEventCodec: Codec = new t.Type<MarketEvent, MarketEvent, unknown>(
  'MarketEvent',
  (u): u is MarketEvent => validate(u, [])._tag === 'Right',
  validate,
  t.identity,
);

function validate(input: unknown, context: t.Context): t.Validation<MarketEvent> {
  if (typeof input !== 'object' || input === null) return t.failure(input, context);
  const { kind } = input as { readonly kind?: unknown };
  if (isRecordKind(kind)) return CODECS[kind].validate(input, context);
  return t.failure(kind, t.appendContext(context, 'kind', kindCodec, kind));
}
