import { quoteIdentifier } from '../identifiers.js';
import { MigrationError } from '../migrate/migrationError.js';
import type { StoreCatalogue } from './catalogue.js';
import type { FeatureStep } from './featureStep.js';
import { HYPERTABLE_NAMES } from './hypertables.js';

/** Upserts into compressed chunks came with it (UPDATE, DELETE, unique constraints, ON CONFLICT DO UPDATE). */
const OLDEST = '2.11';

export const CREATE_EXTENSION = 'create timescaledb';

export interface Extension {
  /** Undefined if it is not used. */
  readonly version: string | undefined;
  /** The schema in which the extension is. */
  readonly home: string;
  readonly hasPolicies: boolean;
  readonly steps: readonly FeatureStep[];
  readonly notes: readonly string[];
}

/** Whether TimescaleDB is used, as found out from the server alone. */
export function extensionOf(catalogue: StoreCatalogue, schema: string, refused: ReadonlySet<string>): Extension {
  const { installed, available, preloaded, license, hasPublic, database } = catalogue;
  const home = installed?.schema ?? (hasPublic ? 'public' : schema);
  const version = installed?.version ?? available;
  const unused = (...notes: string[]): Extension => ({
    version: undefined,
    home,
    hasPolicies: false,
    steps: [],
    notes,
  });
  if (version === undefined) return unused();
  if (isOlder(version, OLDEST)) {
    const compressed = HYPERTABLE_NAMES.filter((name) => catalogue.hypertables.get(name)?.compresses);
    if (compressed.length > 0) {
      throw new MigrationError(
        'SLUICE_MIGRATION_TIMESCALE',
        `${compressed.join(' and ')} is compressed by TimescaleDB ${version}, which cannot upsert into compressed chunks: ` +
          `update it to ${OLDEST} or later (ALTER EXTENSION timescaledb UPDATE, first in a new session), or decompress ` +
          'the chunks and switch compression off',
      );
    }
    return unused(
      `TimescaleDB ${version} is not used, because it cannot upsert into compressed chunks: update it to ${OLDEST} or ` +
        'later and migrate again',
    );
  }
  if (!installed && !preloaded) {
    return unused(
      `TimescaleDB ${version} is installed on the server but not loaded: add timescaledb to shared_preload_libraries, ` +
        'restart the server, and migrate again',
    );
  }
  if (!installed && refused.has(CREATE_EXTENSION)) return unused();
  const create: FeatureStep = {
    name: CREATE_EXTENSION,
    what: `create the extension timescaledb ${version}`,
    statements: [`CREATE EXTENSION IF NOT EXISTS timescaledb SCHEMA ${quoteIdentifier(home)}`],
    withoutIt:
      `TimescaleDB ${version} is on the server, and this user may not create it: let a superuser run ` +
      `CREATE EXTENSION timescaledb in the database ${quoteIdentifier(database)}, and migrate again`,
  };
  // Until the extension is loaded its licence is unknown; the usual one is assumed.
  const hasPolicies = (license ?? 'timescale') === 'timescale';
  const note =
    `TimescaleDB runs under its ${license} licence: hypertables, but no compression, retention or continuous ` +
    'aggregates; views are used instead';
  return { version, home, hasPolicies, steps: installed ? [] : [create], notes: hasPolicies ? [] : [note] };
}

/** Compares by the numbers: `2.9.3` is older than `2.11`. */
export function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) < 0;
}
