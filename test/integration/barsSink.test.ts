import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { from } from 'rxjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../src/postgres/openStore.js';
import { barsTable } from '../../src/postgres/recordTables.js';
import type { TableSinkConfig } from '../../src/postgres/tableSink.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { bar, barsOf, storedBars, write } from './bars.js';

type Strategies = readonly NonNullable<TableSinkConfig['strategy']>[];

interface Place {
  readonly pool: () => pg.Pool;
  readonly strategies: Strategies;
}

/** A statement that makes the table with other types than the sink would. */
function tableWith(types: Record<string, string>, rest = ', PRIMARY KEY (vendor, symbol, timeframe, ts)'): string {
  const columns = barsTable.columns.map(({ name, type }) => `${name} ${types[name] ?? type}`);
  return `CREATE TABLE bars (${columns.join(', ')}${rest})`;
}

function semantics({ pool: poolOf, strategies }: Place): void {
  describe.each(strategies)('strategy %s', (strategy) => {
    let pool: pg.Pool;
    beforeEach(async () => {
      pool = poolOf();
      await pool.query('DROP TABLE IF EXISTS bars');
    });
    const sinkOf = (config: TableSinkConfig = {}) => barsSink(pool, { strategy, ...config });

    it('writes rows as they are, and says how many', async () => {
      const bars = barsOf(120);
      expect(await write(sinkOf(), bars)).toEqual({ rows: 120 });
      const rows = await storedBars(pool);
      expect(rows.map(({ close }) => close)).toEqual(bars.map(({ close }) => close));
      expect(rows[0]).toEqual({
        vendor: 'test',
        symbol: 'ACME',
        timeframe: '1m',
        micros: String(Date.UTC(2024, 0, 2) * 1000),
        open: 1,
        high: 2,
        low: 0.5,
        close: 0,
        volume: 100,
        seq: '1',
      });
    });

    it('rewrites nothing when the same rows come again', async () => {
      const sink = sinkOf();
      const bars = barsOf(60);
      await write(sink, bars);
      const places = await pool.query('SELECT ctid, xmin FROM bars ORDER BY ts');
      expect(await write(sink, bars)).toEqual({ rows: 0 });
      expect((await pool.query('SELECT ctid, xmin FROM bars ORDER BY ts')).rows).toEqual(places.rows);
    });

    it('lets a newer version overwrite, and an older one not', async () => {
      const sink = sinkOf();
      await write(sink, barsOf(60, { seq: 5, open: 5 }));
      expect(await write(sink, barsOf(60, { seq: 4, open: 4 }))).toEqual({ rows: 0 });
      expect(await write(sink, barsOf(60, { seq: 6, open: 6 }))).toEqual({ rows: 60 });
      const rows = await storedBars(pool);
      expect(new Set(rows.map(({ open, seq }) => `${open}/${seq}`))).toEqual(new Set(['6/6']));
    });

    it('advances the version where a newer one has the same values', async () => {
      const sink = sinkOf();
      await write(sink, [bar({ seq: 1, close: 7 })]);
      await write(sink, [bar({ seq: 3, close: 7 })]);
      // Late, older than the second, and different: it must not win.
      await write(sink, [bar({ seq: 2, close: 8 })]);
      expect((await storedBars(pool)).map(({ close, seq }) => [close, seq])).toEqual([[7, '3']]);
    });

    it('reduces the rows of one key in a batch to the highest version, the earlier of equal ones', async () => {
      const sink = sinkOf();
      const others = barsOf(60, { symbol: 'OTHER' });
      const batch = [
        bar({ seq: 2, close: 2 }),
        ...others,
        bar({ seq: 9, close: 9 }),
        bar({ seq: 3, close: 3 }),
        bar({ seq: 9, close: 99 }),
        // Within the microsecond that the table knows, it is the same bar.
        bar({ seq: 10, close: 10, ts: Date.UTC(2024, 0, 2, 14, 30) + 0.0002 }),
        bar({ seq: 4, close: 4, ts: Date.UTC(2024, 0, 2, 14, 30) + 0.001 }),
      ];
      expect(await write(sink, batch)).toEqual({ rows: 62 });
      const acme = (await storedBars(pool)).filter(({ symbol }) => symbol === 'ACME');
      expect(acme.map(({ close, seq }) => [close, seq])).toEqual([
        [10, '10'],
        [4, '4'],
      ]);
    });

    it('keeps the earlier of equal versions, in one batch as across batches', async () => {
      const sink = sinkOf();
      const others = barsOf(60, { symbol: 'OTHER' });
      await write(sink, [bar({ seq: 5, close: 1 }), ...others, bar({ seq: 5, close: 2 })]);
      await write(sink, [bar({ seq: 5, close: 3 }), ...others]);
      const acme = (await storedBars(pool)).filter(({ symbol }) => symbol === 'ACME');
      expect(acme.map(({ close }) => close)).toEqual([1]);
    });

    it('stores hostile strings as they are', async () => {
      const symbols = [
        `'; DROP TABLE bars; --`,
        `"quoted", {braces}, \\backslash\\, NULL`,
        'line\nbreak\ttab\r',
        '😀 naïve 東京 \u200b',
        '',
        ' ',
        'NULL',
        '\\N',
        'long '.repeat(400),
      ];
      await write(
        sinkOf(),
        symbols.map((symbol) => bar({ symbol })),
      );
      const rows = await storedBars(pool);
      expect(rows.map(({ symbol }) => symbol).sort()).toEqual([...symbols].sort());
    });

    it.each([
      ['NUL in a text', { symbol: 'A\0B' }, '22021'],
      ['half a character', { symbol: 'A\ud800' }, '22021'],
      ['no time', { ts: Number.NaN }, '22008'],
      ['a fraction of a version', { seq: 1.5 }, '22003'],
    ])('refuses %s, as poison, and the next write works', async (_what, fields, sqlState) => {
      const sink = sinkOf();
      const batch = [...barsOf(60), bar(fields)];
      await expect(write(sink, batch)).rejects.toMatchObject({
        name: 'StoreError',
        code: 'SLUICE_STORE_VALUE',
        sqlState,
      });
      expect(await write(sink, barsOf(60))).toEqual({ rows: 60 });
      expect(await storedBars(pool)).toHaveLength(60);
    });

    it('keeps prices to the bit', async () => {
      const prices = [0, -0, Number.NaN, Infinity, -Infinity, 1e308, 5e-324, 0.1 + 0.2, Number.MAX_SAFE_INTEGER];
      await write(
        sinkOf(),
        prices.map((price, i) => bar({ ts: i * 60_000, open: price, volume: -price })),
      );
      const rows = await storedBars(pool);
      expect(rows.map(({ open }) => open)).toEqual(prices);
      expect(rows.map(({ volume }) => volume)).toEqual(prices.map((price) => -price));
    });

    it('keeps microseconds, before 1970 and after, and versions up to the largest safe integer', async () => {
      const micros = [
        1_704_205_800_123_456,
        1_704_205_800_123_457,
        -1,
        -62_135_596_800_000_000 / 10,
        946_684_799_999_999,
      ];
      await write(
        sinkOf(),
        micros.map((us, i) =>
          bar({ ts: us / 1000, symbol: `S${i}`, seq: i % 2 ? -1 - i : Number.MAX_SAFE_INTEGER - i }),
        ),
      );
      const rows = await storedBars(pool);
      expect(rows.map((row) => row.micros)).toEqual(micros.map(String));
      expect(rows.map(({ seq }) => Number(seq))).toEqual(
        micros.map((_, i) => (i % 2 ? -1 - i : Number.MAX_SAFE_INTEGER - i)),
      );
    });

    it('numbers bars without a version by the time of receipt, strictly increasing', async () => {
      let now = 1_700_000_000_000;
      const sink = sinkOf({ now: () => now });
      const unnumbered = (symbol: string) => {
        const { seq: _, ...rest } = bar({ symbol });
        return rest;
      };
      await write(sink, ['A', 'B'].map(unnumbered));
      now -= 1000;
      await write(sink, ['C', 'D'].map(unnumbered));
      now += 2000;
      await write(sink, ['E'].map(unnumbered));
      expect((await storedBars(pool)).map(({ seq }) => Number(seq))).toEqual([
        1_700_000_000_000_000, 1_700_000_000_000_001, 1_700_000_000_000_002, 1_700_000_000_000_003,
        1_700_000_001_000_000,
      ]);
    });

    it('gives a batch that is written again the numbers it had', async () => {
      let now = 1_700_000_000_000;
      const sink = sinkOf({ now: () => now });
      const { seq: _, ...unnumbered } = bar();
      const batch = [unnumbered];
      expect(await write(sink, batch)).toEqual({ rows: 1 });
      now += 1000;
      expect(await write(sink, batch)).toEqual({ rows: 0 });
    });

    it('writes nothing before it is subscribed, and again at each subscription', async () => {
      const sink = sinkOf();
      const writing = sink.write([bar()]);
      expect((await pool.query("SELECT to_regclass('bars') AS t")).rows).toEqual([{ t: null }]);
      expect(await write({ ...sink, write: () => writing }, [bar()])).toEqual({ rows: 1 });
      expect(await write({ ...sink, write: () => writing }, [bar()])).toEqual({ rows: 0 });
    });

    it('names a missing table, and goes on once it is there', async () => {
      const sink = sinkOf({ createTable: false });
      await expect(write(sink, barsOf(60))).rejects.toMatchObject({
        code: 'SLUICE_STORE_TABLE',
        sqlState: '42P01',
        message: expect.stringContaining('createTable'),
      });
      await write(sinkOf(), [bar()]);
      expect(await write(sink, barsOf(60))).toEqual({ rows: 60 });
    });

    it('quotes the names of table and schema', async () => {
      const names = { schema: `Mine "and" 'yours'`, table: 'Bars; DROP TABLE bars' };
      const sink = sinkOf(names);
      await write(sink, barsOf(60));
      await write(sink, barsOf(60, { seq: 2 }));
      const { rows } = await pool.query(
        'SELECT count(*)::int AS count FROM "Mine ""and"" \'yours\'"."Bars; DROP TABLE bars" WHERE seq = 2',
      );
      expect(rows).toEqual([{ count: 60 }]);
      await pool.query(`DROP SCHEMA "Mine ""and"" 'yours'" CASCADE`);
    });

    it('leaves a table of another shape alone and names it', async () => {
      await pool.query('CREATE TABLE bars (symbol text PRIMARY KEY)');
      await expect(write(sinkOf(), [bar()])).rejects.toMatchObject({
        code: 'SLUICE_STORE_TABLE',
        sqlState: '42703',
        message: expect.stringContaining('lacks columns: add "vendor" text, "timeframe" text, "ts" timestamptz'),
      });
    });

    it.each([
      ['volume', 'bigint', 'float8'],
      ['volume', 'numeric', 'float8'],
      ['close', 'real', 'float8'],
      ['ts', 'bigint', 'timestamptz'],
      ['ts', 'timestamp without time zone', 'timestamptz'],
      ['ts', 'timestamp(3) with time zone', 'timestamptz'],
      ['seq', 'double precision', 'int8'],
      ['seq', 'integer', 'int8'],
      ['symbol', 'character(8)', 'text'],
    ])('refuses a table whose %s is %s, rather than write wrong values', async (column, found, needed) => {
      await pool.query(tableWith({ [column]: found }));
      await expect(write(sinkOf(), barsOf(60))).rejects.toMatchObject({
        code: 'SLUICE_STORE_TABLE',
        sqlState: '42804',
        message: expect.stringContaining(`column "${column}" of the table "bars" is ${found} and must be ${needed}`),
      });
      expect((await pool.query('SELECT FROM bars')).rowCount).toBe(0);
    });

    it('takes texts of other names, and further columns that have a default', async () => {
      await pool.query('DROP DOMAIN IF EXISTS ticker; CREATE DOMAIN ticker AS text');
      await pool.query(
        tableWith(
          { symbol: 'ticker', vendor: 'varchar(20)' },
          ', added timestamptz DEFAULT now(), PRIMARY KEY (ts, vendor, symbol, timeframe)',
        ),
      );
      const sink = sinkOf();
      for (const count of [60, 1200]) await write(sink, barsOf(count, { seq: count, symbol: 'ACMÉ' }));
      expect(await write(sink, barsOf(1200, { seq: 1300, symbol: 'ACMÉ' }))).toEqual({ rows: 1200 });
      const rows = await storedBars(pool);
      expect(rows.map(({ vendor, symbol, close }) => [vendor, symbol, close])).toEqual(
        barsOf(1200).map(({ close }) => ['test', 'ACMÉ', close]),
      );
      await pool.query('DROP TABLE bars; DROP DOMAIN ticker');
    });

    it.each([
      ['no index', ''],
      ['one that is not unique', 'CREATE INDEX ON bars (vendor, symbol, timeframe, ts)'],
      ['one on a part of the rows', 'CREATE UNIQUE INDEX ON bars (vendor, symbol, timeframe, ts) WHERE close > 0'],
      ['one on more than the key', 'CREATE UNIQUE INDEX ON bars (vendor, symbol, timeframe, ts, seq)'],
      ['one on less than the key', 'CREATE UNIQUE INDEX ON bars (symbol, timeframe, ts)'],
      ['one on an expression', 'CREATE UNIQUE INDEX ON bars (vendor, lower(symbol), timeframe, ts)'],
      ['one that is checked late', 'ALTER TABLE bars ADD UNIQUE (vendor, symbol, timeframe, ts) DEFERRABLE'],
    ])('refuses a table with %s for the key, rather than double rows', async (_what, statement) => {
      await pool.query(tableWith({}, ''));
      if (statement) await pool.query(statement);
      const sink = sinkOf();
      await expect(write(sink, barsOf(60))).rejects.toMatchObject({
        code: 'SLUICE_STORE_TABLE',
        sqlState: '42P10',
        message: expect.stringContaining('CREATE UNIQUE INDEX ON "bars" ("vendor", "symbol", "timeframe", "ts")'),
      });
      await pool.query('ALTER TABLE bars DROP CONSTRAINT IF EXISTS bars_vendor_symbol_timeframe_ts_key');
      await pool.query('CREATE UNIQUE INDEX ON "bars" ("vendor", "symbol", "timeframe", "ts") INCLUDE (seq)');
      await write(sink, barsOf(60));
      expect(await write(sink, barsOf(60))).toEqual({ rows: 0 });
    });

    it('makes the table anew when it is dropped meanwhile, with the write after the one that fails', async () => {
      const sink = sinkOf();
      await write(sink, barsOf(60));
      await pool.query('DROP TABLE bars');
      await expect(write(sink, barsOf(60))).rejects.toMatchObject({ code: 'SLUICE_STORE_TABLE', sqlState: '42P01' });
      expect(await write(sink, barsOf(60))).toEqual({ rows: 60 });
    });

    it('takes what is no bar for a fault of the batch, and the next write works', async () => {
      const sink = sinkOf();
      const batch = [...barsOf(60), null as never];
      await expect(write(sink, batch)).rejects.toMatchObject({ name: 'StoreError', code: 'SLUICE_STORE_VALUE' });
      expect(await write(sink, barsOf(60))).toEqual({ rows: 60 });
    });
  });
}

describe('on a Postgres server', () => {
  const database = freshDatabase();
  let pool: pg.Pool;
  beforeAll(() => {
    pool = database.pool({ max: 8 });
  });

  semantics({ pool: () => pool, strategies: ['auto', 'unnest', 'copyUpsert', 'copy'] });

  beforeEach(async () => {
    await pool.query('DROP TABLE IF EXISTS bars');
  });

  it.each(['auto', 'unnest', 'copyUpsert', 'copy'] as const)(
    'does not let "two writers put an older bar over a newer" come back: four lanes at once (%s)',
    async (strategy) => {
      const sink = barsSink(pool, { strategy });
      const versions = Array.from({ length: 40 }, (_, i) => i + 1);
      // Each lane writes all keys, in another order of versions and of keys: they meet everywhere.
      await Promise.all(
        [7, 11, 13, 17].map(async (step, lane) => {
          for (let i = 0; i < versions.length; i++) {
            const seq = versions[(i * step + lane) % versions.length]!;
            const bars = barsOf(200, { seq, open: seq });
            await write(sink, lane % 2 ? bars.reverse() : bars);
          }
        }),
      );
      const rows = await storedBars(pool);
      expect(rows).toHaveLength(200);
      expect(new Set(rows.map(({ open, seq }) => `${open}/${seq}`))).toEqual(new Set(['40/40']));
    },
  );

  it('does not let "one duplicate key aborts a whole COPY batch" come back: that batch is upserted', async () => {
    const sink = barsSink(pool, { strategy: 'copy' });
    const bars = barsOf(500);
    await write(sink, [bars[321]!]);
    expect(await write(sink, bars)).toEqual({ rows: 499 });
    expect(await storedBars(pool)).toHaveLength(500);
  });

  it('creates the table once when several sinks come at once, each on several connections', async () => {
    const pools = [database.pool({ max: 4 }), database.pool({ max: 4 }), database.pool({ max: 4 })];
    const schema = 'created_at_once';
    const sinks = pools.map((each) => barsSink(each, { schema }));
    const writes = sinks.flatMap((sink, s) =>
      [0, 1, 2, 3].map((lane) => write(sink, [bar({ symbol: `S${s}`, vendor: `v${lane}` })])),
    );
    expect(await Promise.all(writes)).toEqual(Array.from({ length: 12 }, () => ({ rows: 1 })));
    expect(await storedBars(pool, `${schema}.bars`)).toHaveLength(12);
    await pool.query(`DROP SCHEMA ${schema} CASCADE`);
  });

  it.each(['unnest', 'copyUpsert', 'copy'] as const)(
    'reports a connection that is cut while it writes, and the next write works (%s)',
    async (strategy) => {
      const lone = database.pool({ max: 1, application_name: 'victim' });
      const sink = barsSink(lone, { strategy });
      await write(sink, barsOf(60));
      // The write waits for the lock of this transaction, and there it is cut.
      const blocker = await pool.connect();
      await blocker.query('BEGIN; LOCK TABLE bars IN ACCESS EXCLUSIVE MODE');
      const cut = write(sink, barsOf(60, { seq: 2 }));
      const failure = expect(cut).rejects.toMatchObject({
        name: 'StoreError',
        code: 'SLUICE_STORE_CONNECTION_LOST',
      });
      await untilWaiting(pool, 'victim');
      await pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'");
      await failure;
      await blocker.query('ROLLBACK');
      blocker.release();
      expect(await write(sink, barsOf(60, { seq: 3 }))).toEqual({ rows: 60 });
    },
  );

  it('survives an idle connection that is cut', async () => {
    const lone = new pg.Pool({ connectionString: database.url, max: 1, application_name: 'idler' });
    const sink = barsSink(lone);
    await write(sink, barsOf(60));
    const removed = new Promise((resolve) => lone.once('remove', resolve));
    await pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'idler'");
    await removed;
    expect(await write(sink, barsOf(60, { seq: 2 }))).toEqual({ rows: 60 });
    await lone.end();
  });

  it.each(['unnest', 'copyUpsert', 'copy'] as const)(
    'lets the pool end though a write that was unsubscribed waits for a lock (%s)',
    async (strategy) => {
      const own = new pg.Pool({ connectionString: database.url, max: 3, application_name: `stuck_${strategy}` });
      const sink = barsSink(own, { strategy });
      await write(sink, barsOf(60));
      const other = await own.connect();
      const blocker = await pool.connect();
      await blocker.query('BEGIN; LOCK TABLE bars IN ACCESS EXCLUSIVE MODE');
      const stuck = from(sink.write(barsOf(60, { seq: 2 }))).subscribe();
      await untilWaiting(pool, `stuck_${strategy}`);
      stuck.unsubscribe();
      // The others of the pool go on.
      expect((await other.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
      other.release();
      await own.end();
      expect(own.totalCount).toBe(0);
      await terminate(pool, `stuck_${strategy}`);
      await blocker.query('ROLLBACK');
      blocker.release();
    },
  );

  it('lets the pool end though the first write, unsubscribed, waits to prepare', async () => {
    const own = new pg.Pool({ connectionString: database.url, max: 1, application_name: 'stuck_first' });
    const blocker = await pool.connect();
    // As the creation of a table by someone else that does not end: the lock on the name of the new table.
    await blocker.query('BEGIN; CREATE TABLE bars (id int)');
    const stuck = from(barsSink(own).write(barsOf(60))).subscribe();
    await untilWaiting(pool, 'stuck_first');
    stuck.unsubscribe();
    await own.end();
    await terminate(pool, 'stuck_first');
    await blocker.query('ROLLBACK');
    blocker.release();
  });

  it('does not let an unsubscribed write take the preparation from another', async () => {
    const blocker = await pool.connect();
    await blocker.query('BEGIN; CREATE TABLE bars (id int)');
    const own = database.pool({ max: 2, application_name: 'prepares' });
    const sink = barsSink(own);
    const given = from(sink.write(barsOf(60))).subscribe();
    const kept = write(sink, barsOf(60));
    await untilWaiting(pool, 'prepares');
    given.unsubscribe();
    await blocker.query('ROLLBACK');
    blocker.release();
    expect(await kept).toEqual({ rows: 60 });
  });

  it.each(['unnest', 'copyUpsert'] as const)(
    'makes anew what DISCARD ALL takes from a session (%s)',
    async (strategy) => {
      const lone = database.pool({ max: 1 });
      const sink = barsSink(lone, { strategy });
      for (let seq = 1; seq <= 3; seq++) {
        expect(await write(sink, barsOf(60, { seq }))).toEqual({ rows: 60 });
        await lone.query('DISCARD ALL');
      }
    },
  );

  it('gives up a session that has become read-only, and the next attempt writes', async () => {
    const own = new pg.Pool({ connectionString: database.url, max: 1 });
    const sink = barsSink(own);
    expect(await write(sink, barsOf(60, { seq: 1 }))).toEqual({ rows: 60 });
    await own.query('SET default_transaction_read_only = on');
    await expect(write(sink, barsOf(60, { seq: 2 }))).rejects.toMatchObject({
      sqlState: '25006',
      failureClass: 'transient',
    });
    expect(await write(sink, barsOf(60, { seq: 2 }))).toEqual({ rows: 60 });
    await own.end();
  });

  it('leaves no transaction open on a connection where the table could not be created', async () => {
    const role = await roleOf(pool, 'novice');
    await pool.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
    const novice = new pg.Pool({ connectionString: urlOf(database.url, role), max: 1 });
    const sink = barsSink(novice);
    await expect(write(sink, barsOf(60))).rejects.toMatchObject({ code: 'SLUICE_STORE_PERMISSION' });
    expect((await novice.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await pool.query(`GRANT CREATE ON SCHEMA public TO ${role}`);
    expect(await write(sink, barsOf(60))).toEqual({ rows: 60 });
    await novice.end();
    await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}; GRANT CREATE ON SCHEMA public TO PUBLIC`);
  });

  it('does without a staging table where the user may not make one', async () => {
    await write(barsSink(pool), barsOf(1200));
    const role = await roleOf(pool, 'untemped');
    const { rows } = await pool.query<{ name: string }>('SELECT quote_ident(current_database()) AS name');
    const name = rows[0]!.name;
    await pool.query(`REVOKE TEMP ON DATABASE ${name} FROM PUBLIC; GRANT SELECT, INSERT, UPDATE ON bars TO ${role}`);
    const own = new pg.Pool({ connectionString: urlOf(database.url, role), max: 1 });
    const sink = barsSink(own);
    // The straight COPY conflicts, and the staging table is refused.
    for (const seq of [2, 3]) expect(await write(sink, barsOf(1200, { seq }))).toEqual({ rows: 1200 });
    await expect(write(barsSink(own, { strategy: 'copyUpsert' }), barsOf(60))).rejects.toMatchObject({
      code: 'SLUICE_STORE_PERMISSION',
    });
    await own.end();
    await pool.query(`GRANT TEMP ON DATABASE ${name} TO PUBLIC; DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  it('does without COPY into a table with row-level security', async () => {
    await write(barsSink(pool), [bar()]);
    const role = await roleOf(pool, 'watched');
    await pool.query(`ALTER TABLE bars ENABLE ROW LEVEL SECURITY; CREATE POLICY every ON bars TO ${role} USING (true)`);
    await pool.query(`GRANT SELECT, INSERT, UPDATE ON bars TO ${role}`);
    const own = new pg.Pool({ connectionString: urlOf(database.url, role), max: 1 });
    const sink = barsSink(own);
    for (const seq of [2, 3]) expect(await write(sink, barsOf(60, { seq }))).toEqual({ rows: 60 });
    await expect(write(barsSink(own, { strategy: 'copy' }), barsOf(60))).rejects.toMatchObject({ sqlState: '0A000' });
    await own.end();
    await pool.query(`DROP TABLE bars; DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  it('names a permission that is missing, and does not need CREATE where the table is there', async () => {
    await write(barsSink(pool), [bar()]);
    const { rows } = await pool.query<{ name: string }>('SELECT current_database() AS name');
    const role = `clerk_${rows[0]!.name}`;
    await pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'clerk'; REVOKE CREATE ON SCHEMA public FROM PUBLIC`);
    const url = new URL(database.url);
    url.username = role;
    url.password = 'clerk';
    const clerk = new pg.Pool({ connectionString: url.toString(), max: 2 });
    const sink = barsSink(clerk);
    await expect(write(sink, barsOf(60))).rejects.toMatchObject({
      code: 'SLUICE_STORE_PERMISSION',
      sqlState: '42501',
      message: expect.stringContaining('grant'),
    });
    await pool.query(`GRANT SELECT, INSERT, UPDATE ON bars TO ${role}`);
    expect(await write(sink, barsOf(60, { seq: 2 }))).toEqual({ rows: 60 });
    await clerk.end();
    await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}; GRANT CREATE ON SCHEMA public TO PUBLIC`);
  });
});

describe('on PGlite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-pglite-'));
  let store: Store;
  beforeAll(async () => {
    store = await openStore({ folder: join(folder, 'data') });
  }, 120_000);
  afterAll(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  semantics({ pool: () => store.pool as pg.Pool, strategies: ['auto', 'unnest'] });

  it.each(['copy', 'copyUpsert'] as const)('refuses the strategy %s, which would end the process', async (strategy) => {
    await expect(write(barsSink(store.pool, { strategy }), barsOf(60))).rejects.toMatchObject({
      code: 'SLUICE_STORE_UNSUPPORTED',
    });
  });

  it('reports each failure in its turn, and the statement after it rightly', async () => {
    const { pool } = store;
    await pool.query('DROP TABLE IF EXISTS bars');
    const sink = barsSink(pool);
    const clash = barsSink(pool, { table: 'clash' });
    await write(clash, [bar()]);
    await pool.query('ALTER TABLE clash ADD CHECK (close < 1000)');
    const missing = barsSink(pool, { table: 'nowhere', createTable: false });
    const failures = [
      [sink, [bar({ symbol: 'A\0' })], '22021'],
      [clash, [bar({ seq: 2, close: 5000 })], '23514'],
      [missing, [bar()], '42P01'],
    ] as const;
    for (let round = 1; round <= 3; round++) {
      for (const [failing, batch, sqlState] of failures) {
        await expect(write(failing, batch)).rejects.toMatchObject({ sqlState });
        const version = round * 100 + failures.findIndex((failure) => failure[2] === sqlState);
        expect(await write(sink, [bar({ seq: version })])).toEqual({ rows: 1 });
        const { rows } = await pool.query('SELECT seq::int AS seq FROM bars');
        expect(rows).toEqual([{ seq: version }]);
      }
    }
  });
});

/** Until a statement of the application waits for a lock. */
async function untilWaiting(pool: pg.Pool, application: string): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ waiting: boolean }>(
      "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock') AS waiting",
      [application],
    );
    if (rows[0]?.waiting) return;
  }
}

/** Ends what the server still does for an application: it would go on once it has its lock. */
async function terminate(pool: pg.Pool, application: string): Promise<void> {
  await pool.query('SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE application_name = $1', [
    application,
  ]);
}

/** A role of this name that may log in, of the database of the pool alone: roles are the server's. */
async function roleOf(pool: pg.Pool, name: string): Promise<string> {
  const { rows } = await pool.query<{ name: string }>('SELECT current_database() AS name');
  const role = `${name}_${rows[0]!.name}`;
  await pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'open sesame'`);
  return role;
}

function urlOf(databaseUrl: string, role: string): string {
  const url = new URL(databaseUrl);
  url.username = role;
  url.password = 'open sesame';
  return url.toString();
}
