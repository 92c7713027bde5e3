import type { Xoshiro128 } from '../../src/primitives/xoshiro128.js';
import type { Frame } from '../../src/providers/session.js';

const JUNK = [
  'null',
  '""',
  '-1',
  '1e999',
  '{}',
  '[]',
  '"x"',
  '12345678901234567890',
  'true',
  '\u0000',
  '\uD800',
  '0',
  '"',
];

/** Damages a frame, as a broken server or proxy might: a seeded choice of what, where and how often. */
export function mutateFrame(frame: Frame, random: Xoshiro128): Frame {
  let mutated = frame;
  for (let times = 1 + random.below(3); times > 0; times--) {
    mutated = typeof mutated === 'string' ? mutateText(mutated, random) : mutateBytes(mutated, random);
  }
  return mutated;
}

function mutateText(text: string, random: Xoshiro128): string {
  const at = random.below(text.length + 1);
  switch (random.below(6)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + random.below(20));
    case 2:
      return text.slice(0, at) + String.fromCharCode(random.below(0x3000)) + text.slice(at + 1);
    case 3:
      return text.slice(0, at) + JUNK[random.below(JUNK.length)] + text.slice(at);
    default:
      return replaceValue(text, at, JUNK[random.below(JUNK.length)]!);
  }
}

/** Replaces the value of the member that follows, so that what comes out is mostly JSON. */
function replaceValue(text: string, from: number, by: string): string {
  const value = /:("(?:[^"\\]|\\.)*"|[-\w.]+|\[[^\]]*\])/g;
  value.lastIndex = from;
  const match = value.exec(text);
  return match ? `${text.slice(0, match.index)}:${by}${text.slice(match.index + match[0].length)}` : text;
}

function mutateBytes(bytes: Uint8Array, random: Xoshiro128): Uint8Array {
  const at = random.below(bytes.length + 1);
  const mutated = Uint8Array.from(bytes);
  switch (random.below(4)) {
    case 0:
      return mutated.slice(0, at);
    case 1:
      return Uint8Array.of(...mutated.slice(0, at), random.below(256), ...mutated.slice(at));
    default:
      mutated[at] = random.below(256);
      return mutated;
  }
}
