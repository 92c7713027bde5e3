import type pg from 'pg';
import { lastValueFrom, toArray } from 'rxjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeTo } from '../../src/operators/writeTo.js';
import { openStore, type Store } from '../../src/postgres/openStore.js';
import { bars } from '../../src/postgres/read/bars.js';
import { latest } from '../../src/postgres/read/latest.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { fromIterable } from '../../src/sources/fromIterable.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/index.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { barsOf, write } from './bars.js';

describe('what waits for a server', () => {
  const database = freshDatabase();
  let proxy: FaultProxy;
  let direct: pg.Pool;
  let store: Store;
  let holder: pg.PoolClient;

  beforeAll(async () => {
    proxy = await startFaultProxy({ target: database.url });
    direct = database.pool();
  });
  afterAll(() => proxy.close());
  beforeEach(async () => {
    await direct.query('DROP TABLE IF EXISTS bars');
    store = await openStore({ databaseUrl: proxy.url(database.url), poolSize: 2, closeTimeoutMs: 100 });
    await write(barsSink(store.pool), barsOf(1));
    holder = await direct.connect();
    await holder.query('BEGIN; LOCK TABLE bars');
  });
  afterEach(async () => {
    await proxy.mend();
    await holder.query('ROLLBACK');
    holder.release();
    await store.close();
  });

  /** How many statements of the store wait for a lock. */
  const waiting = async () => {
    const { rows } = await direct.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'sluice' AND wait_event_type = 'Lock'`,
    );
    return rows[0]!.n;
  };
  const count = async () => (await direct.query<{ n: number }>('SELECT count(*)::int AS n FROM bars')).rows[0]!.n;

  it.each(['copy', 'copyUpsert', 'unnest'] as const)(
    'and is timed out leaves no statement at the server that would still commit: a write by %s',
    async (strategy) => {
      const sink = barsSink(store.pool, { strategy, createTable: false });
      await holder.query('ROLLBACK');
      await write(sink, barsOf(1));
      await holder.query('BEGIN; LOCK TABLE bars');
      const batches = fromIterable([barsOf(5, { symbol: 'LATE' })]);
      const failed = lastValueFrom(batches.pipe(writeTo(sink, { timeoutMs: 1_500 }))).catch((error: unknown) => error);
      await expect.poll(waiting).toBe(1);
      expect(await failed).toMatchObject({ cause: { code: 'SLUICE_WRITE_TIMEOUT' } });
      await expect.poll(waiting).toBe(0);
      await holder.query('COMMIT');
      expect(await count()).toBe(1);
      // The slot of the pool is free again.
      await expect.poll(() => store.pool.totalCount).toBe(0);
      await holder.query('BEGIN');
    },
  );

  const reads = {
    bars: (timeoutMs?: number) =>
      bars(store.pool, { symbol: 'ACME', timeframe: '1m', ...(timeoutMs && { timeoutMs }) }),
    latest: (timeoutMs?: number) => latest(store.pool, { symbols: ['ACME'], ...(timeoutMs && { timeoutMs }) }),
  };

  it.each(Object.keys(reads) as (keyof typeof reads)[])(
    'and is unsubscribed leaves none either: %s()',
    async (name) => {
      const subscription = reads[name]().subscribe();
      await expect.poll(waiting).toBe(1);
      subscription.unsubscribe();
      await expect.poll(waiting).toBe(0);
    },
  );

  it.each(Object.keys(reads) as (keyof typeof reads)[])('and reads has a limit, and says so: %s()', async (name) => {
    await expect(lastValueFrom(reads[name](200))).rejects.toMatchObject({
      code: 'SLUICE_STORE_READ',
      failureClass: 'transient',
      message: expect.stringMatching(/^cannot read "bars": no answer within 200 ms: .*timeoutMs/),
    });
    await expect.poll(waiting).toBe(0);
    await holder.query('ROLLBACK');
    expect(await lastValueFrom(reads[name](5_000).pipe(toArray()))).toHaveLength(1);
    await holder.query('BEGIN');
  });

  it.each(Object.keys(reads) as (keyof typeof reads)[])(
    'and has fallen silent does not hold a reader: %s()',
    async (name) => {
      await holder.query('ROLLBACK');
      const silent = proxy.stall({ direction: 'toClient', times: Number.POSITIVE_INFINITY });
      await expect(lastValueFrom(reads[name](1_000))).rejects.toMatchObject({ failureClass: 'transient' });
      expect(silent.fired).toBeGreaterThan(0);
      await silent.mend();
      expect(await lastValueFrom(reads[name]().pipe(toArray()))).toHaveLength(1);
      await holder.query('BEGIN');
    },
  );

  it('and a reader waits for a connection of the pool no longer than that', async () => {
    const busy = await Promise.all([store.pool.connect(), store.pool.connect()]);
    await expect(lastValueFrom(reads.bars(100))).rejects.toThrow('no connection of the pool was free within 100 ms');
    for (const client of busy) client.release();
    await expect.poll(() => store.pool.waitingCount).toBe(0);
  });

  it('and is closed leaves no statement at the server', async () => {
    const failed = store.pool.query("DELETE FROM bars WHERE symbol = 'ACME'").catch((error: unknown) => error);
    await expect.poll(waiting).toBe(1);
    await store.close();
    expect(await failed).toBeInstanceOf(Error);
    await expect.poll(waiting).toBe(0);
    await holder.query('COMMIT');
    expect(await count()).toBe(1);
    await holder.query('BEGIN');
  });

  it('and bids farewell for ever does not hold those who wait for a place in the pool', async () => {
    const [first, second] = await Promise.all([store.pool.connect(), store.pool.connect()]);
    const third = store.pool.connect();
    const silent = proxy.connections.map(({ id: connection }) => proxy.stall({ direction: 'toServer', connection }));
    first.release(true);
    second.release(true);
    const client = await third;
    expect(silent.map(({ fired }) => fired)).toEqual([1, 1]);
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    client.release();
  });
});
