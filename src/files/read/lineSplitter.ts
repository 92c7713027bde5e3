import { StringDecoder } from 'node:string_decoder';

/** A line that is longer than allowed, of which only the beginning is kept. */
export class OverlongLine {
  readonly start: string;

  constructor(start: string) {
    this.start = start;
  }
}

export type Line = string | OverlongLine;

const LF = 0x0a;

/** How much is kept of an overlong line. */
const KEPT = 256;

/** Cuts bytes of UTF-8 into lines that end in LF or CRLF, and never holds more than `maxBytes` of an unfinished one. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #maxBytes: number;
  #atStart = true;
  #rest = '';
  #overlong: OverlongLine | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that end in this chunk. */
  push(chunk: Buffer): Line[] {
    if (this.#overlong && !chunk.includes(LF)) return [];
    let text = this.#decoder.write(chunk);
    if (this.#atStart && text !== '') {
      this.#atStart = false;
      if (text.startsWith('\uFEFF')) text = text.slice(1);
    }
    const lines: Line[] = [];
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      lines.push(this.#finish(text.slice(start, end)));
      start = end + 1;
    }
    this.#keep(text.slice(start));
    return lines;
  }

  /** What stands after the last line end: a line too, if it is anything. */
  end(): Line[] {
    this.#keep(this.#decoder.end());
    return this.#rest === '' && !this.#overlong ? [] : [this.#finish('')];
  }

  #finish(end: string): Line {
    const overlong = this.#overlong;
    if (overlong) {
      this.#overlong = undefined;
      return overlong;
    }
    let line = this.#rest === '' ? end : this.#rest + end;
    this.#rest = '';
    if (line.endsWith('\r')) line = line.slice(0, -1);
    return this.#isTooLong(line) ? new OverlongLine(line.slice(0, KEPT)) : line;
  }

  #keep(text: string): void {
    if (this.#overlong) return;
    this.#rest += text;
    if (this.#rest.length > this.#maxBytes + 1) {
      this.#overlong = new OverlongLine(this.#rest.slice(0, KEPT));
      this.#rest = '';
    }
  }

  #isTooLong(line: string): boolean {
    // A UTF-16 code unit takes one to three bytes of UTF-8, so that most lines need no counting.
    if (line.length * 3 <= this.#maxBytes) return false;
    return Buffer.byteLength(line) > this.#maxBytes;
  }
}
