import type { FailureClass } from '../failures/classifyFailure.js';
import { printable } from '../primitives/printable.js';

/** `SLUICE_NDJSON_VALUE`: an item cannot be JSON, but others of its batch may. `SLUICE_NDJSON_FAILED`: anything else. */
export type NdjsonErrorCode = 'SLUICE_NDJSON_FAILED' | 'SLUICE_NDJSON_VALUE';

/** A batch could not be appended to a file of lines; nothing of it is left there. The cause is the system's error. */
export class NdjsonError extends Error {
  override readonly name = 'NdjsonError';
  readonly code: NdjsonErrorCode;
  readonly path: string;
  /** What can be done about it; undefined: the cause decides. */
  readonly failureClass: FailureClass | undefined;

  constructor(path: string, reason: string, options: { cause: unknown; code?: NdjsonErrorCode }) {
    super(printable(`cannot write ${path}: ${reason}`), options);
    this.code = options.code ?? 'SLUICE_NDJSON_FAILED';
    this.path = path;
    this.failureClass = this.code === 'SLUICE_NDJSON_VALUE' ? 'poison' : undefined;
  }
}

const CODES: readonly unknown[] = ['SLUICE_NDJSON_FAILED', 'SLUICE_NDJSON_VALUE'] satisfies NdjsonErrorCode[];

export function isNdjsonError(error: unknown): error is NdjsonError {
  return error instanceof Error && CODES.includes((error as { code?: unknown }).code);
}
