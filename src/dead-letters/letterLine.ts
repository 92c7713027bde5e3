import type { EncodedEntry, Position } from '../disk/log/entryFormat.js';
import type { DeadLetter } from './deadLetter.js';
import { kindOf } from './deadLetter.js';
import { DeadLetterError } from './deadLetterError.js';
import { encodeValue, isPlain } from './valueCodec.js';

/** A letter that has no place yet. */
export type LetterDraft = Omit<DeadLetter, 'id' | 'kind'>;

/** More than the head of a line takes. */
const HEAD_BYTES = 64;

/** The beginning of a line. {@link headOf} reads it, and the count after it, without the rest. */
export function lineHead(segment: string, ordinal: number): string {
  return `{"v":1,"id":"${segment}-${ordinal}",`;
}

const HEAD = /^\{"v":1,"id":"\d+-(\d+)","count":(\d+),/;

/** The number and weight of a letter whose line begins as the current version does. */
export function headOf(line: Buffer): { readonly ordinal: number; readonly weight: number } | undefined {
  const [, ordinal, count] = HEAD.exec(line.toString('latin1', 0, HEAD_BYTES * 2)) ?? [];
  return ordinal === undefined || count === undefined ? undefined : { ordinal: Number(ordinal), weight: Number(count) };
}

/** The id of the letter at a place. */
export function idOf({ segment, ordinal }: Position): string {
  return `${segment}-${ordinal}`;
}

/** The number in its segment of the letter that an id names; 0 if it names none. */
export function ordinalOf(id: string): number {
  return Number(/^\d+-(\d+)$/.exec(id)?.[1] ?? 0);
}

/** One letter, or several if one would be longer than allowed. */
export function encodeLetters(draft: LetterDraft, maxLetterBytes: number): EncodedEntry[] {
  const { items } = draft;
  const encoded = encodeLetter(draft);
  if (encoded.bytes <= maxLetterBytes) return [encoded];
  if (items.length === 1) {
    throw new DeadLetterError(
      'SLUICE_DEAD_LETTERS_TOO_LARGE',
      `an item of ${encoded.bytes} bytes is larger than a dead letter may be; raise maxLetterBytes (${maxLetterBytes})`,
    );
  }
  const half = items.length >> 1;
  return [items.slice(0, half), items.slice(half)].flatMap((part) =>
    encodeLetters({ ...draft, items: part }, maxLetterBytes),
  );
}

function encodeLetter(draft: LetterDraft): EncodedEntry {
  const { at, pipeline, stage, sink, reason, error, attempts, replays, previous, items } = draft;
  const isJson = items.every((item) => isPlain(item));
  const values = isJson ? 'json' : 'marked';
  const header = { at, pipeline, stage, sink, reason, error, attempts, replays, previous, kind: kindOf(items), values };
  const json = JSON.stringify(isJson ? items : items.map((item, i) => encodeValue(item, `items[${i}]`)));
  const rest = `"count":${items.length},${JSON.stringify(header).slice(1, -1)},"items":${json}}\n`;
  return { rest, bytes: Buffer.byteLength(rest) + HEAD_BYTES, weight: items.length };
}
