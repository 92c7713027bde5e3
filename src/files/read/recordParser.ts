import type { FileRecord } from './fileRecord.js';
import type { Line, OverlongLine } from './lineSplitter.js';

/** A record, or what is wrong with it. */
export interface Row {
  readonly line: number;
  readonly raw: string;
  readonly record: FileRecord | undefined;
  /** Set where there is no record. */
  readonly reason: string;
}

/** Turns lines into records, one a line; blank lines are none. */
export interface RecordParser {
  /** The columns of the file, once they are known: of CSV those of its header, of NDJSON those of its first record. */
  readonly columns: readonly string[] | undefined;
  /** The records of the lines, the first of which has the number `firstLine`. */
  parse(lines: readonly Line[], firstLine: number): Row[];
}

export function overlong(line: OverlongLine, number: number, maxBytes: number): Row {
  const reason = `the record is longer than ${maxBytes} bytes (maxRecordBytes)`;
  return { line: number, raw: line.start, record: undefined, reason };
}

export function isBlank(line: string): boolean {
  return line === '' || (line.charCodeAt(0) <= SPACE && line.trim() === '');
}

const SPACE = 0x20;
