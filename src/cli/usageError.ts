/** The arguments make no sense together; nothing was started. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'SLUICE_USAGE';
}

export function isUsageError(error: unknown): error is UsageError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_USAGE';
}
