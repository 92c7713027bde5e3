/**
 * What a terminal must not receive as it is: control characters can move its cursor and change its title, format characters
 * hide or reverse what is beside them, and the replacement character stands for what could not be read.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\uFFFD]/u;
const UNSAFE_IN_LINE = new RegExp(UNSAFE.source, 'gu');
const UNSAFE_IN_LINES = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\uFFFD]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Text of a file, a server or a user, made safe for a terminal and brought onto one line: unsafe characters are written as
 * JSON escapes (`\u001b`, `\n`). Longer text than `maxLength` is cut, and ends with `…`.
 */
export function printable(text: string, maxLength = Number.POSITIVE_INFINITY): string {
  const start = text.length > maxLength ? text.slice(0, maxLength) : text;
  const safe = UNSAFE.test(start) ? start.replace(UNSAFE_IN_LINE, escaped) : start;
  if (start.length === text.length && safe.length <= maxLength) return safe;
  // Half an escape, or half a character of two, says nothing.
  return `${safe.slice(0, maxLength - 1).replace(/\\(?:u[\da-f]{0,3})?$|[\uD800-\uDBFF]$/, '')}…`;
}

/** The same for text that may have several lines: line feeds and tabs stay. In JSON the escapes change no value. */
export function printableLines(text: string): string {
  return UNSAFE.test(text) ? text.replace(UNSAFE_IN_LINES, escaped) : text;
}

function escaped(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  let escapes = '';
  for (let i = 0; i < character.length; i++) escapes += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return escapes;
}
