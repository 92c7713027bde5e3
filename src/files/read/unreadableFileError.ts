import { errnoText } from '../../failures/errno.js';
import { printable } from '../../primitives/printable.js';

/** In characters: a path may have 4096, and a reason names what it found. */
const MAX_MESSAGE = 6_000;

/** A file exists but cannot be read, or not to its end. */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError';
  readonly code = 'SLUICE_FILE_UNREADABLE';
  readonly path: string;
  /** The last line that was read completely; 0 if none was. */
  readonly line: number;

  constructor(path: string, line: number, options: { cause: unknown }) {
    const place = line === 0 ? '' : ` beyond line ${line}`;
    super(printable(`cannot read ${path}${place}: ${errnoText(options.cause)}`, MAX_MESSAGE), options);
    this.path = path;
    this.line = line;
  }
}

export function isUnreadableFileError(error: unknown): error is UnreadableFileError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_FILE_UNREADABLE';
}
