/** A record of a file: the columns of a CSV row, as strings, or the properties of a JSON object. */
export type FileRecord = Readonly<Record<string, unknown>>;

/** Where a record is. */
export interface RecordPlace {
  /** The path, as it was given. */
  readonly file: string;
  /** The line, counted from 1, including a header line. */
  readonly line: number;
}

/** A record that could not be read. */
export interface BadRow extends RecordPlace {
  /** The column of the fault, if it is in one. */
  readonly column: string | undefined;
  /** What is wrong: `expected a finite number, got "abc"`. */
  readonly reason: string;
  /** All of it in one line: `prices.csv:17: close: expected a finite number, got "abc"`. */
  readonly message: string;
  /** The record as it stands in the file; if it is too long, its beginning. */
  readonly raw: string;
}

/** What is wrong with a record: returned instead of an item, as thousands of bad rows must not cost as many stack traces. */
export class RowProblem {
  readonly reason: string;
  readonly column: string | undefined;

  constructor(reason: string, column?: string) {
    this.reason = reason;
    this.column = column;
  }
}
