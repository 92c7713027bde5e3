import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import type { Bar } from './bar.js';

/** A codec for what `is` accepts, named by what a reason should say that it expected. */
function expecting<A>(name: string, is: (value: unknown) => value is A): t.Type<A> {
  return new t.Type<A>(
    name,
    is,
    (value, context) => (is(value) ? t.success(value) : t.failure(value, context)),
    t.identity,
  );
}

/** A price may be negative: spreads are, and crude oil was on 20 April 2020. */
const price = expecting('a finite number', (u): u is number => Number.isFinite(u));

const volume = expecting('a finite number of at least 0', (u): u is number => Number.isFinite(u) && (u as number) >= 0);

/** The range of a JavaScript `Date`. */
const instant = expecting(
  'a time in Unix epoch milliseconds',
  (u): u is number => typeof u === 'number' && Math.abs(u) <= 8.64e15,
);

const label = expecting('a name', (u): u is string => typeof u === 'string' && u !== '');

const symbol = expecting(
  'an upper-case symbol without spaces',
  (u): u is string => typeof u === 'string' && u !== '' && !/[\p{Ll}\s\p{Cc}\uFFFD]/u.test(u),
);

const seq = expecting(
  'a safe integer of at least 0',
  (u): u is number => Number.isSafeInteger(u) && (u as number) >= 0,
);

const fields = t.type({
  kind: t.literal('bar'),
  vendor: label,
  symbol,
  timeframe: label,
  ts: instant,
  open: price,
  high: price,
  low: price,
  close: price,
  volume,
});

/**
 * Untrusted input to a {@link Bar}: every field of its type, prices finite, volume not negative, the symbol upper case, and
 * `high` not below `low`. Fields that a bar does not have are left out.
 */
export const barCodec: t.Type<Bar, Bar, unknown> = new t.Type<Bar, Bar, unknown>(
  'Bar',
  (u): u is Bar => isRight(validateBar(u, [])),
  validateBar,
  t.identity,
);

function validateBar(input: unknown, context: t.Context): t.Validation<Bar> {
  const decoded = fields.validate(input, context);
  if (isLeft(decoded)) return decoded;
  const { kind, vendor, symbol, timeframe, ts, open, high, low, close, volume } = decoded.right;
  if (high < low) {
    return t.failure(high, t.appendContext(context, 'high', price, high), `a high that is not below the low of ${low}`);
  }
  const version = (input as { readonly seq?: unknown }).seq;
  if (version === undefined) return t.success({ kind, vendor, symbol, timeframe, ts, open, high, low, close, volume });
  if (!seq.is(version)) return t.failure(version, t.appendContext(context, 'seq', seq, version));
  return t.success({ kind, vendor, symbol, timeframe, ts, open, high, low, close, volume, seq: version });
}
