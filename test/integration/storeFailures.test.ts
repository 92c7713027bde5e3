import type pg from 'pg';
import { lastValueFrom, of, toArray } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Bar } from '../../src/market/bar.js';
import { writeCoordinator } from '../../src/operators/writeCoordinator.js';
import { writeTo } from '../../src/operators/writeTo.js';
import { run } from '../../src/pipelines/run.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { fromIterable } from '../../src/sources/fromIterable.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { letterBox } from '../support/diversions.js';
import { barsOf, storedBars, write } from './bars.js';

describe('what a server refuses', () => {
  const database = freshDatabase();
  let pool: pg.Pool;
  beforeEach(async () => {
    pool = database.pool({ max: 2 });
    await pool.query('DROP TABLE IF EXISTS bars');
  });

  it.each([
    ['a limit of the configuration', '53400', 'tuple decompression limit exceeded by operation'],
    ['room for locks', '53200', 'out of shared memory'],
  ])('is written in smaller batches where one exceeds %s, and is no outage', async (_what, state, message) => {
    await write(barsSink(pool), barsOf(1));
    await pool.query(`
      CREATE OR REPLACE FUNCTION refuse_many() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT count(*) FROM fresh) > 100 THEN RAISE EXCEPTION '${message}' USING ERRCODE = '${state}'; END IF;
        RETURN NULL; END $$;
      CREATE TRIGGER refuse_many AFTER INSERT ON bars REFERENCING NEW TABLE AS fresh
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_many()`);
    const { letters, deadLetters } = letterBox<Bar>();
    const batches = [barsOf(600, { symbol: 'A' }), barsOf(600, { symbol: 'B' })];
    const outcomes = await lastValueFrom(
      of(...batches).pipe(writeTo<Bar>(barsSink(pool), { deadLetters, breaker: {} }), toArray()),
    );
    expect(letters).toEqual([]);
    expect(outcomes.reduce((sum, { rows }) => sum + rows, 0)).toBe(1_200);
    expect(await storedBars(pool)).toHaveLength(1_201);
  });

  it('is a dead letter where no batch is small enough for a limit, and other keys go on', async () => {
    await write(barsSink(pool), barsOf(1));
    await pool.query(`
      CREATE OR REPLACE FUNCTION refuse_big() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.symbol = 'BIG' THEN
          RAISE EXCEPTION 'temporary file size exceeds temp_file_limit' USING ERRCODE = '53400'; END IF;
        RETURN NEW; END $$;
      CREATE TRIGGER refuse_big BEFORE INSERT ON bars FOR EACH ROW EXECUTE FUNCTION refuse_big()`);
    const { letters, deadLetters, count } = letterBox<Bar>();
    const input = [...barsOf(40, { symbol: 'BIG' }), ...barsOf(2_000, { symbol: 'SMALL' })];
    const report = await run(
      fromIterable(input).pipe(
        writeCoordinator<Bar>(barsSink(pool), { workers: 2, batchSize: 500, policies: { deadLetters, breaker: {} } }),
      ),
      { signals: [] },
    );
    expect(report).toMatchObject({ outcome: 'completed', written: 2_000, diverted: 40, conservation: 0 });
    expect(count()).toBe(40);
    expect(letters.every(({ reason }) => reason === 'poison')).toBe(true);
  });

  it('is the fault of no item before the first write', async () => {
    await pool.query(`
      CREATE OR REPLACE FUNCTION no_tables() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'tables are made by the owner'; END $$;
      CREATE EVENT TRIGGER no_tables ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION no_tables()`);
    try {
      await expect(write(barsSink(pool), barsOf(60))).rejects.toMatchObject({
        code: 'SLUICE_STORE_TABLE',
        sqlState: 'P0001',
        failureClass: 'fatal',
        message: expect.stringContaining('tables are made by the owner'),
      });
    } finally {
      await pool.query('DROP EVENT TRIGGER no_tables');
    }
    expect(await write(barsSink(pool), barsOf(60))).toEqual({ rows: 60 });
  });

  it('is tried again on another session if this one cannot write before the first write', async () => {
    const own = database.pool({ max: 1 });
    await own.query('SET default_transaction_read_only = on');
    const sink = barsSink(own);
    await expect(write(sink, barsOf(60))).rejects.toMatchObject({ sqlState: '25006', failureClass: 'transient' });
    expect(await write(sink, barsOf(60))).toEqual({ rows: 60 });
  });
});

describe('a server that has become read-only, as the old primary after a failover', () => {
  const database = freshDatabase();

  it('costs one attempt, however many of its sessions the pool has', async () => {
    const pool = database.pool({ max: 8 });
    await write(barsSink(pool), barsOf(60));
    const clients = await Promise.all(Array.from({ length: 8 }, () => pool.connect()));
    for (const client of clients) await client.query('SET default_transaction_read_only = on');
    for (const client of clients) client.release();
    const { letters, deadLetters } = letterBox<Bar>();
    const retry = { maxAttempts: 2, initialMs: 1 };
    const batch = barsOf(60, { seq: 2 });
    const outcomes = await lastValueFrom(
      of(batch).pipe(writeTo<Bar>(barsSink(pool), { deadLetters, retry }), toArray()),
    );
    expect(letters).toEqual([]);
    expect(outcomes).toMatchObject([{ status: 'written', rows: 60, attempts: 2 }]);
  });
});

describe('a session whose client vanishes in the middle of a COPY', () => {
  const database = freshDatabase();

  it.each(['copy', 'copyUpsert'] as const)('is ended by the server soon (%s)', async (strategy) => {
    const pool = database.pool({ max: 1 });
    const sink = barsSink(pool, { strategy });
    for (let seq = 1; seq <= 2; seq++) await write(sink, barsOf(60, { seq, symbol: strategy }));
    const settings = ['idle', 'interval', 'count'].map(async (name) => {
      const { rows } = await pool.query<Record<string, string>>(`SHOW tcp_keepalives_${name}`);
      return Number(Object.values(rows[0]!)[0]);
    });
    const [idle, interval, count] = await Promise.all(settings);
    expect(idle! + interval! * count!).toBeLessThanOrEqual(30);
  });
});
