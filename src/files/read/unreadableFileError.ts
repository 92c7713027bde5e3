import { errnoText } from '../../failures/errno.js';

/** A file exists but cannot be read, or not to its end. */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError';
  readonly code = 'SLUICE_FILE_UNREADABLE';
  readonly path: string;
  /** The last line that was read completely; 0 if none was. */
  readonly line: number;

  constructor(path: string, line: number, options: { cause: unknown }) {
    const place = line === 0 ? '' : ` beyond line ${line}`;
    super(`cannot read ${path}${place}: ${reasonOf(options.cause)}`, options);
    this.path = path;
    this.line = line;
  }
}

export function isUnreadableFileError(error: unknown): error is UnreadableFileError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_FILE_UNREADABLE';
}

const GZIP_REASONS: Readonly<Record<string, string>> = {
  Z_BUF_ERROR: 'its gzip data ends too early, so the file is truncated; fetch it again',
  Z_DATA_ERROR: 'its gzip data is damaged, or it is not a gzip file despite its name; fetch it again or rename it',
};

function reasonOf(cause: unknown): string {
  const code = (cause as { code?: unknown } | undefined)?.code;
  return (typeof code === 'string' ? GZIP_REASONS[code] : undefined) ?? errnoText(cause);
}
