/** What has become of the letters of a segment, a byte each: removed or not, and how often it was sent with no end to it. */
export class LetterMarks {
  #bytes = new Uint8Array(64);

  isRemoved(ordinal: number): boolean {
    return (this.#at(ordinal) & REMOVED) !== 0;
  }

  remove(ordinal: number): void {
    this.#set(ordinal, this.#at(ordinal) | REMOVED);
  }

  /** How many replays have begun with this letter and never come back. */
  unfinished(ordinal: number): number {
    return this.#at(ordinal) & MAX_ITEMS;
  }

  begin(ordinal: number): void {
    if (this.unfinished(ordinal) < MAX_ITEMS) this.#set(ordinal, this.#at(ordinal) + 1);
  }

  /** The last attempt was ended without a verdict, and does not count. */
  release(ordinal: number): void {
    if (this.unfinished(ordinal) > 0) this.#set(ordinal, this.#at(ordinal) - 1);
  }

  #at(ordinal: number): number {
    return this.#bytes[ordinal] ?? 0;
  }

  #set(ordinal: number, byte: number): void {
    if (ordinal >= this.#bytes.length) {
      const larger = new Uint8Array(Math.max(ordinal + 1, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[ordinal] = byte;
  }
}

const REMOVED = 0x80;
const MAX_ITEMS = 0x7f;

/** `removed`, `begun`, or `released`: begun, and ended without a verdict. */
export type MarkSign = '-' | '+' | '=';

/** A line of a journal. A part of one is not JSON, so that a torn line says nothing. */
export function markLine(sign: MarkSign, ordinals: readonly number[]): string {
  return `${JSON.stringify([sign, ...ordinals])}\n`;
}

/** Applies a line of a journal; one that is none is passed over. */
export function applyMarks(marks: LetterMarks, line: string, mostLetters: number): void {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return;
  }
  if (!Array.isArray(entry)) return;
  const [sign, ...ordinals] = entry as unknown[];
  for (const ordinal of ordinals) {
    if (typeof ordinal !== 'number' || !Number.isInteger(ordinal) || ordinal < 0 || ordinal > mostLetters) continue;
    applyMark(marks, sign, ordinal);
  }
}

export function applyMark(marks: LetterMarks, sign: unknown, ordinal: number): void {
  if (sign === '-') marks.remove(ordinal);
  else if (sign === '+') marks.begin(ordinal);
  else if (sign === '=') marks.release(ordinal);
}
