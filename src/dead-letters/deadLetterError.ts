import { printableLines } from '../primitives/printable.js';

export type DeadLetterErrorCode =
  | 'SLUICE_DEAD_LETTERS_VALUE'
  | 'SLUICE_DEAD_LETTERS_TOO_LARGE'
  | 'SLUICE_DEAD_LETTERS_FOLDER'
  | 'SLUICE_DEAD_LETTERS_LOCKED'
  | 'SLUICE_DEAD_LETTERS_CLOSED';

/** A failure of the dead letters, described for humans. */
export class DeadLetterError extends Error {
  override readonly name = 'DeadLetterError';
  readonly code: DeadLetterErrorCode;

  constructor(code: DeadLetterErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(printableLines(message), options);
    this.code = code;
  }
}

export function isDeadLetterError(error: unknown): error is DeadLetterError {
  return error instanceof Error && error.name === 'DeadLetterError';
}
