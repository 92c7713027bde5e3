import { epochDay } from './calendarDate.js';

/** What one field of a record must be: in words, for messages, and as a check. */
export interface Field<A> {
  readonly expected: string;
  readonly is: (value: unknown) => value is A;
  /** What each element of an array must be, so that an issue can name the element. */
  readonly element?: Field<unknown>;
}

export function expecting<A>(expected: string, is: (value: unknown) => value is A): Field<A> {
  return { expected, is };
}

/** A field that may be left out. */
export function optional<A>(field: Field<A>): Field<A | undefined> {
  return { ...field, is: (u): u is A | undefined => u === undefined || field.is(u) };
}

/** A field that a vendor may not know: it may be `null` or left out. */
export function nullable<A>(field: Field<A>): Field<A | null | undefined> {
  const expected = `${field.expected}, or null`;
  return { ...field, expected, is: (u): u is A | null | undefined => u === undefined || u === null || field.is(u) };
}

export function literal<const A extends string>(value: A): Field<A> {
  return expecting(JSON.stringify(value), (u): u is A => u === value);
}

export function listOf<A>(expected: string, element: Field<A>): Field<readonly A[]> {
  return { expected, is: (u): u is readonly A[] => Array.isArray(u) && u.every(element.is), element };
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

/** `URL` strips line ends and tabs, so an address that contains any is refused before it is parsed. */
export const webAddress = expecting(
  'an http or https address',
  (u): u is string => typeof u === 'string' && /^https?:\/\/[^\s\p{Cc}]+$/iu.test(u) && URL.canParse(u),
);

export const seq = expecting(
  'a safe integer of at least 0',
  (u): u is number => Number.isSafeInteger(u) && (u as number) >= 0,
);
