import { type LineRun, LineScanner } from '../../disk/lineScanner.js';

/** A line that is longer than allowed, of which only the beginning is kept. */
export class OverlongLine {
  readonly start: string;

  constructor(start: string) {
    this.start = start;
  }
}

export type Line = string | OverlongLine;

/** Cuts bytes of UTF-8 into lines of text, without their ends and without a byte order mark. */
export class LineSplitter {
  readonly #scanner: LineScanner;

  constructor(maxBytes: number) {
    this.#scanner = new LineScanner(maxBytes);
  }

  /** The lines that end in this chunk. */
  push(chunk: Buffer): Line[] {
    return this.#scanner.push(chunk).flatMap(textOf);
  }

  /** What follows the last line end: a line too, unless it is empty. */
  end(): Line[] {
    const last = this.#scanner.end();
    return last ? textOf(last) : [];
  }
}

function textOf({ offset, bytes, isOverlong, isEnded }: LineRun): Line[] {
  // A run ends where a line does, so that no character is cut in two.
  let text = bytes.toString();
  if (offset === 0 && text.startsWith('\uFEFF')) text = text.slice(1);
  if (isOverlong) return [new OverlongLine(text)];
  const lines = text.split('\n');
  if (isEnded) lines.pop();
  else if (text === '') return [];
  if (text.includes('\r')) {
    for (const [i, line] of lines.entries()) if (line.endsWith('\r')) lines[i] = line.slice(0, -1);
  }
  return lines;
}
