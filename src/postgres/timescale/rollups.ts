import { qualify, quoteLiteral } from '../identifiers.js';
import { ROLLUP_MARK } from './catalogue.js';
import { durationText, type FeatureStep, interval, type Planning, policyOf, regclass, stepOf } from './featureStep.js';
import { retentionOf } from './hypertables.js';
import { DAY_MS, HOUR_MS } from './settings.js';

/** Bars of a longer timeframe, made of bars of one minute. */
export interface Rollup {
  readonly name: string;
  readonly timeframe: string;
  /** The width of a bucket. */
  readonly widthMs: number;
  /** What the continuous aggregate is made of: the next finer one, so that a day is 24 rows rather than 1,440. */
  readonly from: string;
  /** How often the continuous aggregate is refreshed. */
  readonly everyMs: number;
}

export const ROLLUPS: readonly Rollup[] = [
  { name: 'bars_5m', timeframe: '5m', widthMs: 300_000, from: 'bars', everyMs: 300_000 },
  { name: 'bars_1h', timeframe: '1h', widthMs: HOUR_MS, from: 'bars_5m', everyMs: 900_000 },
  { name: 'bars_1d', timeframe: '1d', widthMs: DAY_MS, from: 'bars_1h', everyMs: HOUR_MS },
];

/** Where `time_bucket` of TimescaleDB begins to count: both ways give the same buckets. */
const ORIGIN = "timestamptz '2000-01-03 00:00:00+00'";

/** The rollup on plain Postgres: a view, which is always up to date and aggregates each time that it is read. */
export function viewStatements({ name, timeframe, widthMs }: Rollup, { schema }: Planning): string[] {
  const bucket = `date_bin(interval ${quoteLiteral(durationText(widthMs))}, ts, ${ORIGIN})`;
  const view = qualify(name, schema);
  return [
    `CREATE VIEW ${view} AS
  SELECT vendor, symbol, ${quoteLiteral(timeframe)}::text AS timeframe, ${bucket} AS ts,
         (array_agg(open ORDER BY ts))[1] AS open, max(high) AS high, min(low) AS low,
         (array_agg(close ORDER BY ts DESC))[1] AS close, sum(volume) AS volume, max(seq) AS seq
    FROM ${qualify('bars', schema)}
   WHERE timeframe = '1m'
   GROUP BY vendor, symbol, ${bucket}`,
    `COMMENT ON VIEW ${view} IS ${quoteLiteral(`${ROLLUP_MARK}: made of the bars of 1m`)}`,
  ];
}

/** The rollup on TimescaleDB: a continuous aggregate that computes live what it has not materialised yet. */
function continuousStatement({ name, timeframe, widthMs, from }: Rollup, { schema, extension }: Planning): string {
  const bucket = `${extension}.time_bucket(interval ${quoteLiteral(durationText(widthMs))}, ts)`;
  return `CREATE MATERIALIZED VIEW ${qualify(name, schema)}
  WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
  SELECT vendor, symbol, ${quoteLiteral(timeframe)}::text AS timeframe, ${bucket} AS ts,
         ${extension}.first(open, ts) AS open, max(high) AS high, min(low) AS low,
         ${extension}.last(close, ts) AS close, sum(volume) AS volume, max(seq) AS seq
    FROM ${qualify(from, schema)}${from === 'bars' ? "\n   WHERE timeframe = '1m'" : ''}
   GROUP BY vendor, symbol, ${bucket}
  WITH NO DATA`;
}

/** A rollup as a continuous aggregate, and how it is kept up to date. */
export function continuousSteps(rollup: Rollup, planning: Planning): FeatureStep[] {
  const { name, widthMs, everyMs } = rollup;
  const { catalogue, settings, schema, extension } = planning;
  const qualified = qualify(name, schema);
  const steps: FeatureStep[] = [];
  const kind = catalogue.rollups.get(name);
  if (kind !== 'continuous') {
    steps.push(
      stepOf(
        `${name} aggregate`,
        `make ${name} a continuous aggregate of ${rollup.from}${kind === 'view' ? ' in place of the view' : ''}`,
        kind === 'view' && `DROP VIEW ${qualified}`,
        continuousStatement(rollup, planning),
      ),
    );
  }
  const policy = policyOf(planning, 'policy_refresh_continuous_aggregate', name);
  // To refresh what has been dropped would empty the aggregate too. Without retention all that changed is refreshed.
  const retained = retentionOf(planning, 'bars');
  const tooFar = retained !== undefined && (policy?.startOffsetMs ?? Number.POSITIVE_INFINITY) > retained;
  const tooNear = settings.retainMs.bars === false && policy?.startOffsetMs !== undefined;
  const isWidened = typeof settings.retainMs.bars === 'number' && policy?.startOffsetMs !== retained;
  if (!policy || tooFar || tooNear || isWidened) {
    const relation = regclass(qualified);
    const reach = retained === undefined ? 'wherever bars have changed' : `as far back as ${durationText(retained)}`;
    steps.push(
      stepOf(
        `${name} refresh`,
        `refresh ${name} every ${durationText(everyMs)}, ${reach}`,
        policy && `SELECT ${extension}.remove_continuous_aggregate_policy(${relation})`,
        `SELECT ${extension}.add_continuous_aggregate_policy(${relation}, ` +
          `start_offset => ${retained === undefined ? 'NULL' : interval(retained)}, ` +
          `end_offset => ${interval(widthMs)}, schedule_interval => ${interval(everyMs)})`,
      ),
    );
  }
  return steps;
}
