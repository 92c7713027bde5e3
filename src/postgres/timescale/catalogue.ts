import type { Queryable } from '../pool.js';
import { isPGlite } from '../session.js';
import { type Days, daysIn, UTC_DAYS } from './days.js';
import type { HypertableName } from './settings.js';

export type RollupKind = 'view' | 'continuous' | 'foreign';

export interface Hypertable {
  readonly chunkMs: number | undefined;
  readonly compresses: boolean;
}

/** A policy of TimescaleDB: what it does to a table or continuous aggregate, and its ages in milliseconds. */
export interface Policy {
  readonly job: number;
  readonly proc: string;
  readonly of: string;
  readonly dropAfterMs: number | undefined;
  readonly compressAfterMs: number | undefined;
  readonly startOffsetMs: number | undefined;
  /** Whether someone has chosen the order in which a refresh goes through its buckets. */
  readonly hasOrder: boolean;
}

/** Where the bars begin that are still there: the start of the oldest chunk, and how long ago that is. */
export interface OldestBars {
  readonly ms: number;
  readonly ageMs: number;
}

/** What this version lets a caller say about the order of a refresh: the oldest buckets first, or the newest. */
export interface RefreshOrder {
  /** `add_continuous_aggregate_policy` has `refresh_newest_first`: from 2.20 on. */
  readonly ofPolicy: boolean;
  /** `refresh_continuous_aggregate` has `options`: from 2.21 on. */
  readonly ofCall: boolean;
}

/** What the server says about itself and the store: everything that decides which steps are missing. */
export interface StoreCatalogue {
  readonly database: string;
  readonly hasPublic: boolean;
  /** The version of TimescaleDB that could be created; undefined if the server does not have it. */
  readonly available: string | undefined;
  /** Whether the server has loaded the library at its start, without which the extension must not be created. */
  readonly preloaded: boolean;
  readonly installed: { readonly version: string; readonly schema: string } | undefined;
  /** `timescale` or `apache`, which has neither compression nor policies nor continuous aggregates. */
  readonly license: string | undefined;
  readonly hypertables: ReadonlyMap<string, Hypertable>;
  readonly policies: readonly Policy[];
  readonly rollups: ReadonlyMap<string, RollupKind>;
  /** The days of the daily rollup; undefined if there is none. */
  readonly days: Days | undefined;
  /** Undefined without a hypertable of bars that has rows. */
  readonly oldestBars: OldestBars | undefined;
  readonly refreshOrder: RefreshOrder;
  /** Whether this version limits how much one transaction may decompress, by its own default. */
  readonly limitsDecompression: boolean;
}

/** Tells a view of ours from another one of the same name. */
export const ROLLUP_MARK = 'sluice rollup';

const SERVER = `
  SELECT current_database()::text AS database,
         version() AS version,
         to_regnamespace('public') IS NOT NULL AS "hasPublic",
         (SELECT default_version::text FROM pg_catalog.pg_available_extensions WHERE name = 'timescaledb') AS available,
         e.extversion::text AS installed,
         n.nspname::text AS schema,
         current_setting('timescaledb.max_background_workers', true) AS workers,
         current_setting('timescaledb.license', true) AS license,
         current_setting('timescaledb.max_tuples_decompressed_per_dml_transaction', true) AS "limit",
         (SELECT count(*)::int FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) AS setting
           WHERE s.setdatabase IN (0, (SELECT datid FROM pg_catalog.pg_stat_database WHERE datname = current_database()))
             AND setting LIKE 'timescaledb.max_tuples_decompressed_per_dml_transaction=%') AS "limitsSet"
    FROM (SELECT) AS one
    LEFT JOIN pg_catalog.pg_extension e ON e.extname = 'timescaledb'
    LEFT JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace`;

const HYPERTABLES = `
  SELECT h.hypertable_name::text AS name, h.compression_enabled AS compresses,
         (extract(epoch FROM d.time_interval) * 1000)::float8 AS "chunkMs"
    FROM timescaledb_information.hypertables h
    LEFT JOIN timescaledb_information.dimensions d
      ON d.hypertable_schema = h.hypertable_schema AND d.hypertable_name = h.hypertable_name AND d.column_name = 'ts'
   WHERE h.hypertable_schema = $1 AND h.hypertable_name = ANY($2)`;

/** Before 2.20 a job of a continuous aggregate is under the name of the hypertable that holds what is materialised. */
const POLICIES = `
  SELECT j.job_id AS job, j.proc_name::text AS proc, coalesce(c.view_name, j.hypertable_name)::text AS of,
         (extract(epoch FROM (j.config ->> 'drop_after')::interval) * 1000)::float8 AS "dropAfterMs",
         (extract(epoch FROM (j.config ->> 'compress_after')::interval) * 1000)::float8 AS "compressAfterMs",
         (extract(epoch FROM (j.config ->> 'start_offset')::interval) * 1000)::float8 AS "startOffsetMs",
         coalesce(j.config ? 'refresh_newest_first', false) AS "hasOrder"
    FROM timescaledb_information.jobs j
    LEFT JOIN timescaledb_information.continuous_aggregates c
      ON c.materialization_hypertable_schema = j.hypertable_schema AND c.materialization_hypertable_name = j.hypertable_name
   WHERE coalesce(c.view_schema, j.hypertable_schema) = $1 AND coalesce(c.view_name, j.hypertable_name) = ANY($2)
     AND j.proc_name IN ('policy_retention', 'policy_compression', 'policy_refresh_continuous_aggregate')`;

const OLDEST = `
  SELECT (extract(epoch FROM min(range_start)) * 1000)::float8 AS ms,
         (extract(epoch FROM now() - min(range_start)) * 1000)::float8 AS "ageMs"
    FROM timescaledb_information.chunks
   WHERE hypertable_schema = $1 AND hypertable_name = $2`;

/** Asked rather than derived from the version, which says nothing of a fork or a build of one's own. */
const ORDER = `
  SELECT coalesce(bool_or(proname = 'add_continuous_aggregate_policy' AND 'refresh_newest_first' = ANY(proargnames)), false)
           AS "ofPolicy",
         coalesce(bool_or(proname = 'refresh_continuous_aggregate' AND 'options' = ANY(proargnames)), false) AS "ofCall"
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
   WHERE n.nspname = $1`;

const RELATIONS = `
  SELECT c.relname::text AS name, c.relkind::text AS kind, obj_description(c.oid, 'pg_class') AS comment
    FROM pg_catalog.pg_class c
   WHERE c.relnamespace = to_regnamespace($1)::oid AND c.relname = ANY($2)`;

const CONTINUOUS = `
  SELECT view_name::text AS name FROM timescaledb_information.continuous_aggregates
   WHERE view_schema = $1 AND view_name = ANY($2)`;

interface ServerRow extends Pick<StoreCatalogue, 'database' | 'hasPublic' | 'available' | 'license'> {
  readonly version: string;
  readonly installed: string | undefined;
  readonly schema: string | undefined;
  readonly workers: string | undefined;
  readonly limit: string | undefined;
  readonly limitsSet: number;
}

interface RelationRow {
  readonly name: string;
  readonly kind: string;
  readonly comment: string | undefined;
}

/** Reads; changes nothing. `quotedSchema` is the same schema as SQL writes it. */
export async function readCatalogue(
  client: Queryable,
  schema: string,
  quotedSchema: string,
  names: {
    readonly hypertables: readonly HypertableName[];
    readonly rollups: readonly string[];
    /** The rollup that has days. */
    readonly daily: string;
  },
): Promise<StoreCatalogue> {
  const ask = async <R extends object>(text: string, ...values: unknown[]) =>
    (await client.query<R>(text, values)).rows.map(withoutNulls);
  const [server] = await ask<ServerRow>(SERVER);
  const { version, installed, schema: home, workers, limit, limitsSet, ...known } = server!;
  const relations = await ask<RelationRow>(RELATIONS, quotedSchema, names.rollups);
  const rollups = new Map(relations.map((relation) => [relation.name, kindOf(relation)]));
  const daily = relations.find(({ name }) => name === names.daily);
  const hypertables = new Map<string, Hypertable>();
  let policies: readonly Policy[] = [];
  let oldestBars: OldestBars | undefined;
  let refreshOrder: RefreshOrder = { ofPolicy: false, ofCall: false };
  if (installed !== undefined) {
    const tables = await ask<Hypertable & { readonly name: string }>(HYPERTABLES, schema, names.hypertables);
    for (const { name, compresses, chunkMs } of tables) hypertables.set(name, { compresses, chunkMs });
    policies = await ask<Policy>(POLICIES, schema, [...names.hypertables, ...names.rollups]);
    const continuous = await ask<{ readonly name: string }>(CONTINUOUS, schema, names.rollups);
    for (const { name } of continuous) rollups.set(name, 'continuous');
    const [oldest] = await ask<Partial<OldestBars>>(OLDEST, schema, 'bars');
    if (Number.isFinite(oldest?.ms)) oldestBars = oldest as OldestBars;
    refreshOrder = (await ask<RefreshOrder>(ORDER, home))[0]!;
  }
  return {
    ...known,
    // PGlite loads every library that it was built with.
    preloaded: isPGlite(version) || workers !== undefined,
    installed: installed === undefined ? undefined : { version: installed, schema: home! },
    hypertables,
    policies,
    rollups,
    days: daily && (daysIn(daily.comment ?? '') ?? UTC_DAYS),
    oldestBars,
    refreshOrder,
    limitsDecompression: limit !== undefined && limitsSet === 0,
  };
}

function kindOf({ kind, comment }: RelationRow): RollupKind {
  return kind === 'v' && comment?.startsWith(ROLLUP_MARK) ? 'view' : 'foreign';
}

function withoutNulls<R extends object>(row: R): R {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value ?? undefined])) as R;
}
