/** A stream was silent for longer than allowed. */
export class StaleStreamError extends Error {
  override readonly name = 'StaleStreamError';
  readonly code = 'SLUICE_STREAM_STALE';
  readonly failureClass = 'transient';
  readonly stage: string;
  readonly staleAfterMs: number;

  constructor(stage: string, staleAfterMs: number) {
    super(
      `${stage} has seen nothing for ${staleAfterMs} ms: the connection is dead, or the stream is quieter than that ` +
        '(then raise staleAfterMs, or give it a calendar)',
    );
    this.stage = stage;
    this.staleAfterMs = staleAfterMs;
  }
}

export function isStaleStreamError(error: unknown): error is StaleStreamError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_STREAM_STALE';
}
