import { qualify, quoteIdentifier } from '../identifiers.js';
import { MigrationError } from '../migrate/migrationError.js';
import type { StoreCatalogue } from './catalogue.js';
import { extensionOf } from './extension.js';
import type { FeatureStep, Planning } from './featureStep.js';
import {
  compressionSteps,
  decompressionSteps,
  HYPERTABLE_NAMES,
  hypertableSteps,
  retentionSteps,
} from './hypertables.js';
import { continuousSteps, ROLLUPS, viewSteps } from './rollups.js';
import type { HypertableName, TimescaleSettings } from './settings.js';

export interface FeaturePlan {
  readonly steps: readonly FeatureStep[];
  /** What the operator should know, such as why TimescaleDB is not used. */
  readonly notes: readonly string[];
  /** The version of TimescaleDB that the store is set up for; undefined on plain Postgres. */
  readonly timescale: string | undefined;
}

/** The missing steps, in order. `refused` names those that this user has no right to. */
export function planFeatures(
  catalogue: StoreCatalogue,
  settings: TimescaleSettings,
  schema: string,
  refused: ReadonlySet<string> = new Set(),
): FeaturePlan {
  const { version, home, hasPolicies, steps: first, notes: told } = extensionOf(catalogue, schema, refused);
  const planning: Planning = { catalogue, settings, schema, extension: quoteIdentifier(home) };
  const steps: FeatureStep[] = [...first];
  const notes: string[] = [...told];
  refuseForeign(planning);

  const ofTables = (stepsOf: (table: HypertableName, planning: Planning) => FeatureStep[]) =>
    steps.push(...HYPERTABLE_NAMES.flatMap((table) => stepsOf(table, planning)));
  if (version !== undefined) ofTables(hypertableSteps);
  if (hasPolicies) {
    ofTables(compressionSteps);
    steps.push(...decompressionSteps(planning));
    steps.push(...ROLLUPS.flatMap((rollup) => continuousSteps(rollup, planning)));
    ofTables(retentionSteps);
  } else {
    steps.push(...ROLLUPS.flatMap((rollup) => viewSteps(rollup, planning)));
    notes.push(...ignoredRequests(settings, version));
  }
  return { steps, notes, timescale: version };
}

function refuseForeign({ catalogue, schema }: Planning): void {
  const foreign = ROLLUPS.find(({ name }) => catalogue.rollups.get(name) === 'foreign');
  if (!foreign) return;
  throw new MigrationError(
    'SLUICE_MIGRATION_TABLE',
    `${qualify(foreign.name, schema)} exists already and was not made by Sluice: rename it, or give the store a schema of ` +
      'its own',
    { step: foreign.name },
  );
}

/** Plain Postgres drops and compresses nothing, and a user who asked for it must learn that. */
function ignoredRequests({ compressAfterMs, retainMs }: TimescaleSettings, version: string | undefined): string[] {
  const asked = [
    ...(compressAfterMs.given && compressAfterMs.value !== false ? ['compression'] : []),
    ...(Object.values(retainMs).some((ms) => typeof ms === 'number') ? ['retention'] : []),
  ];
  if (asked.length === 0) return [];
  const lacks = version === undefined ? 'TimescaleDB is not in use' : 'the licence of TimescaleDB does not include it';
  return [`${asked.join(' and ')} was asked for and is not set up: ${lacks}`];
}
