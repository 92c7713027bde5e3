import type { FileRecord, RowProblem } from './fileRecord.js';
import type { Line } from './lineSplitter.js';

/** How a file is read. */
export interface FileSettings {
  readonly file: string;
  readonly format: 'csv' | 'ndjson';
  readonly gzip: boolean | undefined;
  readonly delimiter: string;
  readonly header: readonly string[] | undefined;
  readonly maxRecordBytes: number;
}

/** Makes records of lines, one per line. */
export interface RecordParser {
  /** The columns of the file, once they are known: those of the CSV header, or of the first NDJSON record. */
  readonly columns: readonly string[] | undefined;
  /** Is given the lines of each chunk before they are parsed one by one. */
  prepare?(lines: readonly Line[]): void;
  /** The record of a line that is not blank, or what is wrong with it; `undefined` for the header. */
  parse(line: Line, number: number): FileRecord | RowProblem | undefined;
}
