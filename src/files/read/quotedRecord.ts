import { RowProblem } from './fileRecord.js';
import { type Line, OverlongLine } from './lineSplitter.js';

const QUOTE = 0x22;
const CR = 0x0d;

/**
 * Reads one record that has quoted fields (RFC 4180), over as many lines as it takes. Blanks around a quoted field are no
 * part of it, and those inside are kept, as are the line ends inside, LF or CRLF.
 *
 * Only a record that keeps to RFC 4180 goes on over several lines. A line of it that begins outside of a quote and ends within
 * one holds an odd number of quotes; so the next line that could begin such a record ends this one, or shows that it is
 * malformed. Therefore no line of a file is read more than twice, however many quotes are never closed.
 */
export class QuotedRecord {
  readonly fields: string[] = [];
  /** How many lines were read. */
  lines = 0;
  readonly #delimiter: string;
  readonly #maxBytes: number;
  #bytes = 0;
  /** Where the text of the open field begins: its line, counted from the first of the record; -1 if no quote is open. */
  #openLine = -1;
  #openAt = 0;
  /** Whether a quote stands inside a field that is not quoted: there it is text, though not by RFC 4180. */
  #isLoose = false;

  constructor(delimiter: string, maxBytes: number) {
    this.#delimiter = delimiter;
    this.#maxBytes = maxBytes;
  }

  /** Reads on, through the record that begins at `lines[first]`: `open` if all lines are read and a quote is open. */
  read(lines: readonly Line[], first: number): 'open' | 'closed' | RowProblem {
    for (;;) {
      const line = lines[first + this.lines];
      if (line === undefined) return 'open';
      if (line instanceof OverlongLine) return this.#tooLong();
      const state = this.#readLine(line, lines, first);
      this.lines += 1;
      if (this.lines > 1 || state === 'open') {
        const bytes = Buffer.byteLength(line) - (line.charCodeAt(line.length - 1) === CR ? 1 : 0);
        if (this.#bytes + bytes > this.#maxBytes) return this.#tooLong();
        this.#bytes += bytes + 1;
      }
      if (state !== 'open') return state;
    }
  }

  #readLine(line: string, lines: readonly Line[], first: number): 'open' | 'closed' | RowProblem {
    const delimiter = this.#delimiter;
    let at = 0;
    for (;;) {
      if (this.#openLine < 0) {
        const start = this.#skipBlanks(line, at);
        if (line.charCodeAt(start) !== QUOTE) {
          const end = line.indexOf(delimiter, at);
          const field = line.slice(at, end < 0 ? undefined : end).trim();
          this.#isLoose ||= field.includes('"');
          this.fields.push(field);
          if (end < 0) return 'closed';
          at = end + 1;
          continue;
        }
        this.#openLine = this.lines;
        this.#openAt = start + 1;
        at = start + 1;
      }
      const end = closingQuote(line, at);
      if (end < 0) return this.#isLoose ? LOOSE : 'open';
      this.fields.push(this.#textTo(end, line, lines, first));
      this.#openLine = -1;
      at = this.#skipBlanks(line, end + 1);
      if (at === line.length) return 'closed';
      if (line[at] !== delimiter) return BEHIND;
      at += 1;
    }
  }

  /** The text of the open field, whose closing quote stands at `end` in `line`. */
  #textTo(end: number, line: string, lines: readonly Line[], first: number): string {
    let text: string;
    if (this.#openLine === this.lines) text = line.slice(this.#openAt, end);
    else {
      const parts = lines.slice(first + this.#openLine, first + this.lines) as string[];
      parts[0] = parts[0]!.slice(this.#openAt);
      parts.push(line.slice(0, end));
      text = parts.join('\n');
    }
    return text.includes('"') ? text.replaceAll('""', '"') : text;
  }

  #skipBlanks(line: string, from: number): number {
    let at = from;
    while (at < line.length && isBlank(line.charCodeAt(at)) && line[at] !== this.#delimiter) at += 1;
    return at;
  }

  #tooLong(): RowProblem {
    return new RowProblem(`the record is longer than ${this.#maxBytes} bytes (maxRecordBytes)`);
  }
}

const LOOSE = new RowProblem('a quote is not closed on its line, and others stand inside fields that are not quoted');
const BEHIND = new RowProblem(
  'text follows the closing quote of a field: write a quote inside a quoted field twice, or close it before the delimiter',
);

/** Where the quoted text that goes on at `from` is closed, past quotes that are written twice; -1 if not on this line. */
function closingQuote(line: string, from: number): number {
  for (let at = from; ; at += 2) {
    at = line.indexOf('"', at);
    if (at < 0 || line.charCodeAt(at + 1) !== QUOTE) return at;
  }
}

/** Whether `trim` takes the character away. */
function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 9 && code <= 13) || (code >= 0xa0 && String.fromCharCode(code).trim() === '');
}
