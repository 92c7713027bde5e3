import type pg from 'pg';
import { lastValueFrom } from 'rxjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeTo } from '../../src/operators/writeTo.js';
import { migrate } from '../../src/postgres/migrate/migrate.js';
import { openStore, type Store } from '../../src/postgres/openStore.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { fromIterable } from '../../src/sources/fromIterable.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/index.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { type PgBouncer, pgBouncerProgram, startPgBouncer } from '../postgres/pgbouncer.js';
import { barsOf, write } from './bars.js';

describe.skipIf(pgBouncerProgram() === undefined)('what waits behind PgBouncer in transaction mode', () => {
  const database = freshDatabase();
  let pooler: PgBouncer;
  let proxy: FaultProxy;
  let direct: pg.Pool;
  let store: Store;
  let holder: pg.PoolClient;

  beforeAll(async () => {
    pooler = await startPgBouncer({ databaseUrl: database.url, mode: 'transaction', poolSize: 3 });
    proxy = await startFaultProxy({ target: pooler.url(database.url) });
    direct = database.pool({ application_name: 'the other' });
  }, 60_000);
  afterAll(async () => {
    await proxy.close();
    await pooler.stop();
  });
  beforeEach(async () => {
    await direct.query('DROP TABLE IF EXISTS bars; DROP SCHEMA IF EXISTS waits CASCADE');
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

  const waiting = async () => {
    const { rows } = await direct.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name <> 'the other'`,
    );
    return rows[0]!.n;
  };

  it('and is timed out is cancelled at the server', async () => {
    const sink = barsSink(store.pool, { createTable: false });
    await holder.query('ROLLBACK');
    await write(sink, barsOf(1));
    await holder.query('BEGIN; LOCK TABLE bars');
    const batches = fromIterable([barsOf(5, { symbol: 'LATE' })]);
    const failed = lastValueFrom(batches.pipe(writeTo(sink, { timeoutMs: 1_500 }))).catch((error: unknown) => error);
    await expect.poll(waiting).toBe(1);
    expect(await failed).toMatchObject({ cause: { code: 'SLUICE_WRITE_TIMEOUT' } });
    await expect.poll(waiting).toBe(0);
    await holder.query('COMMIT');
    expect((await direct.query('SELECT 1 FROM bars')).rowCount).toBe(1);
    await holder.query('BEGIN');
  });

  it('and is closed is cancelled at the server', async () => {
    const failed = store.pool.query('DELETE FROM bars').catch((error: unknown) => error);
    await expect.poll(waiting).toBe(1);
    await store.close();
    expect(await failed).toBeInstanceOf(Error);
    await expect.poll(waiting).toBe(0);
  });

  it('and migrates says for which process', async () => {
    await migrate(store.pool, { schema: 'waits' });
    await holder.query('ROLLBACK; BEGIN');
    await holder.query('LOCK TABLE waits.sluice_migrations');
    const { rows } = await holder.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const said: string[] = [];
    const waited = migrate(store.pool, {
      schema: 'waits',
      lockTimeoutMs: 2_000,
      onWait: (message) => said.push(message),
    });
    await expect(waited).rejects.toMatchObject({
      code: 'SLUICE_MIGRATION_LOCKED',
      message: expect.stringContaining(`for process ${rows[0]!.pid} (the other, `),
    });
    expect(said).toHaveLength(1);
  });

  it('and migrates gives up a connection that is silent', async () => {
    await store.pool.query('SELECT 1');
    const silent = proxy.stall({ direction: 'toClient', connection: proxy.connections.at(-1)!.id, afterBytes: 400 });
    await expect(migrate(store.pool, { schema: 'waits', answerTimeoutMs: 1_500 })).rejects.toMatchObject({
      code: 'SLUICE_MIGRATION_FAILED',
      message: expect.stringMatching(/no answer for 1500 ms/),
    });
    expect(silent.fired).toBe(1);
    await silent.mend();
    await migrate(store.pool, { schema: 'waits' });
  });

  it('is no matter to a check', async () => {
    const busy = store.pool.query('DELETE FROM bars').catch(() => {});
    await expect.poll(waiting).toBe(1);
    await store.check();
    await holder.query('ROLLBACK; BEGIN');
    await busy;
  });
});
