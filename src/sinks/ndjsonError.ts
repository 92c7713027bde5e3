/** A file of lines has not taken a batch; nothing of the batch is left in it. The cause is what the system said. */
export class NdjsonError extends Error {
  override readonly name = 'NdjsonError';
  readonly code = 'SLUICE_NDJSON_FAILED';
  readonly path: string;

  constructor(path: string, reason: string, options: { cause: unknown }) {
    super(`cannot write ${path}: ${reason}`, options);
    this.path = path;
  }
}

export function isNdjsonError(error: unknown): error is NdjsonError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_NDJSON_FAILED';
}
