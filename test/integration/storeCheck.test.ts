import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../src/postgres/openStore.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { pipelineTelemetry } from '../../src/telemetry/pipelineTelemetry.js';
import { serveTelemetry } from '../../src/telemetry/serveTelemetry.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/index.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { barsOf, write } from './bars.js';

describe('a check of the store', () => {
  const database = freshDatabase();
  let proxy: FaultProxy;
  let direct: pg.Pool;
  let store: Store;
  const open = async (config: object = {}) => {
    store = await openStore({ databaseUrl: proxy.url(database.url), poolSize: 2, ...config });
    return store;
  };
  /** The sessions of stores in this database. */
  const sessions = async () => {
    const { rows } = await direct.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sluice'",
    );
    return rows[0]!.n;
  };

  beforeAll(async () => {
    proxy = await startFaultProxy({ target: database.url });
    direct = database.pool();
  });
  afterEach(async () => {
    await proxy.mend();
    await store.close();
  });
  afterAll(() => proxy.close());

  it('takes no connection of the pool, whatever becomes of it', async () => {
    const { check, pool } = await open({ connectTimeoutMs: 1_000 });
    const sink = barsSink(pool);
    await write(sink, barsOf(1));
    for (let loss = 0; loss < 4; loss++) {
      const lost = proxy.stall({ direction: 'toClient', times: Number.POSITIVE_INFINITY });
      await expect(check()).rejects.toMatchObject({
        code: 'SLUICE_STORE_UNREACHABLE',
        message: expect.stringContaining('no answer within 1000 ms'),
      });
      expect(lost.fired).toBe(1);
      await lost.mend();
    }
    expect(pool).toMatchObject({ totalCount: 1, idleCount: 1, waitingCount: 0 });
    await check();
    expect(await write(sink, barsOf(3, { symbol: 'NEXT' }))).toEqual({ rows: 3 });
  });

  it('is answered while all connections of the pool are in use', async () => {
    const { check, pool } = await open();
    const busy = await Promise.all([pool.connect(), pool.connect()]);
    await check();
    for (const client of busy) client.release();
  });

  it('leaves no session behind, however many there were, at once and one after the other', async () => {
    const { check } = await open();
    for (let i = 0; i < 20; i++) await check();
    const before = proxy.counts.connections;
    await Promise.all(Array.from({ length: 50 }, () => check()));
    expect(proxy.counts.connections - before).toBe(1);
    await expect.poll(sessions).toBe(0);
    expect(proxy.connections).toHaveLength(0);
  });

  it('is cut by its signal, with its reason, while others wait on', async () => {
    const { check } = await open();
    const gone = new Error('nobody waits');
    expect(await check(AbortSignal.abort(gone)).catch((error: unknown) => error)).toBe(gone);
    // The connection of the opening is closed in its own time.
    await expect.poll(() => proxy.connections.length).toBe(0);
    const stalled = proxy.stall({ direction: 'toClient', times: Number.POSITIVE_INFINITY });
    const [one, other] = [new AbortController(), new AbortController()];
    const asked = [check(one.signal), check(other.signal)].map((checked) => checked.catch((error: unknown) => error));
    await stalled.whenFired();
    one.abort(gone);
    expect(await asked[0]).toBe(gone);
    expect(proxy.connections).toHaveLength(1);
    other.abort(gone);
    expect(await asked[1]).toBe(gone);
    await expect.poll(() => proxy.connections.length).toBe(0);
  });

  it('says that the store is closed', async () => {
    const { check, close } = await open();
    await close();
    await expect(check()).rejects.toMatchObject({
      name: 'StoreError',
      message: 'the store is closed',
      failureClass: 'fatal',
    });
  });

  it('is the readiness check as it is', async () => {
    const { check } = await open();
    const telemetry = pipelineTelemetry();
    const server = await serveTelemetry(telemetry, {
      port: 0,
      sinkCheck: check,
      sinkCheckTimeoutMs: 1_000,
      sinkCheckCacheMs: 0,
    });
    const ready = async () => (await fetch(`${server.url}/readyz`)).status;
    expect(await ready()).toBe(200);
    const stalled = proxy.stall({ direction: 'toClient', times: Number.POSITIVE_INFINITY });
    expect(await ready()).toBe(503);
    await expect.poll(() => proxy.connections.length).toBe(0);
    await stalled.mend();
    expect(await ready()).toBe(200);
    await server.close();
    telemetry.close();
  });
});

describe('a check of an embedded store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-check-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is answered within a transaction of its one session, and touches nothing of it', async () => {
    const store = await openStore({ folder });
    const client = await store.pool.connect();
    await client.query('BEGIN');
    await expect(client.query('SELECT 1 / 0')).rejects.toThrow();
    await store.check();
    await client.query('ROLLBACK');
    client.release();
    await store.check();
    await store.close();
    await expect(store.check()).rejects.toThrow('the store is closed');
  }, 120_000);
});
