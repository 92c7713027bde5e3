import type { DiskFile } from './disk.js';

const LF = 0x0a;
const CR = 0x0d;
const CHUNK_BYTES = 1 << 18;

/** How much of an overlong line is kept, so that a message can show its beginning. */
const KEPT_BYTES = 256;

/** Whole lines that follow one another, or one line that is longer than allowed. */
export interface LineRun {
  /** Where the run begins, counted from the first byte that was pushed. */
  readonly offset: number;
  /** How many bytes it takes, line ends included. */
  readonly length: number;
  /** The lines with their ends; of an overlong line only its beginning. May be a view into what was pushed. */
  readonly bytes: Buffer;
  readonly isOverlong: boolean;
  /** False for what follows the last line end. */
  readonly isEnded: boolean;
}

/**
 * Cuts bytes into lines that end in LF or CRLF. Of a line that is longer than `maxLineBytes`, its end not counted, only the
 * beginning is kept: memory is bounded by the longest line allowed.
 */
export class LineScanner {
  readonly #maxLineBytes: number;
  /** The unfinished line: copies, as the caller may reuse its buffer. */
  #rest: Buffer[] = [];
  #restBytes = 0;
  /** Set while the unfinished line is longer than allowed: its beginning. */
  #overlong: Buffer | undefined;
  /** Where the unfinished line begins. */
  #offset = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The lines that end in this chunk. */
  push(chunk: Buffer): LineRun[] {
    const runs: LineRun[] = [];
    let from = 0;
    if (this.#overlong) {
      from = chunk.indexOf(LF) + 1;
      if (from === 0) {
        this.#restBytes += chunk.length;
        return runs;
      }
      this.#restBytes += from;
      runs.push(this.#takeOverlong(this.#overlong, true));
    }
    const to = chunk.lastIndexOf(LF) + 1;
    if (to > from) {
      const ended = chunk.subarray(from, to);
      const bytes = this.#restBytes === 0 ? ended : Buffer.concat([...this.#rest, ended]);
      this.#split(bytes, runs);
      this.#rest = [];
      this.#restBytes = 0;
      this.#offset += bytes.length;
      from = to;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
    return runs;
  }

  /** What follows the last line end, if anything does. */
  end(): LineRun | undefined {
    if (this.#overlong) return this.#takeOverlong(this.#overlong, false);
    if (this.#restBytes === 0) return undefined;
    const bytes = Buffer.concat(this.#rest);
    const isOverlong = lengthOf(bytes, 0, bytes.length) > this.#maxLineBytes;
    const kept = isOverlong ? bytes.subarray(0, KEPT_BYTES) : bytes;
    return { offset: this.#offset, length: bytes.length, bytes: kept, isOverlong, isEnded: false };
  }

  /** Most lines are short: they are told apart only where one of them can be too long. */
  #split(bytes: Buffer, runs: LineRun[]): void {
    let start = 0;
    const add = (from: number, to: number, isOverlong: boolean): void => {
      if (from === to) return;
      const kept = bytes.subarray(from, isOverlong ? Math.min(to, from + KEPT_BYTES) : to);
      runs.push({ offset: this.#offset + from, length: to - from, bytes: kept, isOverlong, isEnded: true });
    };
    if (bytes.length > this.#maxLineBytes) {
      for (let from = 0; from < bytes.length; ) {
        const end = bytes.indexOf(LF, from);
        if (lengthOf(bytes, from, end) > this.#maxLineBytes) {
          add(start, from, false);
          add(from, end + 1, true);
          start = end + 1;
        }
        from = end + 1;
      }
    }
    add(start, bytes.length, false);
  }

  #keep(part: Buffer): void {
    this.#rest.push(Buffer.from(part));
    this.#restBytes += part.length;
    // One more, which may be the first half of its end.
    if (this.#restBytes <= this.#maxLineBytes + 1) return;
    this.#overlong = Buffer.concat(this.#rest, Math.min(this.#restBytes, KEPT_BYTES));
    this.#rest = [];
  }

  #takeOverlong(bytes: Buffer, isEnded: boolean): LineRun {
    const run = { offset: this.#offset, length: this.#restBytes, bytes, isOverlong: true, isEnded };
    this.#offset += this.#restBytes;
    this.#overlong = undefined;
    this.#restBytes = 0;
    return run;
  }
}

/** Without the CR of a CRLF. */
function lengthOf(bytes: Buffer, from: number, end: number): number {
  return end - from - (end > from && bytes[end - 1] === CR ? 1 : 0);
}

/** A line of a file without its LF; without `bytes` if it is too long. */
export interface ScannedLine extends Omit<LineRun, 'bytes' | 'isOverlong'> {
  /** Valid until the next block is asked for: a view into the buffer of the scanner. */
  readonly bytes: Buffer | undefined;
}

/**
 * Reads a file line by line, holding no more of it than a chunk and a line. The lines come in blocks, because to wait for each
 * costs more than to read it. May miss what is appended meanwhile.
 */
export async function* scanLines(file: Pick<DiskFile, 'read'>, maxLineBytes: number): AsyncGenerator<ScannedLine[]> {
  const scanner = new LineScanner(maxLineBytes);
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let position = 0; ; ) {
    const read = await file.read(buffer, position);
    if (read === 0) break;
    position += read;
    const lines = scanner.push(buffer.subarray(0, read)).flatMap(linesOf);
    if (lines.length > 0) yield lines;
  }
  const last = scanner.end();
  if (last) yield linesOf(last);
}

function linesOf({ offset, length, bytes, isOverlong, isEnded }: LineRun): ScannedLine[] {
  if (isOverlong || !isEnded) return [{ offset, length, bytes: isOverlong ? undefined : bytes, isEnded }];
  const lines: ScannedLine[] = [];
  for (let start = 0; start < length; ) {
    const end = bytes.indexOf(LF, start);
    lines.push({ offset: offset + start, length: end + 1 - start, bytes: bytes.subarray(start, end), isEnded });
    start = end + 1;
  }
  return lines;
}
