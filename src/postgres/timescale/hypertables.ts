import { qualify, quoteIdentifier, quoteLiteral } from '../identifiers.js';
import { type HypertableLayout, RECORD_TABLES } from '../recordTables.js';
import { durationText, type FeatureStep, interval, type Planning, policyOf, regclass, stepOf } from './featureStep.js';
import type { HypertableName } from './settings.js';

const HYPERTABLES: Readonly<Record<HypertableName, HypertableLayout>> = {
  bars: RECORD_TABLES.bar.hypertable,
  options_snap: RECORD_TABLES.option.hypertable,
  trades: RECORD_TABLES.trade.hypertable,
  quotes: RECORD_TABLES.quote.hypertable,
};

export const HYPERTABLE_NAMES = Object.keys(HYPERTABLES) as HypertableName[];

export function hypertableSteps(
  table: HypertableName,
  { catalogue, settings, schema, extension }: Planning,
): FeatureStep[] {
  const relation = regclass(qualify(table, schema));
  const { value: chunkMs, given } = settings.chunkMs[table];
  const found = catalogue.hypertables.get(table);
  if (!found) {
    return [
      stepOf(
        `${table} hypertable`,
        `make ${table} a hypertable with chunks of ${durationText(chunkMs)}, and move its rows into them`,
        `SELECT ${extension}.create_hypertable(${relation}, 'ts', chunk_time_interval => ${interval(chunkMs)}, ` +
          'migrate_data => true, create_default_indexes => false)',
      ),
    ];
  }
  if (!given || found.chunkMs === chunkMs) return [];
  const change = `SELECT ${extension}.set_chunk_time_interval(${relation}, ${interval(chunkMs)})`;
  return [stepOf(`${table} chunks`, `make future chunks of ${table} span ${durationText(chunkMs)}`, change)];
}

export function compressionSteps(table: HypertableName, planning: Planning): FeatureStep[] {
  const { catalogue, settings, schema, extension } = planning;
  const qualified = qualify(table, schema);
  const relation = regclass(qualified);
  const policy = policyOf(planning, 'policy_compression', table);
  const remove = policy && `SELECT ${extension}.remove_compression_policy(${relation})`;
  const name = `${table} compression policy`;
  const { value: afterMs, given } = settings.compressAfterMs;
  if (afterMs === false) return policy ? [stepOf(name, `compress no further chunks of ${table}`, remove)] : [];
  const steps: FeatureStep[] = [];
  if (!catalogue.hypertables.get(table)?.compresses) {
    const { segmentBy, orderBy } = HYPERTABLES[table];
    steps.push(
      stepOf(
        `${table} compression`,
        `enable compression of ${table}, in segments by ${segmentBy}, ordered by ${orderBy}`,
        `ALTER TABLE ${qualified} SET (timescaledb.compress, timescaledb.compress_segmentby = ${quoteLiteral(segmentBy)}, ` +
          `timescaledb.compress_orderby = ${quoteLiteral(orderBy)})`,
      ),
    );
  }
  if (!policy || (given && policy.compressAfterMs !== afterMs)) {
    const add = `SELECT ${extension}.add_compression_policy(${relation}, compress_after => ${interval(afterMs)})`;
    steps.push(stepOf(name, `compress chunks of ${table} after ${durationText(afterMs)}`, remove, add));
  }
  return steps;
}

const LIMIT = 'timescaledb.max_tuples_decompressed_per_dml_transaction';

/** A batch of late rows decompresses a segment of up to 1,000 rows for each: a few hundred would reach the limit and fail. */
export function decompressionSteps({ catalogue, settings }: Planning): FeatureStep[] {
  if (!catalogue.limitsDecompression || settings.compressAfterMs.value === false) return [];
  const statement = `ALTER DATABASE ${quoteIdentifier(catalogue.database)} SET ${LIMIT} = 0`;
  const what = 'lift the limit on what a batch of late rows may decompress, for future connections';
  return [
    {
      ...stepOf('decompression limit', what, statement),
      withoutIt:
        'batches of late rows for compressed chunks may fail with 53400, because this user may not lift the limit: let ' +
        `the owner of the database run ${statement}`,
    },
  ];
}

/** After the aggregates, which must not read what is dropped from then on. */
export function retentionSteps(table: HypertableName, planning: Planning): FeatureStep[] {
  const { settings, schema, extension } = planning;
  const afterMs = settings.retainMs[table];
  const policy = policyOf(planning, 'policy_retention', table);
  if (afterMs === undefined || (afterMs === false ? !policy : policy?.dropAfterMs === afterMs)) return [];
  const relation = regclass(qualify(table, schema));
  return [
    stepOf(
      `${table} retention`,
      afterMs === false
        ? `drop no further chunks of ${table}`
        : `drop chunks of ${table} after ${durationText(afterMs)}`,
      policy && `SELECT ${extension}.remove_retention_policy(${relation})`,
      afterMs !== false && `SELECT ${extension}.add_retention_policy(${relation}, drop_after => ${interval(afterMs)})`,
    ),
  ];
}

export function retentionOf(planning: Planning, table: HypertableName): number | undefined {
  const requested = planning.settings.retainMs[table];
  if (requested === false) return undefined;
  return requested ?? policyOf(planning, 'policy_retention', table)?.dropAfterMs;
}
