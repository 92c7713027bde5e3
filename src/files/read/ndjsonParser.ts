import type { FileRecord } from './fileRecord.js';
import { type Line, OverlongLine } from './lineSplitter.js';
import { isBlank, overlong, type RecordParser, type Row } from './recordParser.js';

/** One JSON object a line. */
export class NdjsonParser implements RecordParser {
  columns: readonly string[] | undefined;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  parse(lines: readonly Line[], firstLine: number): Row[] {
    const rows: Row[] = [];
    let number = firstLine;
    for (const line of lines) {
      if (line instanceof OverlongLine) rows.push(overlong(line, number, this.#maxBytes));
      else if (!isBlank(line)) rows.push(this.#parse(line, number));
      number += 1;
    }
    return rows;
  }

  #parse(raw: string, line: number): Row {
    let value: unknown;
    try {
      value = JSON.parse(raw);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return { line, raw, record: undefined, reason: `is not valid JSON (${detail.slice(0, 120)})` };
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return { line, raw, record: undefined, reason: 'is not a JSON object' };
    }
    this.columns ??= Object.keys(value);
    return { line, raw, record: value as FileRecord, reason: '' };
  }
}
