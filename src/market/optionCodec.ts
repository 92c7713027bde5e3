import * as t from 'io-ts';
import {
  aboveZero,
  atLeastZero,
  calendarDate,
  expecting,
  finite,
  fromMinusOneToOne,
  instant,
  label,
  optional,
  seq,
  symbol,
  unknowable,
} from './fieldCodecs.js';
import type { OptionSnapshot } from './optionSnapshot.js';
import { recordCodec } from './recordCodec.js';

const callOrPut = expecting('"C" or "P"', (u): u is 'C' | 'P' => u === 'C' || u === 'P');

/**
 * Untrusted input to an {@link OptionSnapshot}: the underlying upper case, `expiry` a date of the calendar, `C` or `P`, the
 * strike above 0, prices, volatility and counts finite and not negative, delta from -1 to 1; what is not known `null`
 * or left out. A bid above the ask is taken: markets cross. Fields that a snapshot does not have are left out.
 */
export const optionCodec: t.Type<OptionSnapshot, OptionSnapshot, unknown> = recordCodec<OptionSnapshot>(
  'OptionSnapshot',
  {
    kind: t.literal('option'),
    vendor: label,
    symbol,
    expiry: calendarDate,
    optionType: callOrPut,
    strike: aboveZero,
    ts: instant,
    bid: unknowable(atLeastZero),
    ask: unknowable(atLeastZero),
    last: unknowable(atLeastZero),
    iv: unknowable(atLeastZero),
    delta: unknowable(fromMinusOneToOne),
    gamma: unknowable(finite),
    theta: unknowable(finite),
    vega: unknowable(finite),
    openInterest: unknowable(atLeastZero),
    volume: unknowable(atLeastZero),
    underlyingPrice: unknowable(finite),
    seq: optional(seq),
  },
);
