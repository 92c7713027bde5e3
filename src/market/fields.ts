import { epochDay } from '../primitives/calendarDate.js';

/** What kind of value a field has, for those who read it from text. */
export type FieldForm = 'number' | 'name' | 'text' | 'flag' | 'instant' | 'date' | 'list';

/** What one field of a record must be: in words, for messages, and as a check. */
export interface Field<A> {
  readonly expected: string;
  readonly form: FieldForm;
  readonly is: (value: unknown) => value is A;
  /** What each element of an array must be, so that an issue can name the element. */
  readonly element?: Field<unknown>;
}

export function expecting<A>(form: FieldForm, expected: string, is: (value: unknown) => value is A): Field<A> {
  return { form, expected, is };
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

/** A field that must be there, and may be `null`. */
export function orNull<A>(field: Field<A>): Field<A | null> {
  return { ...field, expected: `${field.expected}, or null`, is: (u): u is A | null => u === null || field.is(u) };
}

export function literal<const A extends string>(value: A): Field<A> {
  return expecting('name', JSON.stringify(value), (u): u is A => u === value);
}

export function oneOf<const A extends string>(values: readonly A[]): Field<A> {
  const expected = values
    .map((value) => JSON.stringify(value))
    .join(', ')
    .replace(/, (?=[^,]*$)/, ' or ');
  return expecting('name', expected, (u): u is A => (values as readonly unknown[]).includes(u));
}

export function listOf<A>(expected: string, element: Field<A>): Field<readonly A[]> {
  return { form: 'list', expected, is: (u): u is readonly A[] => Array.isArray(u) && u.every(element.is), element };
}

const numeric = (expected: string, test: (value: number) => boolean, form: FieldForm = 'number') =>
  expecting(form, expected, (u): u is number => typeof u === 'number' && test(u));

const textual = (expected: string, test: (value: string) => boolean, form: FieldForm = 'name') =>
  expecting(form, expected, (u): u is string => typeof u === 'string' && test(u));

export const finite = numeric('a finite number', Number.isFinite);
export const atLeastZero = numeric('a finite number of at least 0', (n) => n >= 0 && n < Infinity);
export const aboveZero = numeric('a finite number above 0', (n) => n > 0 && n < Infinity);
export const fromMinusOneToOne = numeric('a number from -1 to 1', (n) => n >= -1 && n <= 1);
export const count = numeric('a safe integer of at least 0', (n) => n >= 0 && Number.isSafeInteger(n));
export const seq = count;
export const flag = expecting('flag', 'true or false', (u): u is boolean => typeof u === 'boolean');

/** The range of a JavaScript `Date`. */
export const instant = numeric('a time in Unix epoch milliseconds', (ms) => Math.abs(ms) <= 8.64e15, 'instant');

export const calendarDate = textual(
  'a date of the calendar as YYYY-MM-DD',
  (date) => !Number.isNaN(epochDay(date)),
  'date',
);
export const text = textual('a text', () => true, 'text');
export const label = textual('a name', (name) => name !== '');
export const headline = textual('a text that is not blank', (title) => title.trim() !== '', 'text');

/** Case and inner blanks carry meaning: `TpC` is not `TPC`, and `BRK B` is a symbol. */
export const symbol = textual(
  'a symbol as the vendor spells it, without control characters or outer blanks',
  (name) => name !== '' && !/^\s|\s$|[\p{Cc}\uFFFD]/u.test(name),
);

/** `URL` strips line ends and tabs, so an address that contains any is refused before it is parsed. */
export const webAddress = textual(
  'an http or https address',
  (url) => /^https?:\/\/[^\s\p{Cc}]+$/iu.test(url) && URL.canParse(url),
);
