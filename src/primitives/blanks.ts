/**
 * Whether a UTF-16 code unit is a blank around or inside a value: what `String.prototype.trim` removes, no-break spaces
 * (U+00A0, U+202F) and the byte order mark included.
 */
export function isBlank(code: number): boolean {
  if (code <= 32) return code === 32 || (code >= 9 && code <= 13);
  if (code < 0xa0) return false;
  return (
    code === 0xa0 ||
    code === 0x202f ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x3000 ||
    code === 0xfeff ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x205f ||
    code === 0x1680
  );
}
