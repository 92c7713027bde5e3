import type pg from 'pg';
import { beforeEach, describe, expect, it } from 'vitest';
import { barsTable } from '../../src/postgres/recordTables.js';
import type { TableSinkConfig } from '../../src/postgres/tableSink.js';
import { barsSink } from '../../src/sinks/barsSink.js';
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

export function semantics({ pool: poolOf, strategies }: Place): void {
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
        message: expect.stringContaining(
          'lacks columns: migrate the store with sluice migrate, or add "vendor" text, "timeframe" text, "ts" timestamptz',
        ),
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
      ['is NOT NULL', ', venue text NOT NULL', '"venue"'],
      ['are NOT NULL', ', venue text NOT NULL, "Lot size" int NOT NULL, note text', '"venue", "Lot size"'],
      ['is of a domain that is NOT NULL', ', venue mic', '"venue"'],
    ])('refuses a table that would refuse every row, because a further column %s', async (_what, columns, names) => {
      await pool.query('DROP DOMAIN IF EXISTS mic CASCADE; CREATE DOMAIN mic AS text NOT NULL');
      await pool.query(tableWith({}, `${columns}, PRIMARY KEY (vendor, symbol, timeframe, ts)`));
      const sink = sinkOf();
      await expect(write(sink, barsOf(60))).rejects.toMatchObject({
        code: 'SLUICE_STORE_TABLE',
        failureClass: 'fatal',
        sqlState: '23502',
        message: expect.stringContaining(`would refuse every row: give ${names} a default, or drop NOT NULL`),
      });
      await pool.query(`ALTER TABLE bars ALTER venue SET DEFAULT 'XNYS'`);
      if (names.includes('Lot')) await pool.query('ALTER TABLE bars ALTER "Lot size" DROP NOT NULL');
      await write(sink, barsOf(60));
      await pool.query('DROP TABLE bars; DROP DOMAIN mic');
    });

    it('takes further columns that are NOT NULL and filled in by the server', async () => {
      await pool.query(`DROP DOMAIN IF EXISTS mic CASCADE; CREATE DOMAIN mic AS text DEFAULT 'XNYS' NOT NULL`);
      await pool.query(
        tableWith(
          {},
          ', id bigint GENERATED ALWAYS AS IDENTITY, n bigserial, venue mic, ' +
            'wide float8 NOT NULL GENERATED ALWAYS AS (high - low) STORED, PRIMARY KEY (vendor, symbol, timeframe, ts)',
        ),
      );
      await write(sinkOf(), barsOf(60));
      await pool.query('DROP TABLE bars; DROP DOMAIN mic');
      await pool.query(tableWith({}, ', venue text NOT NULL, PRIMARY KEY (vendor, symbol, timeframe, ts)'));
      await pool.query(`CREATE OR REPLACE FUNCTION fill_venue() RETURNS trigger LANGUAGE plpgsql
                        AS $$ BEGIN NEW.venue := 'XNYS'; RETURN NEW; END $$`);
      await pool.query('CREATE TRIGGER fill BEFORE INSERT ON bars FOR EACH ROW EXECUTE FUNCTION fill_venue()');
      await write(sinkOf(), barsOf(60));
      await pool.query('DROP TABLE bars; DROP FUNCTION fill_venue');
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
