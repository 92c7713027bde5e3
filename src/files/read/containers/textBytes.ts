/** How much of the beginning is searched for zero bytes, which no text in UTF-8 has. */
const SEARCHED_BYTES = 4096;

/** A share of zero bytes that text of another encoding has, and binary data hardly has in one place of two or four. */
const MANY = 0.4;
const FEW = 0.05;

/** The encoding of Unicode that bytes are in if it is not UTF-8: by a byte order mark, or by where they are zero. */
export function wideEncoding(first: Buffer): string | undefined {
  return markedEncoding(first) ?? zeroedEncoding(first.subarray(0, SEARCHED_BYTES));
}

export function hasZeros(first: Buffer): boolean {
  return first.subarray(0, SEARCHED_BYTES).includes(0);
}

function markedEncoding(first: Buffer): string | undefined {
  const [a, b, c, d] = first;
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'utf-32le' : 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  return a === 0 && b === 0 && c === 0xfe && d === 0xff ? 'utf-32be' : undefined;
}

/** Most characters of a table are ASCII, of which all bytes but one are zero. */
function zeroedEncoding(first: Buffer): string | undefined {
  if (first.length < 4) return undefined;
  const zeros = [0, 0, 0, 0];
  for (let i = 0; i < first.length; i++) if (first[i] === 0) zeros[i % 4]! += 1;
  const places = zeros.map((count) => (count * 4) / first.length);
  const shape = places.map((share) => (share >= MANY ? '0' : share <= FEW ? 'x' : '?')).join('');
  return SHAPES[shape];
}

const SHAPES: Readonly<Record<string, string>> = {
  x0x0: 'utf-16le',
  '0x0x': 'utf-16be',
  x000: 'utf-32le',
  '000x': 'utf-32be',
};
