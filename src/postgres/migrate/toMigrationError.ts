import { postgresFailure } from '../failures.js';
import { isStoreError } from '../storeError.js';
import { BROKE, DENIED, type Purpose, reasonOf, rootOf, toStoreError } from '../toStoreError.js';
import { MigrationError, type MigrationErrorCode } from './migrationError.js';

const MIGRATING: Purpose = {
  missing: { what: 'a table is missing', remedy: 'migrate again' },
  mismatch: { what: 'a table does not match the schema of the store', remedy: 'give the store a schema of its own' },
  permission: {
    what: DENIED,
    remedy:
      'migrate as the owner of the schema and its tables, or GRANT CREATE ON SCHEMA (and CREATE ON DATABASE for a new ' +
      'schema) to this user; nothing of it is applied',
  },
  lost: { what: BROKE, remedy: 'migrate again, which continues where it stopped' },
};

/** What went wrong in a migration, with the remedy. `step` is what was under way; undefined if nothing was. */
export function toMigrationError(error: unknown, step: string | undefined): MigrationError {
  if (error instanceof MigrationError) return error;
  const fail = (code: MigrationErrorCode, message: string) => new MigrationError(code, message, { step, cause: error });
  const { code, message, sqlState } = toStoreError(error, MIGRATING);
  if (isStoreError(error) && code === 'SLUICE_STORE_TABLE') {
    return fail(
      'SLUICE_MIGRATION_TABLE',
      `${step} cannot take over the existing table (${message}): then migrate again; nothing of it is applied`,
    );
  }
  const failed = `${step ?? 'the migration'} failed: ${message}`;
  if (code === 'SLUICE_STORE_PERMISSION') return fail('SLUICE_MIGRATION_PERMISSION', failed);
  const isRefusal = step !== undefined && sqlState !== undefined && code !== 'SLUICE_STORE_CONNECTION_LOST';
  if (!isRefusal) return fail('SLUICE_MIGRATION_FAILED', failed);
  // The server's own advice: TimescaleDB gives it for most of what it refuses.
  const { hint } = error as { hint?: unknown };
  const advice = typeof hint === 'string' && hint !== '' ? `: ${hint}` : '';
  // A pooler refuses the session rather than the step.
  const failure = postgresFailure(rootOf(error));
  if (failure?.session === 'spent' && failure.remedy !== undefined) return fail('SLUICE_MIGRATION_FAILED', failed);
  return fail(
    'SLUICE_MIGRATION_FAILED',
    `${step} failed, and nothing of it is applied: Postgres reports ${sqlState} (${reasonOf(error)})${advice}`,
  );
}
