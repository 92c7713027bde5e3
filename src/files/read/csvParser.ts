import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { type FileRecord, RowProblem } from './fileRecord.js';
import { type Line, OverlongLine } from './lineSplitter.js';
import type { FileSettings, RecordParser } from './recordParser.js';
import { UnreadableFileError } from './unreadableFileError.js';

/**
 * Comma-separated values (RFC 4180), the first record naming the columns.
 *
 * A record is a line, so an unclosed quote spoils only its own line, where a parser that looks for the closing quote would
 * swallow good rows. Lines with a quote go through csv-parse, a block at a time; the others only need a split, which is
 * ten times as fast.
 */
export class CsvParser implements RecordParser {
  columns: readonly string[] | undefined;
  readonly #file: string;
  readonly #delimiter: string;
  /** The fields of each quoted line in the current lines, or what is wrong with it. */
  #quoted: ReadonlyMap<string, readonly string[] | RowProblem> = new Map();

  constructor({ file, delimiter, header }: FileSettings) {
    this.columns = header;
    this.#file = file;
    this.#delimiter = delimiter;
  }

  prepare(lines: readonly Line[]): void {
    const quoted = lines.filter((line) => typeof line === 'string' && line.includes('"')) as string[];
    const block = quoted.length > 0 ? this.#tryBlock(quoted) : undefined;
    this.#quoted = new Map(quoted.map((line, i) => [line, block?.[i] ?? this.#parseLine(line)]));
  }

  /** Throws rather than take a row for the header: without it the rows below cannot be used either. */
  parse(line: Line, number: number): FileRecord | RowProblem | undefined {
    const fields = line instanceof OverlongLine ? line : (this.#quoted.get(line) ?? line.split(this.#delimiter));
    const columns = this.columns;
    if (!columns) {
      const names = fields instanceof RowProblem ? fields : columnsOf(fields);
      if (names instanceof RowProblem) {
        const cause = new Error(`its header, line ${number}, cannot be used: ${names.reason}`);
        throw new UnreadableFileError(this.#file, 0, { cause });
      }
      this.columns = names;
      return undefined;
    }
    if (fields instanceof RowProblem) return fields;
    if (fields.length !== columns.length) {
      return new RowProblem(`has ${fields.length} fields where the header has ${columns.length}`);
    }
    const record: Record<string, string> = {};
    for (let i = 0; i < columns.length; i++) record[columns[i]!] = fields[i]!;
    return record;
  }

  /** All lines in one call, which costs as much as ten lines; `undefined` if one of them is malformed. */
  #tryBlock(lines: readonly string[]): string[][] | undefined {
    try {
      const block = this.#parseText(lines.join('\n'));
      return block.length === lines.length ? block : undefined;
    } catch {
      return undefined;
    }
  }

  #parseLine(line: string): readonly string[] | RowProblem {
    try {
      return this.#parseText(line)[0] ?? [];
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      return error.code === 'CSV_QUOTE_NOT_CLOSED' ? UNCLOSED : new RowProblem(error.message);
    }
  }

  #parseText(text: string): string[][] {
    return parse(text, { delimiter: this.#delimiter, record_delimiter: '\n', relax_column_count: true });
  }
}

function columnsOf(fields: readonly string[]): readonly string[] | RowProblem {
  const columns = fields.map((name) => name.trim());
  const twice = duplicateOf(columns);
  return twice === undefined ? columns : new RowProblem(`two columns are named ${JSON.stringify(twice)}; rename one`);
}

/** The first name that occurs twice. Several columns may have no name: nothing asks for them. */
export function duplicateOf(columns: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const name of columns) {
    if (name !== '' && seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

const UNCLOSED = new RowProblem(
  'a quote is not closed on its line; fields that span lines are not supported: convert such a file to NDJSON',
);
