import { AssertionError, deepStrictEqual } from 'node:assert/strict';
import { inspect } from 'node:util';
import type { SubscriptionLogs } from './gatedMarbles.js';

interface Message {
  readonly frame: number;
  readonly notification: { readonly kind: 'N' | 'E' | 'C'; readonly value?: unknown; readonly error?: unknown };
}

type SubscriptionFrames = SubscriptionLogs[number];

/** The assertion of a `TestScheduler`: strict deep equality. If the sides differ, both are drawn as marbles. */
export function assertMarblesEqual(received: unknown, expected: unknown): void {
  try {
    deepStrictEqual(received, expected);
  } catch {
    const legend = new Map<string, unknown>();
    const drawn = [draw(expected, legend), draw(received, legend)];
    const where = [...legend].map(([letter, value]) => `\n  where ${letter} is ${brief(value)}`).join('');
    throw new AssertionError({
      message: `marbles differ\n  expected ${drawn[0]}\n  received ${drawn[1]}${where}`,
      actual: list(received),
      expected: list(expected),
      operator: 'deepStrictEqual',
    });
  }
}

function draw(side: unknown, legend: Map<string, unknown>): string {
  if (!Array.isArray(side)) return brief(side);
  if (side.length === 0) return '(nothing)';
  if (side.every(isSubscriptionFrames)) return side.map(drawSubscription).join('  ');
  if (side.every(isMessage)) return drawMessages(side, legend);
  return brief(side);
}

/** Draws time: one dash per frame, or ` 500ms ` for many frames. */
function drawTime(frames: number): string {
  return frames > 40 ? ` ${frames}ms ` : '-'.repeat(frames);
}

function drawSubscription({ subscribedFrame, unsubscribedFrame }: SubscriptionFrames): string {
  const start = `${drawTime(subscribedFrame)}^`;
  if (unsubscribedFrame === Infinity) return start;
  const lasted = unsubscribedFrame - subscribedFrame;
  return lasted === 0 ? `${drawTime(subscribedFrame)}(^!)` : `${start}${drawTime(lasted - 1)}!`;
}

/** A frame with more events than marbles can draw is written out: `@12`. */
function drawMessages(messages: readonly Message[], legend: Map<string, unknown>): string {
  let drawn = '';
  let frame = 0;
  for (const [at, letters] of byFrame(messages, legend)) {
    drawn += at >= frame ? drawTime(at - frame) : `@${at}`;
    drawn += letters.length > 1 ? `(${letters})` : letters;
    frame = at + (letters.length > 1 ? letters.length + 2 : 1);
  }
  return drawn;
}

function byFrame(messages: readonly Message[], legend: Map<string, unknown>): Map<number, string> {
  const frames = new Map<number, string>();
  for (const { frame, notification } of messages) {
    const { kind, value } = notification;
    const letter = kind === 'C' ? '|' : kind === 'E' ? '#' : letterOf(value, legend);
    frames.set(frame, (frames.get(frame) ?? '') + letter);
  }
  return frames;
}

function letterOf(value: unknown, legend: Map<string, unknown>): string {
  if (typeof value === 'string' && [...value].length === 1) return value;
  for (const [letter, known] of legend) {
    if (brief(known) === brief(value)) return letter;
  }
  const letter = String.fromCodePoint(legend.size < 26 ? 0x41 + legend.size : 0x100 + legend.size);
  legend.set(letter, value);
  return letter;
}

function list(side: unknown): unknown {
  if (!Array.isArray(side)) return side;
  if (side.every(isMessage)) {
    return side.map(({ frame, notification: { kind, value, error } }) => {
      if (kind === 'C') return `${frame} complete`;
      return kind === 'E' ? `${frame} error ${brief(error)}` : `${frame} next ${brief(value)}`;
    });
  }
  return side.every(isSubscriptionFrames) ? side.map(drawSubscription) : side;
}

export function brief(value: unknown): string {
  return inspect(value, { depth: 4, breakLength: Infinity, compact: true, maxArrayLength: 60 });
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && 'frame' in value && 'notification' in value;
}

function isSubscriptionFrames(value: unknown): value is SubscriptionFrames {
  return typeof value === 'object' && value !== null && 'subscribedFrame' in value;
}
