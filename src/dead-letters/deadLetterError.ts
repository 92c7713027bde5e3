export type DeadLetterErrorCode =
  | 'SLUICE_DEAD_LETTERS_VALUE'
  | 'SLUICE_DEAD_LETTERS_TOO_LARGE'
  | 'SLUICE_DEAD_LETTERS_FOLDER'
  | 'SLUICE_DEAD_LETTERS_LOCKED'
  | 'SLUICE_DEAD_LETTERS_CLOSED';

/** What went wrong with the dead letters, said to a person. */
export class DeadLetterError extends Error {
  override readonly name = 'DeadLetterError';
  readonly code: DeadLetterErrorCode;

  constructor(code: DeadLetterErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

export function isDeadLetterError(error: unknown): error is DeadLetterError {
  return error instanceof Error && error.name === 'DeadLetterError';
}
