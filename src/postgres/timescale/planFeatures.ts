import { quoteIdentifier } from '../identifiers.js';
import { MigrationError } from '../migrate/migrationError.js';
import type { StoreCatalogue } from './catalogue.js';
import { continuousSteps } from './continuous.js';
import { extensionOf } from './extension.js';
import type { FeatureStep } from './featureStep.js';
import {
  compressionSteps,
  decompressionSteps,
  HYPERTABLE_NAMES,
  hypertableSteps,
  retentionSteps,
} from './hypertables.js';
import { type Names, ROLLUPS, viewStatements } from './rollups.js';
import type { TimescaleSettings } from './settings.js';

export interface FeaturePlan {
  readonly steps: readonly FeatureStep[];
  /** What a person should know, such as why TimescaleDB is not used. */
  readonly notes: readonly string[];
  /** The version of TimescaleDB that the store is set up for; undefined on plain Postgres. */
  readonly timescale: string | undefined;
}

/** The steps that are missing, in order. `refused` are those that this user has no right to. */
export function planFeatures(
  catalogue: StoreCatalogue,
  settings: TimescaleSettings,
  schema: string,
  refused: ReadonlySet<string> = new Set(),
): FeaturePlan {
  const store = quoteIdentifier(schema);
  const extension = extensionOf(catalogue, schema, refused);
  const steps: FeatureStep[] = [...extension.steps];
  const notes: string[] = [...extension.notes];
  const names: Names = { store, extension: quoteIdentifier(extension.schema) };
  refuseForeign(catalogue, store);

  if (extension.version !== undefined) {
    for (const table of HYPERTABLE_NAMES) steps.push(...hypertableSteps(table, catalogue, settings, names));
  }
  if (extension.hasPolicies) {
    for (const table of HYPERTABLE_NAMES) steps.push(...compressionSteps(table, catalogue, settings, names));
    steps.push(...decompressionSteps(catalogue, settings));
    for (const rollup of ROLLUPS) steps.push(...continuousSteps(rollup, catalogue, settings, names));
    for (const table of HYPERTABLE_NAMES) steps.push(...retentionSteps(table, catalogue, settings, names));
  } else {
    for (const rollup of ROLLUPS) {
      if (catalogue.rollups.has(rollup.name)) continue;
      steps.push({
        name: `${rollup.name} view`,
        what: `make ${rollup.name} a view of the bars of 1m`,
        statements: viewStatements(rollup, names),
      });
    }
    notes.push(...ignoredRequests(settings, extension.version));
  }
  return { steps, notes, timescale: extension.version };
}

function refuseForeign({ rollups }: StoreCatalogue, store: string): void {
  for (const { name } of ROLLUPS) {
    if (rollups.get(name) !== 'foreign') continue;
    const qualified = `${store}.${quoteIdentifier(name)}`;
    throw new MigrationError(
      'SLUICE_MIGRATION_TABLE',
      `${qualified} is there already and was not made by Sluice: rename it, or give the store a schema of its own`,
      { step: name },
    );
  }
}

/** Nothing is dropped or compressed by plain Postgres: who asked for it must hear that. */
function ignoredRequests({ compressAfterMs, retainMs }: TimescaleSettings, version: string | undefined): string[] {
  const asked = [
    ...(compressAfterMs.given && compressAfterMs.value !== false ? ['compression'] : []),
    ...(typeof retainMs.bars === 'number' || typeof retainMs.options_snap === 'number' ? ['retention'] : []),
  ];
  if (asked.length === 0) return [];
  const lacks = version === undefined ? 'TimescaleDB is not in use' : 'the licence of TimescaleDB does not have it';
  return [`${asked.join(' and ')} was asked for and is not set up: ${lacks}`];
}
