/** A write took longer than its limit. It may or may not be committed; retrying is safe. */
export class WriteTimeoutError extends Error {
  override readonly name = 'WriteTimeoutError';
  readonly code = 'SLUICE_WRITE_TIMEOUT';
  readonly failureClass = 'transient';
  readonly timeoutMs: number;

  constructor(sink: string, timeoutMs: number, options: { cause?: unknown } = {}) {
    super(`the sink ${sink} did not answer a write within ${timeoutMs} ms: it may or may not be committed`, options);
    this.timeoutMs = timeoutMs;
  }
}

export function isWriteTimeoutError(error: unknown): error is WriteTimeoutError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_WRITE_TIMEOUT';
}
