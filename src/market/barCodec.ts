import type { Type } from 'io-ts';
import { BAR, type Bar } from './bar.js';
import { recordCodec } from './recordCodec.js';

/**
 * Untrusted input to a {@link Bar}: every field has its type, prices are finite, volume is not negative, the symbol is upper
 * case, `high` is not below `low`, and `open` and `close` lie between them. Prices may be negative: spreads can be, and
 * crude oil was on 20 April 2020. Fields that a bar does not have are left out.
 */
export const barCodec: Type<Bar, Bar, unknown> = recordCodec(BAR);
