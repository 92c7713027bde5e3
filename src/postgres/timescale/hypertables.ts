import { quoteIdentifier, quoteLiteral } from '../identifiers.js';
import { type HypertableLayout, RECORD_TABLES } from '../recordTables.js';
import type { Policy, StoreCatalogue } from './catalogue.js';
import { type FeatureStep, interval, said } from './featureStep.js';
import type { Names } from './rollups.js';
import type { HypertableName, TimescaleSettings } from './settings.js';

const HYPERTABLES: Readonly<Record<HypertableName, HypertableLayout>> = {
  bars: RECORD_TABLES.bar.hypertable,
  options_snap: RECORD_TABLES.option.hypertable,
};

export const HYPERTABLE_NAMES = Object.keys(HYPERTABLES) as HypertableName[];

export function hypertableSteps(
  table: HypertableName,
  { hypertables }: StoreCatalogue,
  { chunkMs }: TimescaleSettings,
  { store, extension }: Names,
): FeatureStep[] {
  const relation = `${quoteLiteral(`${store}.${quoteIdentifier(table)}`)}::regclass`;
  const requested = chunkMs[table];
  const found = hypertables.get(table);
  if (!found) {
    return [
      {
        name: `${table} hypertable`,
        what: `make ${table} a hypertable with chunks of ${said(requested.value)}, and move its rows into them`,
        statements: [
          `SELECT ${extension}.create_hypertable(${relation}, 'ts', chunk_time_interval => ${interval(requested.value)}, ` +
            'migrate_data => true, create_default_indexes => false)',
        ],
      },
    ];
  }
  if (!requested.given || found.chunkMs === requested.value) return [];
  return [
    {
      name: `${table} chunks`,
      what: `give the next chunks of ${table} ${said(requested.value)}`,
      statements: [`SELECT ${extension}.set_chunk_time_interval(${relation}, ${interval(requested.value)})`],
    },
  ];
}

export function compressionSteps(
  table: HypertableName,
  catalogue: StoreCatalogue,
  { compressAfterMs: requested }: TimescaleSettings,
  { store, extension }: Names,
): FeatureStep[] {
  const qualified = `${store}.${quoteIdentifier(table)}`;
  const relation = `${quoteLiteral(qualified)}::regclass`;
  const policy = policyOf(catalogue, 'policy_compression', table);
  const remove = `SELECT ${extension}.remove_compression_policy(${relation})`;
  if (requested.value === false) {
    if (!policy) return [];
    return [
      {
        name: `${table} compression policy`,
        what: `compress no further chunks of ${table}`,
        statements: [remove],
      },
    ];
  }
  const steps: FeatureStep[] = [];
  if (!catalogue.hypertables.get(table)?.compresses) {
    const { segmentBy, orderBy } = HYPERTABLES[table];
    steps.push({
      name: `${table} compression`,
      what: `let ${table} be compressed, in segments by ${segmentBy}, ordered by ${orderBy}`,
      statements: [
        `ALTER TABLE ${qualified} SET (timescaledb.compress, timescaledb.compress_segmentby = ${quoteLiteral(segmentBy)}, ` +
          `timescaledb.compress_orderby = ${quoteLiteral(orderBy)})`,
      ],
    });
  }
  if (!policy || (requested.given && policy.compressAfterMs !== requested.value)) {
    steps.push({
      name: `${table} compression policy`,
      what: `compress chunks of ${table} after ${said(requested.value)}`,
      statements: [
        ...(policy ? [remove] : []),
        `SELECT ${extension}.add_compression_policy(${relation}, compress_after => ${interval(requested.value)})`,
      ],
    });
  }
  return steps;
}

const LIMIT = 'timescaledb.max_tuples_decompressed_per_dml_transaction';

/** A batch of late rows unpacks a segment of up to 1,000 rows for each: a few hundred would reach the limit and fail. */
export function decompressionSteps(
  { database, limitsDecompression }: StoreCatalogue,
  { compressAfterMs }: TimescaleSettings,
): FeatureStep[] {
  if (!limitsDecompression || compressAfterMs.value === false) return [];
  const statement = `ALTER DATABASE ${quoteIdentifier(database)} SET ${LIMIT} = 0`;
  return [
    {
      name: 'decompression limit',
      what: 'lift the limit on what a batch of late rows may decompress, for connections to come',
      statements: [statement],
      withoutIt:
        'batches of late rows for compressed chunks may fail with 53400, as this user may not lift the limit: let the ' +
        `owner of the database run ${statement}`,
    },
  ];
}

/** After the aggregates, which must not look at what is dropped from then on. */
export function retentionSteps(
  table: HypertableName,
  catalogue: StoreCatalogue,
  { retainMs }: TimescaleSettings,
  { store, extension }: Names,
): FeatureStep[] {
  const requested = retainMs[table];
  const policy = policyOf(catalogue, 'policy_retention', table);
  if (requested === undefined || (requested === false ? !policy : policy?.dropAfterMs === requested)) return [];
  const relation = `${quoteLiteral(`${store}.${quoteIdentifier(table)}`)}::regclass`;
  return [
    {
      name: `${table} retention`,
      what:
        requested === false ? `drop nothing of ${table} any more` : `drop chunks of ${table} after ${said(requested)}`,
      statements: [
        ...(policy ? [`SELECT ${extension}.remove_retention_policy(${relation})`] : []),
        ...(requested === false
          ? []
          : [`SELECT ${extension}.add_retention_policy(${relation}, drop_after => ${interval(requested)})`]),
      ],
    },
  ];
}

export function retentionOf(
  catalogue: StoreCatalogue,
  { retainMs }: TimescaleSettings,
  table: HypertableName,
): number | undefined {
  const requested = retainMs[table];
  if (requested === false) return undefined;
  return requested ?? policyOf(catalogue, 'policy_retention', table)?.dropAfterMs;
}

export function policyOf({ policies }: StoreCatalogue, proc: string, of: string): Policy | undefined {
  return policies.find((policy) => policy.proc === proc && policy.of === of);
}
