import type { FileFormat } from './fileFormat.js';
import type { FileRecord, RowProblem } from './fileRecord.js';
import { type Line, OverlongLine } from './lineSplitter.js';

/** How a file is read. */
export interface FileSettings {
  readonly file: string;
  /** `undefined` if the name of a file within has to tell. */
  readonly format: FileFormat | undefined;
  readonly gzip: boolean | undefined;
  readonly encoding: string | undefined;
  readonly entry: string | undefined;
  /** `undefined` if the file has to tell. */
  readonly delimiter: string | undefined;
  readonly header: readonly string[] | undefined;
  /** How many lines are passed over before the header, or the first record. */
  readonly skipLines: number;
  /** What begins a comment line; `undefined` for `#` where the line cannot be a row. */
  readonly comment: string | false | undefined;
  readonly maxRecordBytes: number;
}

/** Makes records of lines. */
export interface RecordParser {
  /** The columns of the file, once they are known: those of the CSV header. NDJSON records have each their own. */
  readonly columns: readonly string[] | undefined;
  /** How many lines were taken by the last call of {@link parse} that did not return `more`. */
  readonly taken: number;
  /**
   * The record that begins at `lines[at]`, which is not blank and is line `number` of the file, or what is wrong with that
   * line. `undefined` if it holds no record, such as a header; `more` if more lines must be known first: the caller then
   * calls again for the same line, with the same lines and more behind them. `isLast`: there are no more.
   */
  parse(
    lines: readonly Line[],
    at: number,
    number: number,
    isLast: boolean,
  ): FileRecord | RowProblem | 'more' | undefined;
}

const MARK = 0xfeff;
const CR = 0x0d;

/** A line without the CR of a CRLF, and without the byte order mark that a file has where it was put behind another. */
export function bareLine(line: string): string {
  const from = line.charCodeAt(0) === MARK ? 1 : 0;
  const last = line.length - 1;
  if (line.charCodeAt(last) === CR) return line.slice(from, last);
  return from === 0 ? line : line.slice(from);
}

/** The text of a line; if it is too long, its beginning. */
export function textOf(line: Line): string {
  return line instanceof OverlongLine ? line.start : line;
}
