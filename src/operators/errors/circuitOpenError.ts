/** A call was not made because its circuit breaker is open: the system that would be called has failed too often lately. */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';
  readonly code = 'SLUICE_CIRCUIT_OPEN';
  readonly failureClass = 'transient';
  /** When to try again; `Infinity` if the breaker does not close by itself, or waits for a probe in flight. */
  readonly retryAfterMs: number;

  constructor(stage: string, retryAfterMs: number) {
    const when = Number.isFinite(retryAfterMs)
      ? `in ${Math.ceil(retryAfterMs)} ms`
      : 'when the probe in flight has answered, or when the breaker is reset';
    super(`the circuit breaker of ${stage} is open, and nothing was called: try again ${when}`);
    this.retryAfterMs = retryAfterMs;
  }
}

export function isCircuitOpenError(error: unknown): error is CircuitOpenError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_CIRCUIT_OPEN';
}
