import type { SinkTarget } from '../../../contracts/sinkTarget.js';
import type { LetterCount } from '../../../dead-letters/deadLetter.js';
import type { ErrorRecord } from '../../../dead-letters/errorRecord.js';
import type { StoredLetter } from '../../../dead-letters/readDeadLetters.js';
import { encodeValue } from '../../../dead-letters/valueCodec.js';
import { oneLine } from '../../../primitives/oneLine.js';

/** A letter as JSON, with its items or only their number. Values that JSON cannot express are marked as in the folder. */
export function letterJson({ items, ...letter }: StoredLetter<unknown>, withItems: boolean): Record<string, unknown> {
  const head = { ...letter, at: timeOf(letter.at), itemCount: items.length };
  return withItems ? { ...head, items: items.map((item) => encodeValue(item, 'item')) } : head;
}

/** In UTC, with milliseconds. */
export function timeOf(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}

/** The error and its causes, one line each. Empty without an error. */
export function errorLines(error: ErrorRecord | null): string[] {
  const lines: string[] = [];
  for (let one = error ?? undefined; one; one = one.cause) {
    const code = one.sqlState ?? one.code;
    lines.push(oneLine(`${one.name}${code === undefined ? '' : ` ${code}`}: ${one.message}`));
  }
  return lines;
}

/** The innermost error, which says what is wrong; those around it say where. */
export function errorSummary(error: ErrorRecord | null): string {
  return errorLines(error).at(-1) ?? '';
}

/** The sink that gave a letter up, and its table. */
export function sinkText({ name, table, schema }: SinkTarget): string {
  return table === undefined ? name : `${name}, table ${schema === undefined ? '' : `${schema}.`}${table}`;
}

export const NONE: LetterCount = { letters: 0, items: 0 };

export function tallyText({ letters, items }: LetterCount): string {
  return `${letters} ${letters === 1 ? 'letter' : 'letters'} with ${items} ${items === 1 ? 'item' : 'items'}`;
}
