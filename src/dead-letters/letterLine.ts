import type { DeadLetter } from './deadLetter.js';
import { kindOf } from './deadLetter.js';
import { DeadLetterError } from './deadLetterError.js';
import { encodeValue, isPlain } from './valueCodec.js';

/** A letter that has no place in a segment yet. */
export type LetterDraft = Omit<DeadLetter, 'id' | 'kind'>;

/** All of a letter's line but what its place makes of it. */
export interface EncodedLetter {
  readonly rest: string;
  readonly bytes: number;
  readonly count: number;
}

/** More than the beginning of a line takes. */
const HEAD_BYTES = 64;

/** The beginning of a line, which {@link headOf} reads without reading the rest. */
export function lineHead(segment: string, ordinal: number): string {
  return `{"v":1,"id":"${segment}-${ordinal}",`;
}

const HEAD = /^\{"v":1,"id":"\d+-(\d+)","count":(\d+),/;

/** Place and number of items of a line that begins as the current version does. */
export function headOf(line: Buffer): { readonly ordinal: number; readonly count: number } | undefined {
  const [, ordinal, count] = HEAD.exec(line.toString('latin1', 0, HEAD_BYTES * 2)) ?? [];
  return ordinal === undefined || count === undefined ? undefined : { ordinal: Number(ordinal), count: Number(count) };
}

/** The place that an id names. */
export function placeOf(id: string): { readonly segment: string; readonly ordinal: number } | undefined {
  const [, segment, ordinal] = /^(\d+)-(\d+)$/.exec(id) ?? [];
  return segment === undefined ? undefined : { segment, ordinal: Number(ordinal) };
}

/** One letter, or several where one would be longer than allowed. */
export function encodeLetters(draft: LetterDraft, maxLetterBytes: number): EncodedLetter[] {
  const { items } = draft;
  const encoded = encodeLetter(draft);
  if (encoded.bytes <= maxLetterBytes) return [encoded];
  if (items.length === 1) {
    throw new DeadLetterError(
      'SLUICE_DEAD_LETTERS_TOO_LARGE',
      `an item of ${encoded.bytes} bytes is larger than a dead letter may be: raise maxLetterBytes (${maxLetterBytes})`,
    );
  }
  const half = items.length >> 1;
  return [items.slice(0, half), items.slice(half)].flatMap((part) =>
    encodeLetters({ ...draft, items: part }, maxLetterBytes),
  );
}

function encodeLetter(draft: LetterDraft): EncodedLetter {
  const { at, pipeline, stage, reason, error, attempts, replays, previous, items } = draft;
  const isJson = items.every((item) => isPlain(item));
  const values = isJson ? 'json' : 'marked';
  const header = { at, pipeline, stage, reason, error, attempts, replays, previous, kind: kindOf(items), values };
  const json = JSON.stringify(isJson ? items : items.map((item, i) => encodeValue(item, `items[${i}]`)));
  const rest = `"count":${items.length},${JSON.stringify(header).slice(1, -1)},"items":${json}}\n`;
  return { rest, bytes: Buffer.byteLength(rest) + HEAD_BYTES, count: items.length };
}
