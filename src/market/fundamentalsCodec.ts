import * as t from 'io-ts';
import { calendarDate, finite, label, optional, seq, symbol, unknowable } from './fieldCodecs.js';
import type { Fundamentals } from './fundamentals.js';
import { recordCodec } from './recordCodec.js';

/**
 * Untrusted input to {@link Fundamentals}: the symbol upper case, `periodEnd` and `filingDate` dates of the calendar, the
 * value finite; `filingDate` may be `null` or left out. Fields that a figure does not have are left out.
 */
export const fundamentalsCodec: t.Type<Fundamentals, Fundamentals, unknown> = recordCodec<Fundamentals>(
  'Fundamentals',
  {
    kind: t.literal('fundamental'),
    vendor: label,
    symbol,
    periodEnd: calendarDate,
    timeframe: label,
    metric: label,
    value: finite,
    unit: label,
    filingDate: unknowable(calendarDate),
    seq: optional(seq),
  },
);
