/** A record of a file: the columns of a CSV row, as strings, or the properties of a JSON object. */
export type FileRecord = Readonly<Record<string, unknown>>;

/** Where a record stands. */
export interface RecordPlace {
  /** The path, as it was given. */
  readonly file: string;
  /** The line, counted from 1, a header line included. */
  readonly line: number;
}

/** A record that could not be read. */
export interface BadRow extends RecordPlace {
  /** The column of the fault, where it is in one. */
  readonly column: string | undefined;
  /** What is wrong: `expected a finite number, got "abc"`. */
  readonly reason: string;
  /** All of it in one line: `prices.csv:17: close: expected a finite number, got "abc"`. */
  readonly message: string;
  /** The record as it stands in the file; of one that is too long, the beginning. */
  readonly raw: string;
}

/** What is wrong with a record, thrown by whoever finds it and caught by who knows its place. */
export class RowProblem extends Error {
  readonly column: string | undefined;

  constructor(reason: string, column?: string) {
    super(reason);
    this.column = column;
  }
}

export function badRow(place: RecordPlace, raw: string, reason: string, column?: string): BadRow {
  const { file, line } = place;
  const where = column === undefined ? '' : `${column}: `;
  return { file, line, column, reason, message: `${file}:${line}: ${where}${reason}`, raw };
}
