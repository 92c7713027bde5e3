/** Stands for the path in the message of a {@link ContainerError}, in commands that a person may copy. */
export const FILE = '‹file›';

/** Why the bytes of a file cannot be read: a sentence that says what it is, and what to do. */
export class ContainerError extends Error {
  override readonly name = 'ContainerError';
  readonly code = 'SLUICE_FILE_CONTAINER';
}

export function isContainerError(error: unknown): error is ContainerError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_FILE_CONTAINER';
}
