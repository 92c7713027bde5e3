/** A write has taken longer than it may. It may be committed or not, and can be written again. */
export class WriteTimeoutError extends Error {
  override readonly name = 'WriteTimeoutError';
  readonly code = 'SLUICE_WRITE_TIMEOUT';
  readonly failureClass = 'transient';
  readonly timeoutMs: number;

  constructor(sink: string, timeoutMs: number, options: { cause?: unknown } = {}) {
    super(`the sink ${sink} has not answered a write within ${timeoutMs} ms: it may be committed or not`, options);
    this.timeoutMs = timeoutMs;
  }
}

export function isWriteTimeoutError(error: unknown): error is WriteTimeoutError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_WRITE_TIMEOUT';
}
