import * as t from 'io-ts';
import type { Bar } from './bar.js';
import { atLeastZero, finite, instant, label, optional, seq, symbol } from './fieldCodecs.js';
import { type Discord, recordCodec } from './recordCodec.js';

/**
 * Untrusted input to a {@link Bar}: every field of its type, prices finite, volume not negative, the symbol upper case,
 * `high` not below `low`, `open` and `close` not outside of them. Prices may be negative: spreads are, and crude oil was on
 * 20 April 2020. Fields that a bar does not have are left out.
 */
export const barCodec: t.Type<Bar, Bar, unknown> = recordCodec<Bar>(
  'Bar',
  {
    kind: t.literal('bar'),
    vendor: label,
    symbol,
    timeframe: label,
    ts: instant,
    open: finite,
    high: finite,
    low: finite,
    close: finite,
    volume: atLeastZero,
    seq: optional(seq),
  },
  discords,
);

const NONE: readonly Discord<Bar>[] = [];

function discords({ open, high, low, close }: Bar): readonly Discord<Bar>[] {
  const isWithin = (price: number) => price >= low && price <= high;
  if (isWithin(open) && isWithin(close)) return NONE;
  if (high < low) return [{ field: 'high', expected: `a high that is not below the low of ${low}` }];
  const found: Discord<Bar>[] = [];
  if (!isWithin(open)) found.push({ field: 'open', expected: `an open from the low of ${low} to the high of ${high}` });
  if (!isWithin(close)) {
    found.push({ field: 'close', expected: `a close from the low of ${low} to the high of ${high}` });
  }
  return found;
}
