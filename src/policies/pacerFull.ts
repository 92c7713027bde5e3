/** More requests wait for a pacer than may: whoever makes them does not wait for the answers. */
export class PacerFullError extends Error {
  override readonly name = 'PacerFullError';
  readonly code = 'SLUICE_PACER_FULL';
  readonly capacity: number;

  constructor(pacer: string, capacity: number) {
    super(
      `${pacer}: ${capacity} requests are waiting for the limits and another was made. Make fewer at a time, or raise maxWaiting.`,
    );
    this.capacity = capacity;
  }
}

export function isPacerFullError(error: unknown): error is PacerFullError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_PACER_FULL';
}
