import { type LineRun, LineScanner } from '../../disk/lineScanner.js';
import { RowProblem } from './fileRecord.js';

/** A line that is longer than allowed, of which only the beginning is kept. */
export class OverlongLine extends RowProblem {
  readonly start: string;

  constructor(start: string, maxBytes: number) {
    super(`the record is longer than ${maxBytes} bytes (maxRecordBytes)`);
    this.start = start;
  }
}

export type Line = string | OverlongLine;

/** Cuts bytes of UTF-8 into lines of text, without their LF and without a byte order mark. The CR of a CRLF stays: it may be quoted. */
export class LineSplitter {
  readonly #scanner: LineScanner;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#scanner = new LineScanner(maxBytes);
  }

  /** The lines that end in this chunk. */
  push(chunk: Buffer): Line[] {
    return this.#scanner.push(chunk).flatMap((run) => this.#linesOf(run));
  }

  /** What follows the last line end: a line too, unless it is empty. */
  end(): Line[] {
    const last = this.#scanner.end();
    return last ? this.#linesOf(last) : [];
  }

  #linesOf({ offset, bytes, isOverlong, isEnded }: LineRun): Line[] {
    // A run ends where a line does, so that no character is cut in two.
    let text = bytes.toString();
    if (offset === 0 && text.startsWith('\uFEFF')) text = text.slice(1);
    if (isOverlong) return [new OverlongLine(text, this.#maxBytes)];
    const lines = text.split('\n');
    if (isEnded) lines.pop();
    else if (text === '') return [];
    return lines;
  }
}
