/** How much of the beginning is searched for zero bytes, which no text in UTF-8 has. */
const SEARCHED_BYTES = 4096;

/** A share of zero bytes that text of another encoding has, and binary data hardly has in one place of two or four. */
const MANY = 0.4;
const FEW = 0.05;

/** The encoding of Unicode that a byte order mark tells. */
export function markedEncoding(first: Buffer): string | undefined {
  const [a, b, c, d] = first;
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'utf-32le' : 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8';
  return a === 0 && b === 0 && c === 0xfe && d === 0xff ? 'utf-32be' : undefined;
}

/** The same without a mark, by where bytes are zero: most characters of a table are ASCII, of which all bytes but one are zero. */
export function wideEncoding(first: Buffer): string | undefined {
  const bytes = first.subarray(0, SEARCHED_BYTES);
  if (bytes.length < 4) return undefined;
  const zeros = [0, 0, 0, 0];
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0) zeros[i % 4]! += 1;
  const places = zeros.map((count) => (count * 4) / bytes.length);
  return SHAPES[places.map((share) => (share >= MANY ? '0' : share <= FEW ? 'x' : '?')).join('')];
}

const SHAPES: Readonly<Record<string, string>> = {
  x0x0: 'utf-16le',
  '0x0x': 'utf-16be',
  x000: 'utf-32le',
  '000x': 'utf-32be',
};

export function hasZeros(first: Buffer): boolean {
  return first.subarray(0, SEARCHED_BYTES).includes(0);
}

/** The name of an encoding by one of its labels (https://encoding.spec.whatwg.org/#names-and-labels); `undefined` if Node has none. */
export function encodingOf(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}

/** The text as UTF-8. What is none in its encoding becomes U+FFFD, as it does in UTF-8. */
export async function* toUtf8(
  chunks: AsyncGenerator<Buffer, void, void>,
  encoding: string,
): AsyncGenerator<Buffer, void, void> {
  const decoder = encoding === 'windows-1252' ? new Windows1252() : new TextDecoder(encoding);
  for await (const chunk of chunks) yield Buffer.from(decoder.decode(chunk, { stream: true }));
  yield Buffer.from(decoder.decode());
}

/** The decoder of Node 20 to 23 takes it for ISO 8859-1, which has control characters in the place of letters and quotes. */
class Windows1252 {
  decode(bytes: Buffer = EMPTY, _options?: { readonly stream: boolean }): string {
    const text = bytes.toString('latin1');
    return HAS_C1.test(text) ? text.replace(C1, (letter) => WINDOWS_1252[letter.charCodeAt(0) - 0x80]!) : text;
  }
}

const EMPTY = Buffer.alloc(0);
const HAS_C1 = /[\u0080-\u009f]/;
const C1 = /[\u0080-\u009f]/g;

/** https://encoding.spec.whatwg.org/index-windows-1252.txt, from 0x80 to 0x9f. */
const WINDOWS_1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';
