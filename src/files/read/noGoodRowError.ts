import { printable } from '../../primitives/printable.js';

/** A file has ended, and none of its rows could be read: hardly ever what the caller wants to take for success. */
export class NoGoodRowError extends Error {
  override readonly name = 'NoGoodRowError';
  readonly code = 'SLUICE_NO_GOOD_ROW';
  readonly path: string;
  /** How many rows it has, every one of them bad. */
  readonly rows: number;

  /** `first` is the message of the first bad row. */
  constructor(path: string, rows: number, first: string) {
    const none =
      rows === 1 ? `the only row of ${path} is bad` : `none of the ${rows} rows of ${path} is good; the first`;
    super(printable(`${none}: ${first}`));
    this.path = path;
    this.rows = rows;
  }
}

export function isNoGoodRowError(error: unknown): error is NoGoodRowError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_NO_GOOD_ROW';
}
