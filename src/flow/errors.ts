/** What else may be wrong where nothing upstream obeys a gate. */
export const LATE_SOURCE_REMEDY =
  'Where share(), connect() or a hand-made observable is subscribed late, or ends in a sinkSubscriber(), put withContext({}) ' +
  'directly below it; where its sources are subscribed late, directly above it.';

/**
 * More arrived than a stage may hold, because what is upstream does not obey the gate: a `Subject`, `share()`, an
 * operator that turns one item into many, or a hand-made subscription that hides the context.
 */
export class BufferOverflowError extends Error {
  override readonly name = 'BufferOverflowError';
  readonly code = 'SLUICE_BUFFER_OVERFLOW';
  readonly stage: string;
  readonly capacity: number;

  constructor(stage: string, capacity: number, remedy: string) {
    super(`${stage} overflowed: ${capacity} items were waiting and another arrived. ${remedy}`);
    this.stage = stage;
    this.capacity = capacity;
  }
}

export function isBufferOverflowError(error: unknown): error is BufferOverflowError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_BUFFER_OVERFLOW';
}
