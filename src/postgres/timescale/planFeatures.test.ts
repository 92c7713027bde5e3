import { describe, expect, it } from 'vitest';
import { readOptions } from '../../primitives/options.js';
import type { Policy, StoreCatalogue } from './catalogue.js';
import { type Days, daysIn, UTC_DAYS } from './days.js';
import { CREATE_EXTENSION, isOlder } from './extension.js';
import type { FeatureStep } from './featureStep.js';
import { planFeatures } from './planFeatures.js';
import { barsChunkMs, TIMESCALE_OPTIONS, type TimescaleConfig, timescaleSettings } from './settings.js';

const settingsOf = (config: TimescaleConfig, days?: Days) =>
  timescaleSettings(readOptions('migrate: timescale', config, TIMESCALE_OPTIONS), days);

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const PLAIN: StoreCatalogue = {
  database: 'market',
  hasPublic: true,
  available: undefined,
  preloaded: false,
  installed: undefined,
  license: undefined,
  hypertables: new Map(),
  policies: [],
  rollups: new Map(),
  days: undefined,
  oldestBars: undefined,
  refreshOrder: { ofPolicy: false, ofCall: false },
  limitsDecompression: false,
};

const INSTALLED: StoreCatalogue = {
  ...PLAIN,
  available: '2.23.0',
  preloaded: true,
  installed: { version: '2.22.1', schema: 'ext "x"' },
  license: 'timescale',
  refreshOrder: { ofPolicy: true, ofCall: true },
  limitsDecompression: true,
};

const policy = (proc: string, of: string, ages: Partial<Policy> = {}): Policy => ({
  job: 1,
  proc,
  of,
  hasOrder: true,
  dropAfterMs: undefined,
  compressAfterMs: undefined,
  startOffsetMs: undefined,
  ...ages,
});
const refreshes = (startOffsetMs?: number) =>
  ['bars_5m', 'bars_1h', 'bars_1d'].map((of) => policy('policy_refresh_continuous_aggregate', of, { startOffsetMs }));
const compressions = ['bars', 'options_snap', 'trades', 'quotes'].map((of) =>
  policy('policy_compression', of, { compressAfterMs: 7 * DAY_MS }),
);
const all = <K>(kind: K) => new Map(['bars_5m', 'bars_1h', 'bars_1d'].map((name) => [name, kind]));

/** A store that lacks nothing. */
const COMPLETE: StoreCatalogue = {
  ...INSTALLED,
  limitsDecompression: false,
  hypertables: new Map([
    ['bars', { chunkMs: 7 * DAY_MS, compresses: true }],
    ['options_snap', { chunkMs: DAY_MS, compresses: true }],
    ['trades', { chunkMs: DAY_MS, compresses: true }],
    ['quotes', { chunkMs: DAY_MS, compresses: true }],
  ]),
  policies: [...compressions, ...refreshes()],
  rollups: all('continuous' as const),
  days: UTC_DAYS,
};

const plan = (catalogue: StoreCatalogue, config: TimescaleConfig = {}, refused: string[] = [], days?: Days) =>
  planFeatures(catalogue, settingsOf(config, days), 'the "store"', new Set(refused));
const namesOf = (catalogue: StoreCatalogue, config?: TimescaleConfig, refused?: string[]) =>
  plan(catalogue, config, refused).steps.map(({ name }) => name);
const sqlOf = (catalogue: StoreCatalogue, name: string, config?: TimescaleConfig) =>
  plan(catalogue, config).steps.find((step) => step.name === name)?.statements;

const HYPERTABLES = ['bars', 'options_snap', 'trades', 'quotes'].map((table) => `${table} hypertable`);
const VIEWS = ['bars_5m view', 'bars_1h view', 'bars_1d view'];

describe('planFeatures', () => {
  it('makes views on plain Postgres, and nothing once they are there', () => {
    expect(plan(PLAIN)).toMatchObject({ timescale: undefined, notes: [] });
    expect(namesOf(PLAIN)).toEqual(VIEWS);
    expect(namesOf({ ...PLAIN, rollups: all('view' as const) })).toEqual([]);
    const [view, comment] = sqlOf(PLAIN, 'bars_1h view')!;
    expect(view).toContain('CREATE VIEW "the ""store"""."bars_1h" AS');
    expect(view).toContain(`date_bin(interval '1 hour', ts, timestamptz '2000-01-03 00:00:00+00')`);
    expect(comment).toContain(`COMMENT ON VIEW "the ""store"""."bars_1h" IS 'sluice rollup`);
  });

  it('does everything that is missing, in an order that holds, and nothing in a store that lacks nothing', () => {
    expect(namesOf(INSTALLED)).toEqual([
      'bars hypertable',
      'options_snap hypertable',
      'trades hypertable',
      'quotes hypertable',
      'bars compression',
      'bars compression policy',
      'options_snap compression',
      'options_snap compression policy',
      'trades compression',
      'trades compression policy',
      'quotes compression',
      'quotes compression policy',
      'decompression limit',
      'bars_5m aggregate',
      'bars_5m refresh',
      'bars_1h aggregate',
      'bars_1h refresh',
      'bars_1d aggregate',
      'bars_1d refresh',
    ]);
    expect(plan(COMPLETE)).toEqual({ steps: [], notes: [], timescale: '2.22.1' });
  });

  it('quotes names, and finds the functions of the extension where it lies', () => {
    expect(sqlOf(INSTALLED, 'bars hypertable')).toEqual([
      `SELECT "ext ""x""".create_hypertable('"the ""store"""."bars"'::regclass, 'ts', ` +
        `chunk_time_interval => interval '604800000 milliseconds', migrate_data => true, create_default_indexes => false)`,
    ]);
    expect(sqlOf(INSTALLED, 'options_snap compression')).toEqual([
      `ALTER TABLE "the ""store"""."options_snap" SET (timescaledb.compress, timescaledb.compress_segmentby = 'vendor, symbol', ` +
        `timescaledb.compress_orderby = 'expiry, option_type, strike, ts')`,
    ]);
    expect(sqlOf(INSTALLED, 'decompression limit')).toEqual([
      'ALTER DATABASE "market" SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0',
    ]);
    const [aggregate] = sqlOf(INSTALLED, 'bars_1d aggregate')!;
    expect(aggregate).toContain('FROM "the ""store"""."bars_1h"');
    expect(aggregate).toContain(`"ext ""x""".time_bucket(interval '1 day', ts)`);
  });

  it('puts aggregates in the place of views', () => {
    const statements = sqlOf({ ...INSTALLED, rollups: all('view' as const) }, 'bars_5m aggregate')!;
    expect(statements[0]).toBe('DROP VIEW "the ""store"""."bars_5m"');
    expect(statements[1]).toContain('CREATE MATERIALIZED VIEW "the ""store"""."bars_5m"');
  });

  it('creates the extension where it can be had and is loaded', () => {
    const available = { ...PLAIN, available: '2.23.0', preloaded: true };
    expect(namesOf(available)[0]).toBe(CREATE_EXTENSION);
    expect(namesOf(available)).toContain('bars hypertable');
    expect(sqlOf(available, CREATE_EXTENSION)).toEqual(['CREATE EXTENSION IF NOT EXISTS timescaledb SCHEMA "public"']);
    expect(sqlOf({ ...available, hasPublic: false }, CREATE_EXTENSION)?.[0]).toContain('SCHEMA "the ""store"""');
    // Without the right to it, views.
    expect(namesOf(available, {}, [CREATE_EXTENSION])).toEqual(VIEWS);
    expect(plan(available).steps[0]?.withoutIt).toContain(
      'let a superuser run CREATE EXTENSION timescaledb in the database "market"',
    );
  });

  it('does not create it where the library is not loaded, which would end the connection, and says what to do', () => {
    const { steps, notes } = plan({ ...PLAIN, available: '2.23.0' });
    expect(steps.map(({ name }) => name)).toEqual(VIEWS);
    expect(notes).toEqual([expect.stringContaining('add timescaledb to shared_preload_libraries')]);
  });

  it('leaves a version alone that cannot upsert into compressed chunks', () => {
    const old = { ...INSTALLED, installed: { version: '2.10.3', schema: 'public' } };
    expect(namesOf(old)).toEqual(VIEWS);
    expect(plan(old).notes).toEqual([expect.stringContaining('TimescaleDB 2.10.3 is not used')]);
    const hypertables = new Map([['bars', { chunkMs: DAY_MS, compresses: false }]]);
    expect(namesOf({ ...old, hypertables })).toEqual(VIEWS);
    const compressed = new Map([['bars', { chunkMs: DAY_MS, compresses: true }]]);
    expect(() => plan({ ...old, hypertables: compressed })).toThrow(
      expect.objectContaining({
        code: 'SLUICE_MIGRATION_TIMESCALE',
        message: expect.stringContaining('ALTER EXTENSION timescaledb UPDATE'),
      }),
    );
  });

  it('makes hypertables and views under the Apache licence, and says what is lacking', () => {
    const { steps, notes } = plan({ ...INSTALLED, license: 'apache' }, { retainBarsMs: 30 * DAY_MS });
    expect(steps.map(({ name }) => name)).toEqual([...HYPERTABLES, ...VIEWS]);
    expect(notes).toEqual([
      expect.stringContaining('under its apache licence'),
      expect.stringContaining('retention was asked for and is not set up'),
    ]);
  });

  it('refuses a relation of the same name that is not its own', () => {
    const rollups = new Map([['bars_1d', 'foreign' as const]]);
    expect(() => plan({ ...PLAIN, rollups })).toThrow(
      expect.objectContaining({ code: 'SLUICE_MIGRATION_TABLE', message: expect.stringContaining('rename it') }),
    );
  });

  it('never lets an aggregate be refreshed from where bars have been dropped', () => {
    const dropping = {
      ...COMPLETE,
      policies: [...COMPLETE.policies, policy('policy_retention', 'bars', { dropAfterMs: 30 * DAY_MS })],
    };
    // Set up by hand: the refreshes reach further back than what is kept.
    expect(namesOf(dropping)).toEqual(['bars_5m refresh', 'bars_1h refresh', 'bars_1d refresh']);
    expect(sqlOf(dropping, 'bars_5m refresh')?.[1]).toContain(`start_offset => interval '${30 * DAY_MS} milliseconds'`);
    // Refreshes come first: at no moment is something dropped that one still looks at.
    expect(namesOf(COMPLETE, { retainBarsMs: 30 * DAY_MS })).toEqual([
      'bars_5m refresh',
      'bars_1h refresh',
      'bars_1d refresh',
      'bars retention',
    ]);
    const kept = {
      ...dropping,
      policies: [...dropping.policies.filter(({ proc }) => !proc.includes('refresh')), ...refreshes(30 * DAY_MS)],
    };
    expect(namesOf(kept)).toEqual([]);
    expect(namesOf(kept, { retainBarsMs: false })).toEqual([
      'bars_5m refresh',
      'bars_1h refresh',
      'bars_1d refresh',
      'bars retention',
    ]);
  });

  it('changes what is asked for, and leaves alone what is not', () => {
    const byHand: StoreCatalogue = {
      ...COMPLETE,
      hypertables: new Map([
        ['bars', { chunkMs: 3 * DAY_MS, compresses: true }],
        ['options_snap', { chunkMs: 2 * DAY_MS, compresses: true }],
        ['trades', { chunkMs: 3 * DAY_MS, compresses: true }],
        ['quotes', { chunkMs: 4 * DAY_MS, compresses: true }],
      ]),
      policies: [
        ...compressions.map((one) => ({ ...one, compressAfterMs: 99 * DAY_MS })),
        ...refreshes(5 * DAY_MS),
        policy('policy_retention', 'options_snap', { dropAfterMs: 400 * DAY_MS }),
      ],
    };
    expect(namesOf(byHand)).toEqual([]);
    expect(namesOf(byHand, { timeframe: '5m', optionsChunkMs: 2 * DAY_MS, compressAfterMs: 8 * DAY_MS })).toEqual([
      'bars chunks',
      'bars compression policy',
      'options_snap compression policy',
      'trades compression policy',
      'quotes compression policy',
    ]);
    expect(namesOf(byHand, { tradesChunkMs: HOUR_MS, quotesChunkMs: 4 * DAY_MS })).toEqual(['trades chunks']);
    expect(namesOf(byHand, { retainTradesMs: DAY_MS, retainQuotesMs: false })).toEqual(['trades retention']);
    expect(namesOf(byHand, { retainOptionsMs: 400 * DAY_MS })).toEqual([]);
    expect(sqlOf(byHand, 'options_snap retention', { retainOptionsMs: false })).toHaveLength(1);
    expect(namesOf(INSTALLED, { compressAfterMs: false })).not.toContain('bars compression');
    expect(namesOf(INSTALLED, { compressAfterMs: false })).not.toContain('decompression limit');
  });

  it('changes nothing of a store for an option that is given its default, which is as if it were not given', () => {
    const byHand: StoreCatalogue = {
      ...COMPLETE,
      hypertables: new Map([
        ['bars', { chunkMs: 3 * DAY_MS, compresses: true }],
        ['options_snap', { chunkMs: 2 * DAY_MS, compresses: true }],
        ['trades', { chunkMs: 3 * DAY_MS, compresses: true }],
        ['quotes', { chunkMs: 4 * DAY_MS, compresses: true }],
      ]),
      policies: [...compressions.map((one) => ({ ...one, compressAfterMs: 99 * DAY_MS })), ...refreshes()],
    };
    for (const config of [{ timeframe: '1m' }, { optionsChunkMs: DAY_MS }, { compressAfterMs: 7 * DAY_MS }]) {
      expect(plan(byHand, config)).toEqual(plan(byHand));
      expect(plan(INSTALLED, config)).toEqual(plan(INSTALLED));
      expect(plan(PLAIN, config)).toEqual(plan(PLAIN));
    }
  });

  describe('an aggregate lacks nothing of a history while it is refreshed', () => {
    const refreshOf = (catalogue: StoreCatalogue, config?: TimescaleConfig) =>
      plan(catalogue, config).steps.find(({ name }) => name === 'bars_1d refresh');

    it('because a version that goes bucket by bucket begins with the oldest', () => {
      expect(refreshOf(INSTALLED)?.statements.at(-1)).toMatch(/, refresh_newest_first => false\)$/);
      const older = { ...INSTALLED, refreshOrder: { ofPolicy: false, ofCall: false } };
      expect(refreshOf(older)?.statements.at(-1)).toMatch(/, schedule_interval => interval '3600000 milliseconds'\)$/);
    });

    it('also where the policy is from before, and all else that someone has set is kept', () => {
      const before = { ...COMPLETE, policies: COMPLETE.policies.map((one) => ({ ...one, hasOrder: false })) };
      expect(namesOf(before)).toEqual(['bars_5m refresh order', 'bars_1h refresh order', 'bars_1d refresh order']);
      expect(sqlOf(before, 'bars_1d refresh order')).toEqual([
        `SELECT "ext ""x""".alter_job(1, config => (SELECT config || '{"refresh_newest_first": false}' ` +
          'FROM timescaledb_information.jobs WHERE job_id = 1))',
      ]);
      expect(namesOf({ ...before, refreshOrder: { ofPolicy: false, ofCall: false } })).toEqual([]);
    });

    it('and none of what its policy does not look at, as it is refreshed from the oldest bars before that is set up', () => {
      const ageMs = 400 * DAY_MS;
      const old = { ...INSTALLED, oldestBars: { ms: Date.UTC(2020, 0, 2), ageMs } };
      expect(refreshOf(old)?.before).toBeUndefined();
      const retained = { retainBarsMs: 30 * DAY_MS };
      expect(refreshOf(old, retained)?.before).toEqual([
        `CALL "ext ""x""".refresh_continuous_aggregate('"the ""store"""."bars_1d"'::regclass, ` +
          `timestamptz '2020-01-02T00:00:00.000Z', now() - interval '86400000 milliseconds', ` +
          `options => '{"refresh_newest_first": false}')`,
      ]);
      const atOnce = { ...old, refreshOrder: { ofPolicy: true, ofCall: false } };
      expect(refreshOf(atOnce, retained)?.before?.[0]).not.toContain('options');
      const young = { ...old, oldestBars: { ms: Date.UTC(2026, 0, 2), ageMs: 29 * DAY_MS } };
      expect(refreshOf(young, retained)?.before).toBeUndefined();
      expect(refreshOf({ ...COMPLETE, oldestBars: old.oldestBars }, retained)?.before).toHaveLength(1);
    });
  });

  describe('days of a zone', () => {
    const NEW_YORK: Days = { timeZone: 'America/New_York', startsAt: '17:00' };
    const dailyOf = (catalogue: StoreCatalogue, days?: Days, config?: TimescaleConfig) =>
      plan(catalogue, config, [], days).steps.filter(({ name }) => name.startsWith('bars_1d'));
    const views = { ...PLAIN, rollups: all('view' as const) };

    it('are in the view and in its comment, by which they stay what they are', () => {
      const [{ statements, what }] = dailyOf(PLAIN, NEW_YORK) as [FeatureStep];
      expect(what).toBe('make bars_1d a view of the bars of 1m, with days of America/New_York from 17:00');
      expect(statements[0]).toContain(
        `(date_trunc('day', (ts AT TIME ZONE 'America/New_York') - interval '17:00') + interval '17:00') ` +
          `AT TIME ZONE 'America/New_York' AS ts`,
      );
      expect(daysIn(statements.at(-1)!)).toEqual(NEW_YORK);
      expect(dailyOf({ ...views, days: NEW_YORK })).toEqual([]);
      expect(dailyOf({ ...views, days: NEW_YORK }, NEW_YORK)).toEqual([]);
      // What replaces the view has the days of the view.
      const replaced = { ...INSTALLED, rollups: views.rollups, days: NEW_YORK };
      expect(dailyOf(replaced)[0]?.statements[1]).toContain(
        `"ext ""x""".time_bucket(interval '1 day', ts, 'America/New_York', timestamptz '2000-01-03T22:00:00.000Z')`,
      );
    });

    it('have the view made anew where others were asked for', () => {
      expect(dailyOf({ ...views, days: UTC_DAYS }, NEW_YORK)[0]?.statements[0]).toMatch(/^DROP VIEW/);
      expect(dailyOf({ ...views, days: NEW_YORK }, UTC_DAYS)[0]?.statements[1]).toContain('date_bin');
      expect(plan({ ...views, days: UTC_DAYS }, {}, [], NEW_YORK).steps).toHaveLength(1);
    });

    it('have the aggregate made anew of the bars themselves, and its policy with it', () => {
      const [aggregate, refresh] = dailyOf(COMPLETE, NEW_YORK);
      expect(aggregate?.statements[0]).toBe('DROP MATERIALIZED VIEW "the ""store"""."bars_1d"');
      expect(aggregate?.statements[1]).toContain(`FROM "the ""store"""."bars"\n   WHERE timeframe = '1m'`);
      expect(refresh?.statements).toEqual([expect.stringContaining('add_continuous_aggregate_policy')]);
      expect(dailyOf(COMPLETE, UTC_DAYS)).toEqual([]);
    });

    it('need no origin where they begin at midnight', () => {
      const [aggregate] = dailyOf(INSTALLED, { timeZone: 'Asia/Kolkata', startsAt: '00:00' });
      expect(aggregate?.statements[0]).toContain(`time_bucket(interval '1 day', ts, 'Asia/Kolkata') AS ts`);
    });

    it('are refused where the aggregate would lose what was made of dropped bars', () => {
      const dropping = policy('policy_retention', 'bars', { dropAfterMs: 30 * DAY_MS });
      const retaining = { ...COMPLETE, policies: [...compressions, ...refreshes(30 * DAY_MS), dropping] };
      expect(() => dailyOf(retaining, NEW_YORK)).toThrow(
        expect.objectContaining({
          code: 'SLUICE_MIGRATION_TIMESCALE',
          message: expect.stringContaining('DROP MATERIALIZED VIEW "the ""store"""."bars_1d", and migrate again'),
        }),
      );
      expect(dailyOf(retaining, UTC_DAYS)).toEqual([]);
    });
  });
});

describe('the settings of TimescaleDB', () => {
  it.each([
    ['1s', 1],
    ['1m', 7],
    ['5m', 35],
    ['1h', 365],
    ['1d', 365],
  ])('gives a chunk of bars of %s %d days', (timeframe, days) => {
    expect(barsChunkMs(timeframe)).toBe(days * DAY_MS);
  });

  it.each([
    [{ timeframe: '1M' }, 'timeframe must be a number with one of'],
    [
      { optionsChunkMs: 60_000 },
      'timescale: optionsChunkMs must be a finite number of milliseconds of at least 3600000',
    ],
    [{ optionsChunkMs: false }, 'timescale: optionsChunkMs must be a finite number'],
    [{ compressAfterMs: 5 }, 'timescale: compressAfterMs must be a finite number'],
    [{ retainBarsMs: DAY_MS }, 'timescale: retainBarsMs must be a finite number of milliseconds of at least 604800000'],
    [{ retainOptionsMs: 0 }, 'timescale: retainOptionsMs must be'],
    [{ retain: 5 }, 'unknown option "retain"'],
  ])('refuses %j', (config, message) => {
    expect(() => settingsOf(config as TimescaleConfig)).toThrow(RangeError);
    expect(() => settingsOf(config as TimescaleConfig)).toThrow(message);
  });
});

describe('isOlder', () => {
  it.each([
    ['2.9.3', '2.11', true],
    ['2.11.0', '2.11', false],
    ['2.23.0-dev', '2.11', false],
    ['1.99', '2.0', true],
    ['3.0', '2.11', false],
  ])('%s than %s: %s', (version, than, older) => {
    expect(isOlder(version, than)).toBe(older);
  });
});
