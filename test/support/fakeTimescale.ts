import type pg from 'pg';

/**
 * How the versions of TimescaleDB differ for a store, from `sql/views.sql`, `sql/policy_api.sql`, `sql/ddl_api.sql`, the update scripts
 * and the changelog of github.com/timescale/timescaledb.
 */
interface Version {
  /** Of distributed hypertables, which 2.14 took away. */
  readonly hasDataNodes: boolean;
  /** `timescaledb.max_tuples_decompressed_per_dml_transaction`, from 2.14 on. */
  readonly limitsDecompression: boolean;
  /** `timescaledb_information.jobs` tells the name of the aggregate, from 2.20 on. */
  readonly jobsNameViews: boolean;
  /** `include_tiered_data` and what was added to it: 2.18, 2.19, 2.20. */
  readonly policyArguments: string;
  /** `force` from 2.18 on, `options` from 2.21 on. */
  readonly callArguments: string;
  /** How many buckets a refresh makes in one transaction; 0 for all. */
  readonly bucketsPerBatch: number;
  /** Whether a refresh by hand goes by batches too. */
  readonly callIsBatched: boolean;
}

const TIERED = ', include_tiered_data bool = NULL';
const BATCHES = `${TIERED}, buckets_per_batch int = NULL, max_batches_per_execution int = NULL`;
const ORDERED = `${BATCHES}, refresh_newest_first bool = NULL`;
const FORCE = ', force bool = false';

export const VERSIONS = {
  '2.11.2': {
    hasDataNodes: true,
    limitsDecompression: false,
    jobsNameViews: false,
    policyArguments: '',
    callArguments: '',
    bucketsPerBatch: 0,
    callIsBatched: false,
  },
  '2.13.1': {
    hasDataNodes: true,
    limitsDecompression: false,
    jobsNameViews: false,
    policyArguments: '',
    callArguments: '',
    bucketsPerBatch: 0,
    callIsBatched: false,
  },
  '2.18.2': {
    hasDataNodes: false,
    limitsDecompression: true,
    jobsNameViews: false,
    policyArguments: TIERED,
    callArguments: FORCE,
    bucketsPerBatch: 0,
    callIsBatched: false,
  },
  '2.20.3': {
    hasDataNodes: false,
    limitsDecompression: true,
    jobsNameViews: true,
    policyArguments: ORDERED,
    callArguments: FORCE,
    bucketsPerBatch: 0,
    callIsBatched: false,
  },
  '2.28.3': {
    hasDataNodes: false,
    limitsDecompression: true,
    jobsNameViews: true,
    policyArguments: ORDERED,
    callArguments: `${FORCE}, options jsonb = NULL`,
    bucketsPerBatch: 10,
    callIsBatched: true,
  },
} satisfies Record<string, Version>;

export type FakeVersion = keyof typeof VERSIONS;

/** The library as a server has loaded it: `options` of a connection. */
export function loaded(version: FakeVersion): string {
  const limit = VERSIONS[version].limitsDecompression
    ? ' -c timescaledb.max_tuples_decompressed_per_dml_transaction=100000'
    : '';
  return `-c timescaledb.max_background_workers=16 -c timescaledb.license=timescale${limit}`;
}

/**
 * Makes the database of the pool answer as one with TimescaleDB does: its catalogue, its functions with the arguments and defaults of
 * the version, and aggregates that are materialised up to a watermark and computed above it. No chunks are made, nothing is
 * compressed, and no job runs by itself: `SELECT fake.run_batch(job)` does one batch of a refresh, and says whether another is
 * due. What Postgres cannot parse without the extension is translated on its way to the server.
 */
export async function fakeTimescale(pool: pg.Pool, version: FakeVersion): Promise<void> {
  pool.on('connect', translate);
  await pool.query(sqlOf(version, VERSIONS[version]));
}

function translate(client: pg.PoolClient): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  Object.assign(client, {
    query: (text: unknown, ...rest: unknown[]) => query(typeof text === 'string' ? translated(text) : text, ...rest),
  });
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

const TRANSLATIONS: readonly (readonly [RegExp, (parts: readonly string[]) => string])[] = [
  [
    /^CREATE MATERIALIZED VIEW (\S.*)\n\s*WITH \(timescaledb\.continuous, timescaledb\.materialized_only = false\) AS\n([\s\S]*?)WITH NO DATA$/,
    ([, view, query]) => `SELECT fake.create_continuous(${literal(view!)}, ${literal(query!)})`,
  ],
  [/^DROP MATERIALIZED VIEW (\S.*)$/, ([, view]) => `SELECT fake.drop_continuous(${literal(view!)}::regclass)`],
  [
    /^ALTER TABLE (\S.*) SET \(timescaledb\.compress,[\s\S]*\)$/,
    ([, table]) => `UPDATE fake.hypertable SET compresses = true WHERE relation = ${literal(table!)}::regclass`,
  ],
];

function translated(text: string): string {
  for (const [pattern, make] of TRANSLATIONS) {
    const found = pattern.exec(text);
    if (found) return make(found);
  }
  return text;
}

function sqlOf(version: string, its: Version): string {
  const nodes = its.hasDataNodes
    ? ', false AS is_distributed, NULL::smallint AS replication_factor, NULL::name[] AS data_nodes'
    : '';
  const ofJob = (column: 'schema' | 'name') =>
    its.jobsNameViews ? `coalesce(v.${column}, h.${column})` : `h.${column}`;
  const given = (argument: string) => (its.policyArguments.includes(argument) ? argument : 'NULL');
  return `
INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
VALUES (2147000000, 'timescaledb', (SELECT oid FROM pg_roles WHERE rolname = current_user), 'public'::regnamespace, false, '${version}');

CREATE SCHEMA fake;
CREATE SCHEMA _timescaledb_internal;
CREATE SCHEMA timescaledb_information;

CREATE TABLE fake.hypertable (
  id serial PRIMARY KEY, relation regclass NOT NULL UNIQUE, chunk interval NOT NULL, compresses bool NOT NULL DEFAULT false);
CREATE TABLE fake.continuous_agg (
  id int PRIMARY KEY, view regclass NOT NULL UNIQUE, direct regclass NOT NULL, source regclass,
  watermark timestamptz NOT NULL DEFAULT '-infinity');
CREATE TABLE fake.job (
  id serial PRIMARY KEY, proc name NOT NULL, hypertable int NOT NULL, every interval, config jsonb NOT NULL,
  UNIQUE (proc, hypertable));
ALTER SEQUENCE fake.job_id_seq RESTART 1000;
CREATE TABLE fake.call (id serial, what text);

CREATE VIEW fake.named AS
  SELECT h.*, n.nspname AS schema, c.relname AS name
    FROM fake.hypertable h JOIN pg_class c ON c.oid = h.relation JOIN pg_namespace n ON n.oid = c.relnamespace;
CREATE VIEW fake.named_view AS
  SELECT a.*, n.nspname AS schema, c.relname AS name
    FROM fake.continuous_agg a JOIN pg_class c ON c.oid = a.view JOIN pg_namespace n ON n.oid = c.relnamespace;

CREATE VIEW timescaledb_information.hypertables AS
  SELECT h.schema AS hypertable_schema, h.name AS hypertable_name, current_user AS owner, 1::smallint AS num_dimensions,
         1::bigint AS num_chunks, h.compresses AS compression_enabled${nodes}, NULL::name[] AS tablespaces
    FROM fake.named h LEFT JOIN fake.continuous_agg a ON a.id = h.id WHERE a.id IS NULL;
CREATE VIEW timescaledb_information.dimensions AS
  SELECT schema AS hypertable_schema, name AS hypertable_name, 1::bigint AS dimension_number, 'ts'::name AS column_name,
         'timestamptz'::regtype AS column_type, 'Time' AS dimension_type, chunk AS time_interval, NULL::bigint AS integer_interval,
         NULL::name AS integer_now_func, NULL::smallint AS num_partitions
    FROM fake.named;
CREATE VIEW timescaledb_information.jobs AS
  SELECT j.id AS job_id, ('Policy [' || j.id || ']')::name AS application_name, j.every AS schedule_interval,
         '_timescaledb_functions'::name AS proc_schema, j.proc AS proc_name, true AS scheduled, j.config,
         ${ofJob('schema')} AS hypertable_schema, ${ofJob('name')} AS hypertable_name
    FROM fake.job j JOIN fake.named h ON h.id = j.hypertable LEFT JOIN fake.named_view v ON v.id = j.hypertable;
CREATE VIEW timescaledb_information.continuous_aggregates AS
  SELECT s.schema AS hypertable_schema, s.name AS hypertable_name, v.schema AS view_schema, v.name AS view_name,
         current_user AS view_owner, false AS materialized_only, false AS compression_enabled,
         m.schema AS materialization_hypertable_schema, m.name AS materialization_hypertable_name,
         pg_get_viewdef(v.direct) AS view_definition
    FROM fake.named_view v JOIN fake.named m ON m.id = v.id LEFT JOIN fake.named s ON s.relation = v.source;

-- One chunk for each interval that has rows, and none for a relation without rows.
CREATE FUNCTION fake.chunks(relation regclass, width interval) RETURNS TABLE (at timestamptz) LANGUAGE plpgsql STABLE AS $$
  BEGIN
    RETURN QUERY EXECUTE format('SELECT DISTINCT date_bin(%L, ts, timestamptz ''1970-01-01 00:00:00+00'') FROM %s', width, relation);
  END $$;
CREATE VIEW timescaledb_information.chunks AS
  SELECT h.schema AS hypertable_schema, h.name AS hypertable_name, '_timescaledb_internal'::name AS chunk_schema,
         ('_hyper_' || h.id)::name AS chunk_name, 'ts'::name AS primary_dimension, 'timestamptz'::regtype AS primary_dimension_type,
         c.at AS range_start, c.at + h.chunk AS range_end, false AS is_compressed
    FROM fake.named h, fake.chunks(h.relation, h.chunk) c;
GRANT USAGE ON SCHEMA timescaledb_information, fake, _timescaledb_internal TO PUBLIC;

CREATE FUNCTION fake.hypertable_of(relation regclass) RETURNS int LANGUAGE plpgsql STABLE AS $$
  DECLARE found int;
  BEGIN
    SELECT a.id INTO found FROM fake.continuous_agg a WHERE a.view = $1;
    IF found IS NULL THEN SELECT h.id INTO found FROM fake.hypertable h WHERE h.relation = $1; END IF;
    IF found IS NULL THEN RAISE EXCEPTION '"%" is not a hypertable or a continuous aggregate', $1 USING ERRCODE = 'TS001'; END IF;
    RETURN found;
  END $$;

CREATE FUNCTION public.create_hypertable(
  relation regclass, time_column_name name, partitioning_column name = NULL, number_partitions int = NULL,
  chunk_time_interval interval = interval '7 days', create_default_indexes bool = true, if_not_exists bool = false,
  migrate_data bool = false) RETURNS int LANGUAGE sql AS $$
    INSERT INTO fake.hypertable (relation, chunk) VALUES (relation, chunk_time_interval) RETURNING id $$;
CREATE FUNCTION public.set_chunk_time_interval(hypertable regclass, chunk_time_interval interval) RETURNS void LANGUAGE sql AS $$
    UPDATE fake.hypertable SET chunk = $2 WHERE relation = $1 $$;

CREATE FUNCTION public.time_bucket(bucket_width interval, ts timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT date_bin(bucket_width, ts, timestamptz '2000-01-03 00:00:00+00') $$;
CREATE FUNCTION public.time_bucket(
  bucket_width interval, ts timestamptz, timezone text, origin timestamptz = NULL, "offset" interval = NULL)
  RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT date_bin(bucket_width, ts AT TIME ZONE timezone,
                    coalesce(origin AT TIME ZONE timezone, timestamp '2000-01-03 00:00:00')) AT TIME ZONE timezone $$;

CREATE FUNCTION fake.earlier(state float8[], value float8, at timestamptz) RETURNS float8[] LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN state IS NULL OR extract(epoch FROM at) < state[2] THEN ARRAY[value, extract(epoch FROM at)] ELSE state END $$;
CREATE FUNCTION fake.later(state float8[], value float8, at timestamptz) RETURNS float8[] LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN state IS NULL OR extract(epoch FROM at) > state[2] THEN ARRAY[value, extract(epoch FROM at)] ELSE state END $$;
CREATE FUNCTION fake.value_of(state float8[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT state[1] $$;
CREATE AGGREGATE public.first(float8, timestamptz) (SFUNC = fake.earlier, STYPE = float8[], FINALFUNC = fake.value_of);
CREATE AGGREGATE public.last(float8, timestamptz) (SFUNC = fake.later, STYPE = float8[], FINALFUNC = fake.value_of);

CREATE FUNCTION fake.watermark(agg int) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT watermark FROM fake.continuous_agg WHERE id = agg $$;
CREATE FUNCTION fake.create_continuous(name text, query text) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE agg int := nextval('fake.hypertable_id_seq'); direct text; mat text;
  BEGIN
    direct := format('_timescaledb_internal._direct_view_%s', agg);
    mat := format('_timescaledb_internal._materialized_hypertable_%s', agg);
    EXECUTE format('CREATE VIEW %s AS %s', direct, query);
    EXECUTE format('CREATE TABLE %s AS SELECT * FROM %s WITH NO DATA', mat, direct);
    EXECUTE format('CREATE VIEW %s AS SELECT * FROM %s WHERE ts < fake.watermark(%s) UNION ALL SELECT * FROM %s WHERE ts >= fake.watermark(%s)',
                   name, mat, agg, direct, agg);
    INSERT INTO fake.hypertable (id, relation, chunk) VALUES (agg, mat::regclass, interval '70 days');
    INSERT INTO fake.continuous_agg (id, view, direct) VALUES (agg, name::regclass, direct::regclass);
  END $$;
CREATE FUNCTION fake.drop_continuous(name regclass) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE agg fake.continuous_agg;
  BEGIN
    DELETE FROM fake.continuous_agg a WHERE a.view = name RETURNING * INTO agg;
    DELETE FROM fake.job WHERE hypertable = agg.id;
    EXECUTE format('DROP VIEW %s; DROP VIEW %s; DROP TABLE _timescaledb_internal._materialized_hypertable_%s', agg.view, agg.direct, agg.id);
    DELETE FROM fake.hypertable WHERE id = agg.id;
  END $$;

CREATE FUNCTION fake.add_job(proc name, relation regclass, every interval, config jsonb) RETURNS int LANGUAGE plpgsql AS $$
  DECLARE made int;
  BEGIN
    INSERT INTO fake.job (proc, hypertable, every, config) VALUES (proc, fake.hypertable_of(relation), every, config)
      ON CONFLICT DO NOTHING RETURNING id INTO made;
    IF made IS NULL THEN RAISE EXCEPTION 'a policy already exists for "%"', relation USING ERRCODE = 'duplicate_object'; END IF;
    RETURN made;
  END $$;
CREATE FUNCTION fake.remove_job(what name, relation regclass, if_exists bool) RETURNS bool LANGUAGE plpgsql AS $$
  BEGIN
    DELETE FROM fake.job WHERE proc = what AND hypertable = fake.hypertable_of(relation);
    IF NOT FOUND AND NOT if_exists THEN RAISE EXCEPTION 'policy not found for "%"', relation USING ERRCODE = 'undefined_object'; END IF;
    RETURN FOUND;
  END $$;
CREATE FUNCTION public.add_continuous_aggregate_policy(
  continuous_aggregate regclass, start_offset interval, end_offset interval, schedule_interval interval, if_not_exists bool = false,
  initial_start timestamptz = NULL, timezone text = NULL${its.policyArguments}) RETURNS int LANGUAGE sql AS $$
    SELECT fake.add_job('policy_refresh_continuous_aggregate', continuous_aggregate, schedule_interval,
      jsonb_build_object('start_offset', start_offset, 'end_offset', end_offset, 'mat_hypertable_id', fake.hypertable_of(continuous_aggregate))
      || jsonb_strip_nulls(jsonb_build_object('refresh_newest_first', ${given('refresh_newest_first')}, 'buckets_per_batch', ${given('buckets_per_batch')}))) $$;
CREATE FUNCTION public.remove_continuous_aggregate_policy(continuous_aggregate regclass, if_not_exists bool = false, if_exists bool = NULL)
  RETURNS void LANGUAGE sql AS $$
    SELECT fake.remove_job('policy_refresh_continuous_aggregate', continuous_aggregate, coalesce(if_exists, if_not_exists)) $$;
CREATE FUNCTION public.add_compression_policy(hypertable regclass, compress_after interval, if_not_exists bool = false)
  RETURNS int LANGUAGE sql AS $$
    SELECT fake.add_job('policy_compression', hypertable, interval '12 hours', jsonb_build_object('compress_after', compress_after)) $$;
CREATE FUNCTION public.remove_compression_policy(hypertable regclass, if_exists bool = false) RETURNS bool LANGUAGE sql AS $$
    SELECT fake.remove_job('policy_compression', hypertable, if_exists) $$;
CREATE FUNCTION public.add_retention_policy(relation regclass, drop_after interval, if_not_exists bool = false)
  RETURNS int LANGUAGE sql AS $$
    SELECT fake.add_job('policy_retention', relation, interval '1 day', jsonb_build_object('drop_after', drop_after)) $$;
CREATE FUNCTION public.remove_retention_policy(relation regclass, if_exists bool = false) RETURNS void LANGUAGE sql AS $$
    SELECT fake.remove_job('policy_retention', relation, if_exists) $$;
CREATE FUNCTION public.alter_job(job_id int, schedule_interval interval = NULL, config jsonb = NULL) RETURNS jsonb LANGUAGE sql AS $$
    UPDATE fake.job j SET config = coalesce(alter_job.config, j.config), every = coalesce(alter_job.schedule_interval, j.every)
     WHERE j.id = alter_job.job_id RETURNING j.config $$;

-- One batch: the newest or the oldest buckets in the window that are not materialised yet. Says whether there are more.
CREATE FUNCTION fake.refresh_batch(agg int, low timestamptz, high timestamptz, newest bool, size int) RETURNS bool LANGUAGE plpgsql AS $$
  DECLARE its fake.continuous_agg; mat text; due timestamptz[]; batch timestamptz[];
  BEGIN
    SELECT * INTO its FROM fake.continuous_agg WHERE id = agg;
    mat := format('_timescaledb_internal._materialized_hypertable_%s', agg);
    EXECUTE format('SELECT array_agg(ts ORDER BY CASE WHEN $3 THEN -extract(epoch FROM ts) ELSE extract(epoch FROM ts) END) FROM ('
      || 'SELECT DISTINCT ts FROM %s WHERE ts >= $1 AND ts < $2 EXCEPT SELECT ts FROM %s) AS due', its.direct, mat)
      INTO due USING low, high, newest;
    IF due IS NULL THEN RETURN false; END IF;
    batch := CASE WHEN size = 0 THEN due ELSE due[1:size] END;
    EXECUTE format('INSERT INTO %s SELECT * FROM %s WHERE ts = ANY($1)', mat, its.direct) USING batch;
    -- The end of the newest bucket.
    UPDATE fake.continuous_agg a
       SET watermark = greatest(a.watermark, (SELECT max(one) FROM unnest(batch) AS one) + interval '1 microsecond')
     WHERE a.id = agg;
    RETURN cardinality(due) > cardinality(batch);
  END $$;
CREATE FUNCTION fake.run_batch(job int) RETURNS bool LANGUAGE sql AS $$
    SELECT fake.refresh_batch(hypertable, coalesce(now() - (config ->> 'start_offset')::interval, '-infinity'),
             now() - (config ->> 'end_offset')::interval, coalesce((config ->> 'refresh_newest_first')::bool, true),
             coalesce((config ->> 'buckets_per_batch')::int, ${its.bucketsPerBatch}))
      FROM fake.job WHERE id = $1 $$;
CREATE PROCEDURE public.refresh_continuous_aggregate(
  continuous_aggregate regclass, window_start timestamptz, window_end timestamptz${its.callArguments}) LANGUAGE plpgsql AS $$
  BEGIN
    -- Refused in a transaction, as by the extension.
    COMMIT;
    INSERT INTO fake.call (what) VALUES (continuous_aggregate::text);
    WHILE fake.refresh_batch(fake.hypertable_of(continuous_aggregate), coalesce(window_start, '-infinity'), coalesce(window_end, 'infinity'),
            ${its.callArguments.includes('options') ? "coalesce((options ->> 'refresh_newest_first')::bool, true)" : 'true'},
            ${its.callIsBatched ? its.bucketsPerBatch : 0}) LOOP
      COMMIT;
    END LOOP;
  END $$;
GRANT ALL ON ALL TABLES IN SCHEMA fake TO PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA timescaledb_information TO PUBLIC;
`;
}
