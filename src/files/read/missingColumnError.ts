import { printable } from '../../primitives/printable.js';

/** In characters. */
const MAX_LIST_LENGTH = 200;

/** A file lacks a column that the mapping names, or that is needed and has no default. */
export class MissingColumnError extends Error {
  override readonly name = 'MissingColumnError';
  readonly code = 'SLUICE_MISSING_COLUMN';
  readonly path: string;
  readonly column: string;
  /** The columns that the file has. */
  readonly columns: readonly string[];

  constructor(path: string, column: string, columns: readonly string[], remedy: string) {
    const present = columns.length === 0 ? 'it is empty' : `it has ${printable(columns.join(', '), MAX_LIST_LENGTH)}`;
    // A title, or fields divided by something else, make one column.
    const title =
      columns.length === 1
        ? ' If that is not its header: skipLines skips lines, and delimiter divides the fields.'
        : '';
    super(printable(`${path} has no column ${JSON.stringify(column)}: ${present}. ${remedy}${title}`));
    this.path = path;
    this.column = column;
    this.columns = columns;
  }
}

export function isMissingColumnError(error: unknown): error is MissingColumnError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_MISSING_COLUMN';
}
