import type { Type } from 'io-ts';
import { OPTION, type OptionSnapshot } from './optionSnapshot.js';
import { recordCodec } from './recordCodec.js';

/**
 * Untrusted input to an {@link OptionSnapshot}: the underlying is upper case, `expiry` is a date of the calendar, the strike is
 * above 0, prices, volatility and counts are finite and not negative, and delta is from -1 to 1. A figure that is not known is
 * `null` or left out. A bid above the ask is accepted: markets cross. Fields that a snapshot does not have are left out.
 */
export const optionCodec: Type<OptionSnapshot, OptionSnapshot, unknown> = recordCodec(OPTION);
