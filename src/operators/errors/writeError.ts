import { messageOf } from '../../primitives/messageOf.js';

/** A batch could not be written. The cause is the error of the sink; the batch is neither written nor diverted. */
export class WriteError<T = unknown> extends Error {
  override readonly name = 'WriteError';
  readonly code = 'SLUICE_WRITE_FAILED';
  readonly sink: string;
  /** What was to be written. Not part of the message, because it may hold what does not belong in a log. */
  declare readonly items: readonly T[];
  readonly attempts: number;

  constructor(sink: string, items: readonly T[], attempts: number, options: { cause: unknown }) {
    super(`the sink ${sink} did not take a batch of ${items.length} items: ${messageOf(options.cause)}`, options);
    this.sink = sink;
    this.attempts = attempts;
    Object.defineProperty(this, 'items', { value: items, enumerable: false });
  }
}

export function isWriteError(error: unknown): error is WriteError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_WRITE_FAILED';
}
