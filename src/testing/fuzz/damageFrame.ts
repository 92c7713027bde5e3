import type { Xoshiro128 } from '../../primitives/xoshiro128.js';
import type { Frame } from '../../providers/session.js';

/** What takes the place of a value, as text, so that numbers are possible that JavaScript cannot hold. */
const VALUES: readonly string[] = [
  'null',
  'true',
  '""',
  '"x"',
  '"0"',
  '"1e5"',
  '"NaN"',
  '-1',
  '0',
  '-0',
  '1e999',
  '0.1e-400',
  '1767623400000000000',
  '9223372036854775807',
  '12345678901234567890123',
  '"\\ud800"',
  '"\\u0000"',
  '{}',
  '[]',
  '[[]]',
  '{"__proto__":{"ev":"T"}}',
  '"2026-01-05T14:30:00.123456789Z"',
  '"9999-99-99T99:99:99Z"',
];

/** Longer than any value that a vendor sends. */
const HUGE = `"${'7'.repeat(40_000)}"`;
const DEEP = `${'['.repeat(4_000)}${']'.repeat(4_000)}`;

/** One in so many damages is a huge or a deep value, which costs as much as many others. */
const RARE = 2_000;

/** The value of a member: a text, a number or a word, or a short array. */
const MEMBER = /"(?:[^"\\]|\\.)*":("(?:[^"\\]|\\.)*"|[-\w.]+|\[[^[\]]*\])/g;

/** Damages a frame one to three times, as a broken server or proxy might: what, where and how is chosen by `random`. */
export function damageFrame(frame: Frame, random: Xoshiro128): Frame {
  let damaged = frame;
  for (let times = 1 + random.below(3); times > 0; times--) {
    damaged = typeof damaged === 'string' ? damageText(damaged, random) : damageBytes(damaged, random);
  }
  return damaged;
}

function damageText(text: string, random: Xoshiro128): Frame {
  if (random.below(RARE) === 0) return changeMember(text, random, (name) => `${name}:${random.below(2) ? HUGE : DEEP}`);
  const at = random.below(text.length + 1);
  const end = at + 1 + random.below(20);
  switch (random.below(12)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(end);
    case 2:
      return text.slice(0, at) + String.fromCharCode(random.below(0x1_0000)) + text.slice(at + 1);
    case 3:
      return text.slice(0, at) + text.slice(at, end) + text.slice(at);
    case 4:
      // Not UTF-8 any more, so it is bytes.
      return random.below(20) === 0 ? damageBytes(Buffer.from(text), random) : text.slice(at);
    case 5:
      return changeMember(text, random, () => '"removed":0');
    case 6:
      return changeMember(
        text,
        random,
        (name, value) => `${name}:${value.startsWith('"') ? value.slice(1, -1) : `"${value}"`}`,
      );
    case 7:
      return changeMember(text, random, (name, value) => `${name}:${value},${name}:${pick(random)}`);
    default:
      return changeMember(text, random, (name) => `${name}:${pick(random)}`);
  }
}

const pick = (random: Xoshiro128) => VALUES[random.below(VALUES.length)]!;

/** Changes a member of some object, so that what comes out is mostly JSON. */
function changeMember(text: string, random: Xoshiro128, change: (name: string, value: string) => string): string {
  MEMBER.lastIndex = random.below(text.length + 1);
  const match = MEMBER.exec(text);
  if (!match) return text;
  const value = match[1]!;
  const name = match[0].slice(0, -value.length - 1);
  return text.slice(0, match.index) + change(name, value) + text.slice(match.index + match[0].length);
}

function damageBytes(bytes: Uint8Array, random: Xoshiro128): Uint8Array {
  const at = random.below(bytes.length + 1);
  const damaged = Uint8Array.from(bytes);
  switch (random.below(5)) {
    case 0:
      return damaged.slice(0, at);
    case 1:
      return Buffer.concat([damaged.subarray(0, at), Buffer.of(random.below(256)), damaged.subarray(at)]);
    case 2:
      return Buffer.concat([damaged.subarray(0, at), damaged.subarray(at + 1 + random.below(8))]);
    default:
      if (at < damaged.length) damaged[at] = random.below(256);
      return damaged;
  }
}
