const ZERO = 48;
const MINUS = 45;
const POINT = 46;

/** Longer than any price: what is longer is not one. */
const MAX_LENGTH = 64;

/** Integers and powers of ten up to these are exact doubles, and so their quotient is the double nearest to the decimal. */
const MAX_DIGITS = 15;
const POWERS = Array.from({ length: MAX_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

/**
 * The number that a text writes in plain decimals, such as `0.00350000` or `-37.63`; `NaN` for everything else: a number, an
 * exponent, a sign in front of digits other than a minus, blanks, an empty text. `Number()` would take several of these for 0.
 */
export function decimal(text: unknown): number {
  if (typeof text !== 'string') return Number.NaN;
  const { length } = text;
  if (length === 0 || length > MAX_LENGTH) return Number.NaN;
  const isNegative = text.charCodeAt(0) === MINUS;
  const first = isNegative ? 1 : 0;
  let point = -1;
  let digits = 0;
  for (let at = first; at < length; at += 1) {
    const code = text.charCodeAt(at);
    const digit = code - ZERO;
    if (digit >= 0 && digit <= 9) digits = digits * 10 + digit;
    else if (code === POINT && point < 0) point = at;
    else return Number.NaN;
  }
  // Digits on both sides of the point.
  if (point < 0 ? length === first : point === first || point === length - 1) return Number.NaN;
  const count = length - first - (point < 0 ? 0 : 1);
  if (count > MAX_DIGITS) return Number(text);
  const value = point < 0 ? digits : digits / POWERS[length - 1 - point]!;
  return isNegative ? -value : value;
}

/** The number that a text of 1 to 15 digits writes, which a double holds exactly; `NaN` for everything else. */
export function wholeNumber(text: unknown): number {
  if (typeof text !== 'string') return Number.NaN;
  const { length } = text;
  if (length === 0 || length > MAX_DIGITS) return Number.NaN;
  let value = 0;
  for (let at = 0; at < length; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}
