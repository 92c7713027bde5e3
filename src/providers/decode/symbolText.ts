const MAX_LENGTH = 64;

/** Of what is not ASCII, letters and digits of any script may be in a symbol. */
const NOT_A_SYMBOL = /[\s\p{Cc}\uFFFD]/u;

/** Whether a value is the name of an instrument: a text without blanks and control characters, of 1 to 64 characters. */
export function isSymbolText(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  const { length } = value;
  if (length === 0 || length > MAX_LENGTH) return false;
  for (let at = 0; at < length; at += 1) {
    const code = value.charCodeAt(at);
    if (code <= 32 || code === 127) return false;
    if (code > 127) return !NOT_A_SYMBOL.test(value);
  }
  return true;
}
