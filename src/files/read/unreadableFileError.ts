/** A file is there and cannot be read, or not to its end. */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError';
  readonly code = 'SLUICE_FILE_UNREADABLE';
  readonly path: string;
  /** The last line that was read whole; 0 if none was. */
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

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied; make it readable for this user',
  EPERM: 'permission is denied; make it readable for this user',
  EISDIR: 'it is a folder; name a file in it',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
  Z_BUF_ERROR: 'its gzip data end too early, so the file is torn; fetch it again',
  Z_DATA_ERROR: 'its gzip data are damaged, or it is not a gzip file in spite of its name; fetch it again or rename it',
};

function reasonOf(cause: unknown): string {
  const code = (cause as { code?: unknown } | undefined)?.code;
  const reason = typeof code === 'string' ? REASONS[code] : undefined;
  return reason ?? (cause instanceof Error ? cause.message : String(cause));
}
