import { qualify, quoteLiteral } from '../identifiers.js';
import { MigrationError } from '../migrate/migrationError.js';
import { ROLLUP_MARK } from './catalogue.js';
import { type Days, daysText, isSameDays, originMs, UTC_DAYS } from './days.js';
import {
  durationText,
  type FeatureStep,
  instant,
  interval,
  type Planning,
  policyOf,
  regclass,
  stepOf,
} from './featureStep.js';
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

/** The rollup whose buckets may begin elsewhere than in UTC. */
export const DAILY = 'bars_1d';

export const ROLLUPS: readonly Rollup[] = [
  { name: 'bars_5m', timeframe: '5m', widthMs: 300_000, from: 'bars', everyMs: 300_000 },
  { name: 'bars_1h', timeframe: '1h', widthMs: HOUR_MS, from: 'bars_5m', everyMs: 900_000 },
  { name: DAILY, timeframe: '1d', widthMs: DAY_MS, from: 'bars_1h', everyMs: HOUR_MS },
];

/** Where `time_bucket` of TimescaleDB begins to count: both ways give the same buckets. */
const ORIGIN = "timestamptz '2000-01-03 00:00:00+00'";

/** The days of a rollup: those that were asked for, or those that it has. Undefined for buckets in UTC. */
function daysOf({ name }: Rollup, { catalogue, settings }: Planning): Days | undefined {
  if (name !== DAILY) return undefined;
  const days = settings.days ?? catalogue.days ?? UTC_DAYS;
  return isSameDays(days, UTC_DAYS) ? undefined : days;
}

/** Whether the rollup has other days than those that were asked for. */
function hasOtherDays({ name }: Rollup, { catalogue, settings }: Planning): boolean {
  if (name !== DAILY || settings.days === undefined || catalogue.days === undefined) return false;
  return !isSameDays(settings.days, catalogue.days);
}

function ofDays(days: Days | undefined): string {
  return days ? `, with ${daysText(days)}` : '';
}

/** By the comment a later run knows that the view is ours, and its days. */
function commentStatement(view: string, days: Days | undefined): string {
  return `COMMENT ON VIEW ${view} IS ${quoteLiteral(`${ROLLUP_MARK}: made of the bars of 1m${ofDays(days)}`)}`;
}

/** The rollup on plain Postgres: a view, which is always up to date and aggregates each time that it is read. */
export function viewSteps(rollup: Rollup, planning: Planning): FeatureStep[] {
  const { name, timeframe, widthMs } = rollup;
  const { schema, catalogue } = planning;
  const isThere = catalogue.rollups.has(name);
  if (isThere && !(hasOtherDays(rollup, planning) && catalogue.rollups.get(name) === 'view')) return [];
  const days = daysOf(rollup, planning);
  const bucket = days ? dayOf(days) : `date_bin(interval ${quoteLiteral(durationText(widthMs))}, ts, ${ORIGIN})`;
  const view = qualify(name, schema);
  const make = `CREATE VIEW ${view} AS
  SELECT vendor, symbol, ${quoteLiteral(timeframe)}::text AS timeframe, ${bucket} AS ts,
         (array_agg(open ORDER BY ts))[1] AS open, max(high) AS high, min(low) AS low,
         (array_agg(close ORDER BY ts DESC))[1] AS close, sum(volume) AS volume, max(seq) AS seq
    FROM ${qualify('bars', schema)}
   WHERE timeframe = '1m'
   GROUP BY vendor, symbol, ${bucket}`;
  const what = `make ${name} a view of the bars of 1m${ofDays(days)}`;
  return [stepOf(`${name} view`, what, isThere && `DROP VIEW ${view}`, make, commentStatement(view, days))];
}

/** The day of `ts` on the clocks of a zone, whatever the zone of the session. */
function dayOf({ timeZone, startsAt }: Days): string {
  const zone = quoteLiteral(timeZone);
  const start = `interval ${quoteLiteral(startsAt)}`;
  return `(date_trunc('day', (ts AT TIME ZONE ${zone}) - ${start}) + ${start}) AT TIME ZONE ${zone}`;
}

/** The rollup on TimescaleDB: a continuous aggregate that computes live what it has not materialised yet. */
function continuousStatement({ name, timeframe, widthMs, from }: Rollup, days: Days | undefined, planning: Planning) {
  const { schema, extension } = planning;
  const [zone, origin] = days ? [`, ${quoteLiteral(days.timeZone)}`, originOf(days)] : ['', ''];
  const bucket = `${extension}.time_bucket(interval ${quoteLiteral(durationText(widthMs))}, ts${zone}${origin})`;
  return `CREATE MATERIALIZED VIEW ${qualify(name, schema)}
  WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
  SELECT vendor, symbol, ${quoteLiteral(timeframe)}::text AS timeframe, ${bucket} AS ts,
         ${extension}.first(open, ts) AS open, max(high) AS high, min(low) AS low,
         ${extension}.last(close, ts) AS close, sum(volume) AS volume, max(seq) AS seq
    FROM ${qualify(from, schema)}${from === 'bars' ? "\n   WHERE timeframe = '1m'" : ''}
   GROUP BY vendor, symbol, ${bucket}
  WITH NO DATA`;
}

/** TimescaleDB 2.15.0 and 2.15.1 refuse an origin together with a zone, and days from midnight need none. */
function originOf(days: Days): string {
  return days.startsAt === UTC_DAYS.startsAt ? '' : `, ${instant(originMs(days))}`;
}

/** A rollup as a continuous aggregate, and how it is kept up to date. */
export function continuousSteps(rollup: Rollup, planning: Planning): FeatureStep[] {
  const { name } = rollup;
  const { catalogue, schema } = planning;
  const view = qualify(name, schema);
  const kind = catalogue.rollups.get(name);
  const isAnother = kind === 'continuous' && hasOtherDays(rollup, planning);
  if (kind === 'continuous' && !isAnother) return refreshSteps(rollup, planning, false);
  if (isAnother) refuseLoss(rollup, planning);
  const days = daysOf(rollup, planning);
  // An hour of UTC may belong to two days of a zone.
  const from = days ? 'bars' : rollup.from;
  const create: FeatureStep = stepOf(
    `${name} aggregate`,
    `make ${name} a continuous aggregate of ${from}${ofDays(days)}${kind ? ` in place of the ${isAnother ? 'other days' : 'view'}` : ''}`,
    kind && `DROP ${isAnother ? 'MATERIALIZED VIEW' : 'VIEW'} ${view}`,
    continuousStatement({ ...rollup, from }, days, planning),
    commentStatement(view, days),
  );
  return [create, ...refreshSteps(rollup, planning, isAnother)];
}

function refuseLoss({ name }: Rollup, planning: Planning): void {
  const { catalogue, schema } = planning;
  if (!policyOf(planning, 'policy_retention', 'bars')) return;
  throw new MigrationError(
    'SLUICE_MIGRATION_TIMESCALE',
    `${name} has ${daysText(catalogue.days!)}, and with others it would lose what was made of bars that have been dropped since: ` +
      `if that is meant, DROP MATERIALIZED VIEW ${qualify(name, schema)}, and migrate again`,
    { step: `${name} aggregate` },
  );
}

const REFRESH = 'policy_refresh_continuous_aggregate';

/** `isNew`: the aggregate is made anew, and its policy goes with the old one. */
function refreshSteps({ name, widthMs, everyMs }: Rollup, planning: Planning, isNew: boolean): FeatureStep[] {
  const { catalogue, settings, schema, extension } = planning;
  const { oldestBars, refreshOrder } = catalogue;
  const policy = isNew ? undefined : policyOf(planning, REFRESH, name);
  // To refresh what has been dropped would empty the aggregate too. Without retention all that changed is refreshed.
  const retained = retentionOf(planning, 'bars');
  const tooFar = retained !== undefined && (policy?.startOffsetMs ?? Number.POSITIVE_INFINITY) > retained;
  const tooNear = settings.retainMs.bars === false && policy?.startOffsetMs !== undefined;
  const isWidened = typeof settings.retainMs.bars === 'number' && policy?.startOffsetMs !== retained;
  const relation = regclass(qualify(name, schema));
  if (policy && !tooFar && !tooNear && !isWidened) {
    if (!refreshOrder.ofPolicy || policy.hasOrder) return [];
    const config = `config || '{"refresh_newest_first": false}' FROM timescaledb_information.jobs WHERE job_id = ${policy.job}`;
    const change = `SELECT ${extension}.alter_job(${policy.job}, config => (SELECT ${config}))`;
    const withoutIt =
      `${name} may lack bars while it is refreshed, because this user may not alter its job ${policy.job}: let the owner of the ` +
      'job migrate';
    return [{ ...stepOf(`${name} refresh order`, `refresh ${name} from the oldest bars on`, change), withoutIt }];
  }
  const reach = retained === undefined ? 'wherever bars have changed' : `as far back as ${durationText(retained)}`;
  const step = stepOf(
    `${name} refresh`,
    `refresh ${name} every ${durationText(everyMs)}, ${reach}`,
    policy && `SELECT ${extension}.remove_continuous_aggregate_policy(${relation})`,
    `SELECT ${extension}.add_continuous_aggregate_policy(${relation}, ` +
      `start_offset => ${retained === undefined ? 'NULL' : interval(retained)}, ` +
      `end_offset => ${interval(widthMs)}, schedule_interval => ${interval(everyMs)}${
        refreshOrder.ofPolicy ? ', refresh_newest_first => false' : ''
      })`,
  );
  if (retained === undefined || oldestBars === undefined || oldestBars.ageMs <= retained) return [step];
  // Older bars than the policy looks at: without this the aggregate would not have them once it has newer ones.
  const call =
    `CALL ${extension}.refresh_continuous_aggregate(${relation}, ${instant(oldestBars.ms)}, now() - ${interval(widthMs)}` +
    `${refreshOrder.ofCall ? `, options => '{"refresh_newest_first": false}'` : ''})`;
  return [{ ...step, before: [call] }];
}
