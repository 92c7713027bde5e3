import { columnsOf, delimiterFor, delimiterOf, markedHeader, namedDelimiter, sameNames } from './csvHeader.js';
import { type FileRecord, RowProblem } from './fileRecord.js';
import { type Line, OverlongLine } from './lineSplitter.js';
import { QuotedRecord } from './quotedRecord.js';
import { bareLine, type FileSettings, type RecordParser, textOf } from './recordParser.js';
import { UnreadableFileError } from './unreadableFileError.js';

const HASH = 0x23;
const SPACE = 0x20;

/**
 * Comma-separated values (RFC 4180), the first record naming the columns.
 *
 * A line without a quote is a record and only needs a split. One that ends within a quote is read together with the lines that
 * follow, up to the limit of a record. If together they are no record with the fields of the header, the quote is taken for
 * one that was never closed: only its line is a bad row, and the next line is read by itself.
 */
export class CsvParser implements RecordParser {
  columns: readonly string[] | undefined;
  taken = 1;
  readonly #settings: FileSettings;
  /** The delimiter if neither the options nor the file tell. */
  readonly #usual: string;
  #delimiter: string | undefined;
  /** The header as it stands in the file, columns without a name at its end included. */
  #names: readonly string[] = [];
  #isFirst = true;
  #hasProto = false;
  /** The last line before the header that begins with `#`: it may be the header itself. */
  #marked: { readonly text: string; readonly number: number } | undefined;
  /** The record that has begun and lacks lines. */
  #begun: QuotedRecord | undefined;

  constructor(settings: FileSettings) {
    this.#settings = settings;
    this.#usual = /\.tsv(\.\w+)?$/i.test(settings.file) ? '\t' : ',';
    this.#delimiter = settings.delimiter;
    if (settings.header) this.#settle(settings.header, settings.header);
  }

  parse(
    lines: readonly Line[],
    at: number,
    number: number,
    isLast: boolean,
  ): FileRecord | RowProblem | 'more' | undefined {
    this.taken = 1;
    const line = lines[at]!;
    const { comment } = this.#settings;
    if (comment && textOf(line).startsWith(comment)) return undefined;
    if (this.#isFirst && this.#namesDelimiter(textOf(line))) return undefined;
    const isMarked = comment === undefined && isMarkedLine(textOf(line));
    if (!this.columns) {
      if (!isMarked) return this.#readHead(lines, at, number, isLast);
      this.#isFirst = false;
      if (typeof line === 'string') this.#marked = { text: bareLine(line), number };
      return undefined;
    }
    const record = this.#readRow(lines, at, isLast);
    // A line that begins with `#` and is no row is a comment.
    return isMarked && record instanceof RowProblem ? undefined : record;
  }

  /** Whether the line is one that tells Excel the delimiter. */
  #namesDelimiter(line: string): boolean {
    const delimiter = namedDelimiter(line);
    if (delimiter === undefined) return false;
    this.#delimiter ??= delimiter;
    this.#isFirst = false;
    return true;
  }

  /** Throws rather than take a row for the header: without it the rows below cannot be used either. */
  #readHead(lines: readonly Line[], at: number, number: number, isLast: boolean) {
    const text = bareLine(textOf(lines[at]!));
    if (text.includes('\r') && !text.includes('"')) throw this.#unusable(number, CR_ALONE);
    if (this.#marked) {
      const header = markedHeader(this.#marked.text, text, this.#delimiter, this.#usual);
      if (header) {
        this.#delimiter = header.delimiter;
        this.#takeHeader(header.names, this.#marked.number);
        return this.#readRow(lines, at, isLast);
      }
    }
    this.#delimiter ??= delimiterOf(text, this.#usual);
    const fields = this.#fieldsAt(lines, at, isLast, this.#delimiter);
    if (fields === 'more') return 'more';
    if (fields instanceof RowProblem) throw this.#unusable(number, fields);
    this.#takeHeader(fields, number);
    return undefined;
  }

  #takeHeader(names: readonly string[], number: number): void {
    const columns = columnsOf(names);
    if (columns instanceof RowProblem) throw this.#unusable(number, columns);
    this.#isFirst = false;
    this.#settle(columns, names);
  }

  #settle(columns: readonly string[], names: readonly string[]): void {
    const named = columns.findLastIndex((name) => name !== '') + 1;
    this.columns = columns.slice(0, named);
    this.#names = names;
    this.#hasProto = columns.includes('__proto__');
  }

  #unusable(number: number, { reason }: RowProblem): UnreadableFileError {
    const cause = new Error(`its header, line ${number}, cannot be used: ${reason}`);
    return new UnreadableFileError(this.#settings.file, 0, { cause });
  }

  #readRow(lines: readonly Line[], at: number, isLast: boolean): FileRecord | RowProblem | 'more' | undefined {
    const line = lines[at]!;
    // Not settled by a line with another number of fields, such as a title.
    this.#delimiter ??= delimiterFor(textOf(line), this.#names.length);
    const fields = this.#fieldsAt(lines, at, isLast, this.#delimiter ?? this.#usual);
    if (fields === 'more') return 'more';
    this.#isFirst = false;
    if (fields instanceof RowProblem) return fields;
    const isQuoted = this.taken > 1 || textOf(line).includes('"');
    if (fields[0] === '' && !isQuoted && isNothing(fields, 0)) return undefined;
    const problem = fields.length === this.columns!.length ? undefined : this.#countProblem(fields);
    if (problem) {
      if (this.taken === 1 || !this.#hasRowAmong(lines.slice(at + 1, at + this.taken))) return problem;
      const reason = `${UNCLOSED}, and what follows does not complete its record: with ${this.taken - 1} more lines, it ${problem.reason}`;
      this.taken = 1;
      return new RowProblem(reason);
    }
    if (fields[0] === this.#names[0] && this.#names.length > 1 && sameNames(fields, this.#names)) return undefined;
    return this.#recordOf(fields);
  }

  /** Whether one of the lines that a record has taken in is likely a row of its own. */
  #hasRowAmong(lines: readonly Line[]): boolean {
    const delimiter = this.#delimiter ?? this.#usual;
    return lines.some((line) => textOf(line).split(delimiter).length >= this.columns!.length);
  }

  #recordOf(fields: readonly string[]): FileRecord {
    const columns = this.columns!;
    const record: Record<string, string> = this.#hasProto ? Object.create(null) : {};
    for (let i = 0; i < columns.length; i++) record[columns[i]!] = fields[i]!;
    return record;
  }

  /** Empty fields beyond the header are nothing: spreadsheets write delimiters there. */
  #countProblem(fields: readonly string[]): RowProblem | undefined {
    const { length } = fields;
    if (length >= this.columns!.length && isNothing(fields, this.#names.length)) return undefined;
    return new RowProblem(
      `has ${length} ${length === 1 ? 'field' : 'fields'} where the header has ${this.columns!.length}`,
    );
  }

  #fieldsAt(
    lines: readonly Line[],
    at: number,
    isLast: boolean,
    delimiter: string,
  ): readonly string[] | RowProblem | 'more' {
    const line = lines[at]!;
    if (line instanceof OverlongLine) return line;
    if (!line.includes('"')) {
      const fields = bareLine(line).split(delimiter);
      for (let i = 0; i < fields.length; i++) if (isPadded(fields[i]!)) fields[i] = fields[i]!.trim();
      return fields;
    }
    const record = this.#begun ?? new QuotedRecord(delimiter, this.#settings.maxRecordBytes);
    const state = record.read(lines, at);
    this.#begun = state === 'open' && !isLast ? record : undefined;
    if (this.#begun) return 'more';
    if (state === 'closed') {
      this.taken = record.lines;
      return record.fields;
    }
    if (state === 'open') return new RowProblem(`${UNCLOSED}, nor before the end of the file`);
    if (record.lines <= 1) return state;
    return new RowProblem(`${UNCLOSED}, and what follows does not complete its record: ${state.reason}`);
  }
}

const UNCLOSED = 'a quote is not closed on its line';
const CR_ALONE = new RowProblem(
  "lines end in a carriage return alone, as old Macs write them: convert the file, with tr '\\r' '\\n' for example",
);

/** Whether the first character that is no blank is `#`. */
function isMarkedLine(text: string): boolean {
  const first = text.charCodeAt(0);
  return first === HASH || (first <= SPACE && text.trimStart().charCodeAt(0) === HASH);
}

function isNothing(fields: readonly string[], from: number): boolean {
  for (let i = from; i < fields.length; i++) if (fields[i] !== '') return false;
  return true;
}

/** Whether blanks may stand around the value. */
function isPadded(field: string): boolean {
  const first = field.charCodeAt(0);
  const last = field.charCodeAt(field.length - 1);
  return first <= 0x20 || last <= 0x20 || first >= 0xa0 || last >= 0xa0;
}
