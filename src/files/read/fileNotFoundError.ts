import { resolve } from 'node:path';
import { printable } from '../../primitives/printable.js';

/** No file exists at a path. */
export class FileNotFoundError extends Error {
  override readonly name = 'FileNotFoundError';
  readonly code = 'SLUICE_FILE_NOT_FOUND';
  readonly path: string;

  constructor(path: string, options?: ErrorOptions) {
    super(printable(`there is no file ${path}: check the path, which resolves to ${resolve(path)}`), options);
    this.path = path;
  }
}

export function isFileNotFoundError(error: unknown): error is FileNotFoundError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_FILE_NOT_FOUND';
}
