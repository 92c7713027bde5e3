import * as t from 'io-ts';
import { BAR, type Bar } from './bar.js';
import { expecting } from './fields.js';
import { FUNDAMENTALS, type Fundamentals } from './fundamentals.js';
import { NEWS, type NewsItem } from './newsItem.js';
import { OPTION, type OptionSnapshot } from './optionSnapshot.js';
import { type Codec, recordCodec, typeOf } from './recordCodec.js';
import { isRecordKind, KINDS, type MarketEvent, RECORD_KINDS, type RecordKind } from './recordKinds.js';
import type { RecordShape } from './recordShape.js';

/**
 * Untrusted input to a {@link Bar}: every field has its type, prices are finite, volume is not negative, the symbol is upper
 * case, `high` is not below `low`, and `open` and `close` lie between them. Prices may be negative: spreads can be, and
 * crude oil was on 20 April 2020. Fields that a bar does not have are left out.
 */
export const barCodec: Codec<Bar> = recordCodec(BAR);

/**
 * Untrusted input to an {@link OptionSnapshot}: the underlying is upper case, `expiry` is a date of the calendar, the strike is
 * above 0, prices, volatility and counts are finite and not negative, and delta is from -1 to 1. A figure that is not known is
 * `null` or left out. A bid above the ask is accepted: markets cross. Fields that a snapshot does not have are left out.
 */
export const optionCodec: Codec<OptionSnapshot> = recordCodec(OPTION);

/**
 * Untrusted input to a {@link NewsItem}: it has an id, a title that is not blank and an http or https address, its symbols are
 * upper case, and its sentiment is from -1 to 1, `null` or left out. Fields that an item does not have are left out.
 */
export const newsCodec: Codec<NewsItem> = recordCodec(NEWS);

/**
 * Untrusted input to {@link Fundamentals}: the symbol is upper case, `periodEnd` and `filingDate` are dates of the calendar, and
 * the value is finite; `filingDate` may be `null` or left out. Fields that a figure does not have are left out.
 */
export const fundamentalsCodec: Codec<Fundamentals> = recordCodec(FUNDAMENTALS);

const CODECS = Object.fromEntries(
  KINDS.map((kind) => [kind, recordCodec(RECORD_KINDS[kind] as RecordShape<MarketEvent>)]),
) as Readonly<Record<RecordKind, Codec<MarketEvent>>>;

const expectedKind = KINDS.map((kind) => JSON.stringify(kind))
  .join(', ')
  .replace(/, (?=[^,]*$)/, ' or ');

const kindCodec = typeOf(expecting(expectedKind, isRecordKind));

/** Untrusted input to a {@link MarketEvent}, by the codec of its `kind`. */
export const marketEventCodec: Codec<MarketEvent> = new t.Type<MarketEvent, MarketEvent, unknown>(
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
