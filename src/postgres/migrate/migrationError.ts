import { printableLines } from '../../primitives/printable.js';

export type MigrationErrorCode =
  | 'SLUICE_MIGRATION_NEWER'
  | 'SLUICE_MIGRATION_CHANGED'
  | 'SLUICE_MIGRATION_TABLE'
  | 'SLUICE_MIGRATION_PERMISSION'
  | 'SLUICE_MIGRATION_SCHEMA'
  | 'SLUICE_MIGRATION_LOCKED'
  | 'SLUICE_MIGRATION_TIMESCALE'
  | 'SLUICE_MIGRATION_FAILED';

/** Why a database was not brought to the newest state, described for humans. The underlying error is the cause. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
  readonly code: MigrationErrorCode;
  /** The step that failed, such as `003_news`; undefined if none was begun. */
  readonly step?: string;

  constructor(code: MigrationErrorCode, message: string, options: { step?: string | undefined; cause?: unknown } = {}) {
    super(printableLines(message), 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    if (options.step !== undefined) this.step = options.step;
  }
}

export function isMigrationError(error: unknown): error is MigrationError {
  return error instanceof Error && error.name === 'MigrationError';
}
