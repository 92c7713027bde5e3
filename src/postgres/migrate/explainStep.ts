import { breaksConnection, explain, sqlStateOf } from '../explain.js';
import { isStoreError } from '../storeError.js';
import { MigrationError } from './migrationError.js';

const NOT_PERMITTED = '42501';

/** What went wrong in a migration, said to a person. `step` is what was under way; undefined where nothing was. */
export function explainStep(error: unknown, step: string | undefined): MigrationError {
  if (error instanceof MigrationError) return error;
  const at = step === undefined ? '' : ` ${step}`;
  const options = { step, cause: error };
  if (isStoreError(error) && error.code === 'SLUICE_STORE_TABLE') {
    return new MigrationError(
      'SLUICE_MIGRATION_TABLE',
      `${step} cannot take over what is there (${error.message}): then migrate again; nothing of it is applied`,
      options,
    );
  }
  const state = sqlStateOf(error);
  const said = error instanceof Error ? error.message : String(error);
  if (state === NOT_PERMITTED) {
    return new MigrationError(
      'SLUICE_MIGRATION_PERMISSION',
      `the database user may not do${at || ' this'} (${said}): migrate as the owner of the schema and its tables, or ` +
        'GRANT CREATE ON SCHEMA (and CREATE ON DATABASE for a new schema) to this user; nothing of it is applied',
      options,
    );
  }
  const lost = state === undefined ? breaksConnection(error) : state.startsWith('57P') || state.startsWith('08');
  if (lost && step !== undefined && !isStoreError(error)) {
    return new MigrationError(
      'SLUICE_MIGRATION_FAILED',
      `the connection to Postgres broke during${at} (${said}): migrate again, which goes on where it stopped`,
      options,
    );
  }
  if (step === undefined || state === undefined) {
    return new MigrationError(
      'SLUICE_MIGRATION_FAILED',
      `${step ?? 'the migration'} failed: ${explain(error).message}`,
      options,
    );
  }
  // The server's own advice: TimescaleDB gives it for most of what it refuses.
  const { hint } = error as { hint?: unknown };
  const advice = typeof hint === 'string' && hint !== '' ? `: ${hint}` : '';
  return new MigrationError(
    'SLUICE_MIGRATION_FAILED',
    `${step} failed, and nothing of it is applied: Postgres reports ${state} (${said})${advice}`,
    options,
  );
}
