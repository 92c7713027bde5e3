/** A file lacks a column that the mapping names, or that is needed and has no default. */
export class MissingColumnError extends Error {
  override readonly name = 'MissingColumnError';
  readonly code = 'SLUICE_MISSING_COLUMN';
  readonly path: string;
  readonly column: string;
  /** The columns that the file has. */
  readonly columns: readonly string[];

  constructor(path: string, column: string, columns: readonly string[], remedy: string) {
    const present = columns.length === 0 ? 'it is empty' : `it has ${listed(columns)}`;
    super(`${path} has no column ${JSON.stringify(column)}: ${present}. ${remedy}`);
    this.path = path;
    this.column = column;
    this.columns = columns;
  }
}

/** In characters. */
const MAX_LIST_LENGTH = 200;

/** Makes text from a file safe for a terminal: no control characters, and no megabytes. */
function listed(columns: readonly string[]): string {
  const list = columns.join(', ').replaceAll(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
  return list.length > MAX_LIST_LENGTH ? `${list.slice(0, MAX_LIST_LENGTH)}…` : list;
}

export function isMissingColumnError(error: unknown): error is MissingColumnError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_MISSING_COLUMN';
}
