const SPACE = 0x20;
const BEYOND_ASCII = 0x80;

/** A text without blanks at its ends, which are no part of a value, and anything else as it is. */
export function trimmed(value: unknown): unknown {
  if (typeof value !== 'string' || value === '') return value;
  return isPlain(value.charCodeAt(0)) && isPlain(value.charCodeAt(value.length - 1)) ? value : value.trim();
}

/** Whether a character is certainly no blank: most texts begin and end with such, and need no further look. */
function isPlain(code: number): boolean {
  return code > SPACE && code < BEYOND_ASCII;
}
