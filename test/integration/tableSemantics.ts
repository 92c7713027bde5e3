import type pg from 'pg';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Sink } from '../../src/contracts/sink.js';
import type { TableSinkConfig } from '../../src/postgres/tableSink.js';
import { write } from './bars.js';
import { inEachPlace } from './places.js';

/** A sink of a table, for the tests that hold for all of them. */
export interface TableSubject<T extends { readonly seq?: number }> {
  readonly table: string;
  readonly sink: (pool: pg.Pool, config: TableSinkConfig) => Sink<T>;
  /** An item of the table with these fields; `i` makes its key. */
  readonly item: (i: number, fields?: Partial<T>) => T;
  /** Fields that are no part of the key, in two versions; where the table takes null the second has it. */
  readonly versions: readonly [Partial<T>, Partial<T>];
  /** One more item for each part of the key, which differs from item 0 in that part alone. */
  readonly neighbours: readonly Partial<T>[];
  /** The lane of item 0. */
  readonly lane: string;
  readonly stored: (pool: pg.Pool) => Promise<T[]>;
  /** The column of the version. Default `seq`. */
  readonly version?: string;
  /** Fields that cannot be stored, with the state and the column that the error names. */
  readonly poison: readonly (readonly [
    what: string,
    fields: Record<string, unknown>,
    sqlState: string,
    field: string,
  ])[];
  /** Tests of this table alone; what it makes of the sink starts without the table. */
  readonly further?: (sink: () => Sink<T>, pool: () => pg.Pool) => void;
  /** Columns that the table has with another type, and with which type the sink needs it. */
  readonly refused: readonly (readonly [column: string, found: string, needed: string])[];
}

export function tableSemantics<T extends { readonly seq?: number }>(subject: TableSubject<T>): void {
  const { table, item, versions, stored } = subject;
  const [first, second] = versions;
  const itemsOf = (count: number, fields?: Partial<T>) => Array.from({ length: count }, (_, i) => item(i, fields));
  const withSeq = (fields: Partial<T>, seq: number): Partial<T> => ({ ...fields, seq });
  const without = (one: T): T => {
    const { seq: _, ...rest } = one;
    return rest as T;
  };
  const sorted = (items: readonly T[]) => items.map((one) => JSON.stringify(one, Object.keys(one).sort())).sort();

  inEachPlace(({ pool: poolOf, strategies }) => {
    describe.each(strategies)('strategy %s', (strategy) => {
      let pool: pg.Pool;
      let sink: Sink<T>;
      beforeEach(async () => {
        pool = poolOf();
        await pool.query(`DROP TABLE IF EXISTS ${table}`);
        sink = subject.sink(pool, { strategy });
      });

      it('makes the table, and writes rows as they are, nulls included', async () => {
        const items = [...itemsOf(60, first), ...itemsOf(120, second).slice(60)];
        expect(await write(sink, items)).toEqual({ rows: 120 });
        expect(sorted(await stored(pool))).toEqual(sorted(items));
      });

      it('stores null for what is left out', async () => {
        const bare = Object.fromEntries(Object.entries(item(0, second)).filter(([, value]) => value !== null)) as T;
        await write(sink, [bare, ...itemsOf(60).slice(1)]);
        const rows = await stored(pool);
        expect(sorted(rows)).toContain(sorted([item(0, second)])[0]);
      });

      it('rewrites nothing when the same rows come again', async () => {
        await write(sink, itemsOf(60));
        const places = await pool.query(`SELECT ctid, xmin FROM ${table} ORDER BY ctid`);
        expect(await write(sink, itemsOf(60))).toEqual({ rows: 0 });
        expect((await pool.query(`SELECT ctid, xmin FROM ${table} ORDER BY ctid`)).rows).toEqual(places.rows);
      });

      it('lets a newer version replace the whole row, and an older one nothing', async () => {
        await write(sink, itemsOf(60, withSeq(first, 5)));
        expect(await write(sink, itemsOf(60, withSeq(second, 4)))).toEqual({ rows: 0 });
        expect(sorted(await stored(pool))).toEqual(sorted(itemsOf(60, withSeq(first, 5))));
        expect(await write(sink, itemsOf(60, withSeq(second, 6)))).toEqual({ rows: 60 });
        expect(sorted(await stored(pool))).toEqual(sorted(itemsOf(60, withSeq(second, 6))));
        expect(await write(sink, itemsOf(60, withSeq(first, 7)))).toEqual({ rows: 60 });
        expect(sorted(await stored(pool))).toEqual(sorted(itemsOf(60, withSeq(first, 7))));
      });

      it('keeps the earlier of equal versions, in one batch as across batches', async () => {
        await write(sink, [item(0, withSeq(first, 5)), ...itemsOf(60).slice(1), item(0, withSeq(second, 5))]);
        await write(sink, [item(0, withSeq(second, 5)), ...itemsOf(60).slice(1)]);
        expect(sorted(await stored(pool))).toEqual(sorted([item(0, withSeq(first, 5)), ...itemsOf(60).slice(1)]));
      });

      it('reduces the rows of one key in a batch to the highest version', async () => {
        const batch = [item(0, withSeq(first, 2)), item(0, withSeq(second, 9)), item(0, withSeq(first, 3))];
        expect(await write(sink, [...batch, ...itemsOf(60).slice(1)])).toEqual({ rows: 60 });
        expect(sorted(await stored(pool))).toContain(sorted([item(0, withSeq(second, 9))])[0]);
      });

      it('tells rows apart by each part of the key', async () => {
        const items = [item(0), ...subject.neighbours.map((fields) => item(0, fields))];
        expect(await write(sink, items)).toEqual({ rows: items.length });
        expect(await write(sink, items)).toEqual({ rows: 0 });
        expect(sorted(await stored(pool))).toEqual(sorted(items));
      });

      it.each(subject.poison)(
        'refuses %s as poison, names the column, and goes on',
        async (_what, bad, sqlState, field) => {
          const batch = [...itemsOf(60), { ...item(99), ...bad }];
          await expect(write(sink, batch)).rejects.toMatchObject({
            name: 'StoreError',
            code: 'SLUICE_STORE_VALUE',
            sqlState,
            field,
            message: expect.stringContaining(field),
          });
          expect(await write(sink, itemsOf(60))).toEqual({ rows: 60 });
          expect(await stored(pool)).toHaveLength(60);
        },
      );

      it.each(subject.refused)('refuses a table whose %s is %s', async (column, found, needed) => {
        await write(sink, [item(0)]);
        await pool.query(`TRUNCATE ${table}; ALTER TABLE ${table} ALTER ${column} TYPE ${found} USING NULL`);
        await expect(write(subject.sink(pool, { strategy }), itemsOf(60))).rejects.toMatchObject({
          code: 'SLUICE_STORE_TABLE',
          sqlState: '42804',
          message: expect.stringContaining(
            `column "${column}" of the table "${table}" is ${found} and must be ${needed}`,
          ),
        });
      });

      it('numbers by stamp as by write, and a stamped item keeps its number in another batch', async () => {
        let now = 1_700_000_000_000;
        const numbering = subject.sink(pool, { strategy, now: () => now });
        const stamped = numbering.stamp!([without(item(0)), item(1, withSeq({}, 7)), without(item(2))]);
        now += 1000;
        await write(numbering, stamped.slice(2));
        await write(numbering, stamped);
        await write(numbering, [without(item(3))]);
        expect((await stored(pool)).map(({ seq }) => seq).sort()).toEqual([
          1_700_000_000_000_000, 1_700_000_000_000_001, 1_700_000_001_000_000, 7,
        ]);
      });

      it('writes into another table and schema, by any name', async () => {
        const names = { schema: `Their "own"`, table: `o'clock {1}` };
        const elsewhere = subject.sink(pool, { strategy, ...names });
        await write(elsewhere, itemsOf(60, withSeq({}, 1)));
        expect(await write(elsewhere, itemsOf(60, withSeq({}, 2)))).toEqual({ rows: 60 });
        const { rows } = await pool.query(
          `SELECT count(*)::int AS count FROM "Their ""own"""."o'clock {1}" WHERE ${subject.version ?? 'seq'} = 2`,
        );
        expect(rows).toEqual([{ count: 60 }]);
        await pool.query('DROP SCHEMA "Their ""own""" CASCADE');
      });

      subject.further?.(
        () => sink,
        () => pool,
      );

      it('has a lane a key', () => {
        expect(sink.keyOf?.(item(0))).toBe(subject.lane);
      });
    });
  });
}
