import { isLeft } from 'fp-ts/lib/Either.js';
import type * as t from 'io-ts';
import { decodeProblems } from '../../src/contracts/decodeProblems.js';

/** Why a codec refuses an input, in words; nothing where it takes it. */
export function reasons(codec: t.Decoder<unknown, unknown>, input: unknown): string[] {
  const decoded = codec.decode(input);
  if (!isLeft(decoded)) return [];
  return decodeProblems(decoded.left).map(({ path, expected, got }) => `${path}: expected ${expected}, got ${got}`);
}
