import { quoteIdentifier } from '../identifiers.js';
import { MigrationError } from '../migrate/migrationError.js';
import type { StoreCatalogue } from './catalogue.js';
import type { FeatureStep } from './featureStep.js';
import { HYPERTABLE_NAMES } from './hypertables.js';

/** Upserts into compressed chunks came with it (UPDATE, DELETE, unique constraints, ON CONFLICT DO UPDATE). */
const OLDEST = '2.11';

export const CREATE_EXTENSION = 'create timescaledb';

export interface Extension {
  readonly version: string | undefined;
  readonly schema: string;
  readonly hasPolicies: boolean;
  readonly steps: readonly FeatureStep[];
  readonly notes: readonly string[];
}

/** Whether TimescaleDB is to be used, found out from the server alone. */
export function extensionOf(catalogue: StoreCatalogue, schema: string, refused: ReadonlySet<string>): Extension {
  const { installed, available, preloaded, license, hasPublic } = catalogue;
  const home = hasPublic ? 'public' : schema;
  const plain = (note?: string): Extension => ({
    version: undefined,
    schema: home,
    hasPolicies: false,
    steps: [],
    notes: note === undefined ? [] : [note],
  });
  const version = installed?.version ?? available;
  if (version === undefined) return plain();
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
    return plain(
      `TimescaleDB ${version} is not used: it cannot upsert into compressed chunks; update it to ${OLDEST} or later ` +
        'and migrate again',
    );
  }
  if (!installed) {
    if (!preloaded) {
      return plain(
        `TimescaleDB ${version} is installed on the server and not loaded: add timescaledb to shared_preload_libraries, ` +
          'restart the server, and migrate again',
      );
    }
    if (refused.has(CREATE_EXTENSION)) return plain();
  }
  const step: FeatureStep = {
    name: CREATE_EXTENSION,
    what: `create the extension timescaledb ${version}`,
    statements: [`CREATE EXTENSION IF NOT EXISTS timescaledb SCHEMA ${quoteIdentifier(home)}`],
    withoutIt:
      `TimescaleDB ${version} is on the server, and this user may not create it: let a superuser run ` +
      `CREATE EXTENSION timescaledb in the database ${quoteIdentifier(catalogue.database)}, and migrate again`,
  };
  // Where the extension has not been loaded yet, its licence is not known; the usual one is taken for granted.
  const hasPolicies = (license ?? 'timescale') === 'timescale';
  return {
    version,
    schema: installed?.schema ?? home,
    hasPolicies,
    steps: installed ? [] : [step],
    notes: hasPolicies
      ? []
      : [
          `TimescaleDB runs under its ${license} licence: hypertables, but no compression, retention or continuous ` +
            'aggregates; views are used instead',
        ],
  };
}

/** Compares major and minor numbers: `2.9.3` is older than `2.11`. */
export function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number.parseFloat);
  const [otherMajor = 0, otherMinor = 0] = than.split('.').map(Number.parseFloat);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
