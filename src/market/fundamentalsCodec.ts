import type { Type } from 'io-ts';
import { FUNDAMENTALS, type Fundamentals } from './fundamentals.js';
import { recordCodec } from './recordCodec.js';

/**
 * Untrusted input to {@link Fundamentals}: the symbol is upper case, `periodEnd` and `filingDate` are dates of the calendar, and
 * the value is finite; `filingDate` may be `null` or left out. Fields that a figure does not have are left out.
 */
export const fundamentalsCodec: Type<Fundamentals, Fundamentals, unknown> = recordCodec(FUNDAMENTALS);
