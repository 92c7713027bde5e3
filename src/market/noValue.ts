/** What files and feeds write where a number is missing, in lower case and without blanks around it. */
const NO_VALUE_TEXTS: ReadonlySet<string> = new Set([
  '',
  'null',
  '(null)',
  'nil',
  'none',
  'nan',
  'n/a',
  'na',
  'n.a.',
  '<na>',
  '#n/a',
  '#n/a n/a',
  '#na',
  '-',
  '--',
  '.',
  '\\n',
]);

const MAX_TEXT_LENGTH = 8;

/** From here on a double is how feeds write "no value": DBL_MAX is 1.7976931348623157e308, and some round it. */
const DBL_MAX_FROM = 1.797e308;

/** The largest of their types: of a 32-bit float, and of integers of 64 bits, with sign and without. */
const LARGEST = ['3.4028234663852886e38', '9223372036854775807', '18446744073709551615'];

/** None of the numbers that stand for "no value" is smaller. A feed that never has larger ones may refuse all from here on. */
export const LEAST_NO_NUMBER = 9.2e18;

/** As doubles, in all the lengths in which programs write them: 3.4028235e38, 9.223372036854776e18, 9.22337203685478E+18. */
const SENTINELS: ReadonlySet<number> = new Set(
  LARGEST.flatMap((text) => {
    const number = Number(text);
    return [
      number,
      ...[6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17].map((digits) => Number(number.toPrecision(digits))),
    ];
  }),
);

/**
 * Whether a number stands for "no value": `NaN`, the largest double (`DBL_MAX`, which TWS sends) or the largest 32-bit float,
 * the largest and least integer of 64 bits, the largest without a sign, and the infinite, which are what a longer `DBL_MAX`
 * becomes. Those of 32 bits are not among them: a volume may be 2147483647.
 */
export function isNoNumber(value: number): boolean {
  const size = Math.abs(value);
  if (size < LEAST_NO_NUMBER) return false;
  return !(size < DBL_MAX_FROM) || SENTINELS.has(size);
}

/**
 * Whether a value says that there is no number: nothing at all, a number of {@link isNoNumber}, or text such as `N/A`, `null`,
 * `--`, `\N` and the empty one, in any case, with or without blanks around it.
 */
export function isNoValue(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === 'number') return isNoNumber(value);
  return typeof value === 'string' && isNoValueText(value);
}

function isNoValueText(value: string): boolean {
  const text = value.trim();
  return text.length <= MAX_TEXT_LENGTH && NO_VALUE_TEXTS.has(text.toLowerCase());
}

/** The figures of an option that a feed may have to leave out. */
export type OptionFigure =
  | 'bid'
  | 'ask'
  | 'last'
  | 'volume'
  | 'openInterest'
  | 'iv'
  | 'delta'
  | 'gamma'
  | 'vega'
  | 'theta'
  | 'underlyingPrice';

/**
 * Whether a figure of an option stands for "no value": what {@link isNoNumber} is, and -1 and -2, which TWS sends for what it
 * has not computed (https://interactivebrokers.github.io/tws-api/option_computations.html). A delta of -1 is one of a put deep
 * in the money, and a theta of -1 a decay: of those two only -2 is "no value".
 */
export function isNoFigure(figure: OptionFigure, value: number): boolean {
  if (value === -2) return true;
  if (value === -1) return figure !== 'delta' && figure !== 'theta';
  return isNoNumber(value);
}
