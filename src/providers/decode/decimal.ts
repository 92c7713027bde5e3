const ZERO = 48;
const NINE = 57;
const MINUS = 45;
const POINT = 46;

/** Longer than any price: what is longer is not one. */
const MAX_LENGTH = 64;

/**
 * The number that a text writes in plain decimals, such as `0.00350000` or `-37.63`; `NaN` for everything else: a number, an
 * exponent, a sign in front of digits other than a minus, blanks, an empty text. `Number()` would take several of these for 0.
 */
export function decimal(text: unknown): number {
  if (typeof text !== 'string') return Number.NaN;
  const { length } = text;
  if (length === 0 || length > MAX_LENGTH) return Number.NaN;
  let at = text.charCodeAt(0) === MINUS ? 1 : 0;
  const first = at;
  while (at < length && isDigit(text.charCodeAt(at))) at += 1;
  if (at === first) return Number.NaN;
  if (at < length) {
    if (text.charCodeAt(at) !== POINT) return Number.NaN;
    at += 1;
    const fraction = at;
    while (at < length && isDigit(text.charCodeAt(at))) at += 1;
    if (at === fraction || at < length) return Number.NaN;
  }
  return Number(text);
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}
