/** A fault proxy cannot do what it was asked to; the message says what to do instead. */
export class FaultProxyError extends Error {
  override readonly name = 'FaultProxyError';
  readonly code = 'SLUICE_FAULT_PROXY';

  constructor(reason: string, options?: { cause: unknown }) {
    super(`fault proxy: ${reason}`, options);
  }
}

export function isFaultProxyError(error: unknown): error is FaultProxyError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_FAULT_PROXY';
}
