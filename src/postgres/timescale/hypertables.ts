import { quoteIdentifier } from '../statements.js';
import type { Policy, StoreCatalogue } from './catalogue.js';
import { type FeatureStep, interval, said } from './featureStep.js';
import { literal, type Names } from './rollups.js';
import type { HypertableName, TimescaleSettings } from './settings.js';

interface Compression {
  readonly segmentBy: string;
  readonly orderBy: string;
}

/** All columns of the key are in one or the other: an upsert then unpacks only the segments that may hold its rows. */
export const HYPERTABLES: Readonly<Record<HypertableName, Compression>> = {
  bars: { segmentBy: 'vendor, symbol, timeframe', orderBy: 'ts' },
  options_snap: { segmentBy: 'vendor, symbol', orderBy: 'expiry, option_type, strike, ts' },
};

export const HYPERTABLE_NAMES = Object.keys(HYPERTABLES) as HypertableName[];

export function hypertableSteps(
  table: HypertableName,
  { hypertables }: StoreCatalogue,
  { chunkMs }: TimescaleSettings,
  { store, extension }: Names,
): FeatureStep[] {
  const relation = `${literal(`${store}.${quoteIdentifier(table)}`)}::regclass`;
  const wish = chunkMs[table];
  const found = hypertables.get(table);
  if (!found) {
    return [
      {
        name: `${table} hypertable`,
        what: `make ${table} a hypertable with chunks of ${said(wish.value)}, and move its rows into them`,
        statements: [
          `SELECT ${extension}.create_hypertable(${relation}, 'ts', chunk_time_interval => ${interval(wish.value)}, ` +
            'migrate_data => true, create_default_indexes => false)',
        ],
      },
    ];
  }
  if (!wish.given || found.chunkMs === wish.value) return [];
  return [
    {
      name: `${table} chunks`,
      what: `give the next chunks of ${table} ${said(wish.value)}`,
      statements: [`SELECT ${extension}.set_chunk_time_interval(${relation}, ${interval(wish.value)})`],
    },
  ];
}

export function compressionSteps(
  table: HypertableName,
  catalogue: StoreCatalogue,
  { compressAfterMs: wish }: TimescaleSettings,
  { store, extension }: Names,
): FeatureStep[] {
  const qualified = `${store}.${quoteIdentifier(table)}`;
  const relation = `${literal(qualified)}::regclass`;
  const policy = policyOf(catalogue, 'policy_compression', table);
  const remove = `SELECT ${extension}.remove_compression_policy(${relation})`;
  if (wish.value === false) {
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
        `ALTER TABLE ${qualified} SET (timescaledb.compress, timescaledb.compress_segmentby = ${literal(segmentBy)}, ` +
          `timescaledb.compress_orderby = ${literal(orderBy)})`,
      ],
    });
  }
  if (!policy || (wish.given && policy.compressAfterMs !== wish.value)) {
    steps.push({
      name: `${table} compression policy`,
      what: `compress chunks of ${table} after ${said(wish.value)}`,
      statements: [
        ...(policy ? [remove] : []),
        `SELECT ${extension}.add_compression_policy(${relation}, compress_after => ${interval(wish.value)})`,
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
  const wish = retainMs[table];
  const policy = policyOf(catalogue, 'policy_retention', table);
  if (wish === undefined || (wish === false ? !policy : policy?.dropAfterMs === wish)) return [];
  const relation = `${literal(`${store}.${quoteIdentifier(table)}`)}::regclass`;
  return [
    {
      name: `${table} retention`,
      what: wish === false ? `drop nothing of ${table} any more` : `drop chunks of ${table} after ${said(wish)}`,
      statements: [
        ...(policy ? [`SELECT ${extension}.remove_retention_policy(${relation})`] : []),
        ...(wish === false
          ? []
          : [`SELECT ${extension}.add_retention_policy(${relation}, drop_after => ${interval(wish)})`]),
      ],
    },
  ];
}

export function retentionOf(
  catalogue: StoreCatalogue,
  { retainMs }: TimescaleSettings,
  table: HypertableName,
): number | undefined {
  const wish = retainMs[table];
  if (wish === false) return undefined;
  return wish ?? policyOf(catalogue, 'policy_retention', table)?.dropAfterMs;
}

export function policyOf({ policies }: StoreCatalogue, proc: string, of: string): Policy | undefined {
  return policies.find((policy) => policy.proc === proc && policy.of === of);
}
