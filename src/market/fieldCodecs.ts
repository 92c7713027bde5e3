import * as t from 'io-ts';
import { epochDay } from './calendarDate.js';

/** A codec for what `is` accepts, named by what a reason should say that it expected. */
export function expecting<A>(name: string, is: (value: unknown) => value is A): t.Type<A> {
  return new t.Type<A>(
    name,
    is,
    (value, context) => (is(value) ? t.success(value) : t.failure(value, context)),
    t.identity,
  );
}

/** A field that may be left out. */
export function optional<A>(field: t.Type<A>): t.Type<A | undefined> {
  return expecting(field.name, (u): u is A | undefined => u === undefined || field.is(u));
}

/** A field that a vendor may not know. */
export function unknowable<A>(field: t.Type<A>): t.Type<A | null | undefined> {
  return expecting(
    `${field.name}, or null`,
    (u): u is A | null | undefined => u === undefined || u === null || field.is(u),
  );
}

export const finite = expecting('a finite number', (u): u is number => Number.isFinite(u));

export const atLeastZero = expecting(
  'a finite number of at least 0',
  (u): u is number => Number.isFinite(u) && (u as number) >= 0,
);

export const aboveZero = expecting(
  'a finite number above 0',
  (u): u is number => Number.isFinite(u) && (u as number) > 0,
);

export const fromMinusOneToOne = expecting(
  'a number from -1 to 1',
  (u): u is number => typeof u === 'number' && u >= -1 && u <= 1,
);

/** The range of a JavaScript `Date`. */
export const instant = expecting(
  'a time in Unix epoch milliseconds',
  (u): u is number => typeof u === 'number' && Math.abs(u) <= 8.64e15,
);

export const calendarDate = expecting(
  'a date of the calendar as YYYY-MM-DD',
  (u): u is string => typeof u === 'string' && !Number.isNaN(epochDay(u)),
);

export const label = expecting('a name', (u): u is string => typeof u === 'string' && u !== '');

export const headline = expecting(
  'a text that is not blank',
  (u): u is string => typeof u === 'string' && u.trim() !== '',
);

export const symbol = expecting(
  'an upper-case symbol without spaces',
  (u): u is string => typeof u === 'string' && u !== '' && !/[\p{Ll}\s\p{Cc}\uFFFD]/u.test(u),
);

/** `URL` strips line ends and tabs that are in an address: what has them is none. */
export const webAddress = expecting(
  'an http or https address',
  (u): u is string => typeof u === 'string' && /^https?:\/\/[^\s\p{Cc}]+$/iu.test(u) && URL.canParse(u),
);

export const seq = expecting(
  'a safe integer of at least 0',
  (u): u is number => Number.isSafeInteger(u) && (u as number) >= 0,
);
