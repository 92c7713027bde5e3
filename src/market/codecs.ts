import * as t from 'io-ts';
import { BAR, type Bar } from './bar.js';
import { oneOf } from './fields.js';
import { FUNDAMENTALS, type Fundamentals } from './fundamentals.js';
import { GAP, type Gap } from './gap.js';
import { NEWS, type NewsItem } from './newsItem.js';
import { OPTION, type OptionSnapshot } from './optionSnapshot.js';
import { QUOTE, type Quote } from './quote.js';
import { asSchema, type Codec, recordCodec, typeOf } from './recordCodec.js';
import { isRecordKind, KINDS, type MarketEvent, RECORD_KINDS, type RecordKind } from './recordKinds.js';
import type { RecordShape } from './recordShape.js';
import { TRADE, type Trade } from './trade.js';

/**
 * Untrusted input to a {@link Bar}: every field has its type, prices are finite, volume is not negative, `high` is not
 * below `low`, and `open` and `close` lie between them. Prices may be negative: spreads can be, and crude oil was on 20 April
 * 2020. A symbol is kept as it is spelled; it has no blanks at its ends and no control characters. Fields that a bar does not
 * have are left out.
 */
export const barCodec: Codec<Bar> = recordCodec(BAR);

/**
 * Untrusted input to an {@link OptionSnapshot}: `expiry` is a date of the calendar, the strike is above 0, prices, volatility and
 * counts are finite and not negative, and delta is from -1 to 1. A figure that is not known is `null` or left out. A bid above the ask
 * is accepted: markets cross. Fields that a snapshot does not have are left out.
 */
export const optionCodec: Codec<OptionSnapshot> = recordCodec(OPTION);

/**
 * Untrusted input to a {@link NewsItem}: it has an id, a title that is not blank and an http or https address, and its
 * sentiment is from -1 to 1, `null` or left out. Fields that an item does not have are left out.
 */
export const newsCodec: Codec<NewsItem> = recordCodec(NEWS);

/**
 * Untrusted input to {@link Fundamentals}: `periodEnd` and `filingDate` are dates of the calendar, and the value is finite;
 * `filingDate` may be `null` or left out. Fields that a figure does not have are left out.
 */
export const fundamentalsCodec: Codec<Fundamentals> = recordCodec(FUNDAMENTALS);

/**
 * Untrusted input to a {@link Trade}: it has an id, a finite price, which may be negative, and a size that is not. Venue, side and
 * conditions that are not known are `null` or left out. Fields that a trade does not have are left out.
 */
export const tradeCodec: Codec<Trade> = recordCodec(TRADE);

/**
 * Untrusted input to a {@link Quote}: it has an id, and prices and sizes that are finite or `null`, sizes not negative. A bid above
 * the ask is accepted: markets cross. Fields that a quote does not have are left out.
 */
export const quoteCodec: Codec<Quote> = recordCodec(QUOTE);

/**
 * Untrusted input to a {@link Gap}: `to` is not before `from`, cause and state are among those that there are, and `rows` is a
 * count, `null` or left out. Fields that a gap does not have are left out.
 */
export const gapCodec: Codec<Gap> = recordCodec(GAP);

const CODECS = Object.fromEntries(
  KINDS.map((kind) => [kind, recordCodec(RECORD_KINDS[kind] as RecordShape<MarketEvent>)]),
) as Readonly<Record<RecordKind, Codec<MarketEvent>>>;

const kindCodec = typeOf(oneOf(KINDS));

/** Untrusted input to a {@link MarketEvent}, by the codec of its `kind`. */
export const marketEventCodec: Codec<MarketEvent> = asSchema(
  new t.Type<MarketEvent, MarketEvent, unknown>(
    'MarketEvent',
    (u): u is MarketEvent => validate(u, [])._tag === 'Right',
    validate,
    t.identity,
  ),
);

function validate(input: unknown, context: t.Context): t.Validation<MarketEvent> {
  if (typeof input !== 'object' || input === null) return t.failure(input, context);
  const { kind } = input as { readonly kind?: unknown };
  if (isRecordKind(kind)) return CODECS[kind].validate(input, context);
  return t.failure(kind, t.appendContext(context, 'kind', kindCodec, kind));
}
