import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { type Line, OverlongLine } from './lineSplitter.js';
import { isBlank, overlong, type RecordParser, type Row } from './recordParser.js';

/** The header of a file is of no use, and so are the rows below it. */
export class HeaderProblem extends Error {}

/**
 * Comma-separated values (RFC 4180), the first record naming the columns.
 *
 * A record is a line: a quote that is not closed then spoils its own line only, where a parser that looks for the closing
 * quote would swallow good rows behind it. Lines with a quote go through csv-parse, a block at a time; the others need
 * no more than a split, which is ten times as fast.
 */
export class CsvParser implements RecordParser {
  columns: readonly string[] | undefined;
  readonly #delimiter: string;
  readonly #maxBytes: number;

  constructor(delimiter: string, header: readonly string[] | undefined, maxBytes: number) {
    this.columns = header;
    this.#delimiter = delimiter;
    this.#maxBytes = maxBytes;
  }

  /** Throws a {@link HeaderProblem} rather than take a row for the header. */
  parse(lines: readonly Line[], firstLine: number): Row[] {
    const quoted = this.#parseQuoted(lines);
    const rows: Row[] = [];
    let number = firstLine - 1;
    for (const line of lines) {
      number += 1;
      if (line instanceof OverlongLine) {
        const row = overlong(line, number, this.#maxBytes);
        if (!this.columns) throw headerProblem(number, row.reason);
        rows.push(row);
        continue;
      }
      if (isBlank(line)) continue;
      const fields = quoted?.get(line) ?? line.split(this.#delimiter);
      if (!this.columns) this.columns = columnsOf(number, fields);
      else rows.push(this.#row(number, line, fields));
    }
    return rows;
  }

  #row(line: number, raw: string, fields: readonly string[] | string): Row {
    if (typeof fields === 'string') return { line, raw, record: undefined, reason: fields };
    const columns = this.columns!;
    if (fields.length !== columns.length) {
      const reason = `has ${fields.length} fields where the header has ${columns.length}`;
      return { line, raw, record: undefined, reason };
    }
    const record: Record<string, string> = {};
    for (let i = 0; i < columns.length; i++) record[columns[i]!] = fields[i]!;
    return { line, raw, record, reason: '' };
  }

  /** The fields of each line that has a quote in it, or what is wrong with them. */
  #parseQuoted(lines: readonly Line[]): Map<string, readonly string[] | string> | undefined {
    let parsed: Map<string, readonly string[] | string> | undefined;
    const closed: string[] = [];
    for (const line of lines) {
      if (line instanceof OverlongLine || !line.includes('"')) continue;
      parsed ??= new Map();
      if (hasOpenQuote(line)) parsed.set(line, UNCLOSED);
      else closed.push(line);
    }
    if (!parsed) return undefined;
    const block = closed.length > 0 ? this.#tryBlock(closed) : [];
    for (const [i, line] of closed.entries()) parsed.set(line, block ? block[i]! : this.#parseLine(line));
    return parsed;
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

  #parseLine(line: string): readonly string[] | string {
    try {
      return this.#parseText(line)[0] ?? [];
    } catch (error) {
      return error instanceof CsvError ? error.message : String(error);
    }
  }

  #parseText(text: string): string[][] {
    return parse(text, { delimiter: this.#delimiter, record_delimiter: '\n', relax_column_count: true });
  }
}

function columnsOf(line: number, fields: readonly string[] | string): string[] {
  if (typeof fields === 'string') throw headerProblem(line, fields);
  const columns = fields.map((name) => name.trim());
  const twice = duplicateOf(columns);
  if (twice !== undefined) throw headerProblem(line, `two columns are named ${JSON.stringify(twice)}; rename one`);
  return columns;
}

/** The first name that is there twice. Columns without a name are nobody's, and may be several. */
export function duplicateOf(columns: readonly string[]): string | undefined {
  return columns.find((name, i) => name !== '' && columns.indexOf(name) !== i);
}

function headerProblem(line: number, reason: string): HeaderProblem {
  return new HeaderProblem(`its header, line ${line}, cannot be used: ${reason}`);
}

const UNCLOSED =
  'a quote is not closed on its line; fields that span lines are not supported: convert such a file to NDJSON';

function hasOpenQuote(line: string): boolean {
  let open = false;
  for (let i = line.indexOf('"'); i >= 0; i = line.indexOf('"', i + 1)) open = !open;
  return open;
}
