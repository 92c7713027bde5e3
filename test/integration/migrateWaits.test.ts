import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type MigrateConfig, migrate } from '../../src/postgres/migrate/migrate.js';
import { openStore, type Store } from '../../src/postgres/openStore.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/index.js';
import { freshDatabase } from '../postgres/freshDatabase.js';

const SCHEMA = 'waits';

describe('a migration that waits', () => {
  const database = freshDatabase();
  let proxy: FaultProxy;
  let direct: pg.Pool;
  let store: Store;
  let said: string[];
  const holders: pg.PoolClient[] = [];
  const letGo = async () => {
    for (const client of holders.splice(0)) {
      await client.query('ROLLBACK');
      client.release();
    }
  };

  beforeAll(async () => {
    proxy = await startFaultProxy({ target: database.url });
    direct = database.pool({ application_name: 'the other' });
  });
  afterAll(() => proxy.close());
  beforeEach(async () => {
    said = [];
    await direct.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`);
    store = await openStore({ databaseUrl: proxy.url(database.url), poolSize: 1 });
  });
  afterEach(async () => {
    await letGo();
    await proxy.mend();
    await store.close();
  });

  const run = (config: MigrateConfig = {}) =>
    migrate(store.pool, { schema: SCHEMA, onWait: (message) => said.push(message), ...config });

  /** Holds what a step needs, in a transaction of its own, and returns its process. */
  async function holding(lock: string): Promise<number> {
    const client = await direct.connect();
    holders.push(client);
    await client.query('BEGIN');
    await client.query(lock);
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    return rows[0]!.pid;
  }

  /** The lock of the schema, as a migration takes it. */
  async function schemaLock(): Promise<string> {
    const spy = await openStore({ databaseUrl: database.url, poolSize: 1 });
    const client = await spy.pool.connect();
    const asked: string[] = [];
    const { query } = client;
    Object.assign(client, {
      query: (statement: string, ...rest: unknown[]) => {
        asked.push(String(statement));
        return (query as (...args: unknown[]) => unknown).call(client, statement, ...rest);
      },
    });
    client.release();
    await migrate(spy.pool, { schema: SCHEMA });
    await spy.close();
    await direct.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`);
    return asked.find((text) => text.includes('pg_advisory_xact_lock'))!;
  }

  it('for the lock of another one says for which process, and gives up after its limit', async () => {
    const pid = await holding(await schemaLock());
    await expect(run({ lockTimeoutMs: 2_000 })).rejects.toMatchObject({
      name: 'MigrationError',
      code: 'SLUICE_MIGRATION_LOCKED',
      message: expect.stringMatching(
        new RegExp(
          `waited 2000 ms for process ${pid} \\(the other, user \\w+, from [\\d.]+, idle in transaction for \\d+ s\\).*pg_terminate_backend`,
        ),
      ),
    });
    expect(said).toEqual([expect.stringMatching(`^waiting for process ${pid} \\(the other, `)]);
    await letGo();
    expect((await run()).steps.length).toBeGreaterThan(0);
  });

  it('for the lock of another one goes on when that is free', async () => {
    await holding(await schemaLock());
    const done = run({ onWait: () => void letGo() });
    expect((await done).steps.length).toBeGreaterThan(0);
  });

  it('for a table says so too, also where it only plans', async () => {
    await run();
    const pid = await holding(`LOCK TABLE ${SCHEMA}.sluice_migrations`);
    for (const plan of [true, false]) {
      await expect(run({ lockTimeoutMs: 2_000, plan })).rejects.toMatchObject({
        code: 'SLUICE_MIGRATION_LOCKED',
        message: expect.stringContaining(`process ${pid} `),
      });
    }
    expect(said).toHaveLength(2);
    await letGo();
  });

  it.each(['toClient', 'toServer'] as const)(
    'for an answer that is lost gives up, and continues when run again: %s',
    async (direction) => {
      for (const afterBytes of [0, 600, 2_500]) {
        await store.pool.query('SELECT 1');
        const silent = proxy.stall({ direction, connection: proxy.connections.at(-1)!.id, afterBytes });
        await expect(run({ answerTimeoutMs: 1_000 })).rejects.toMatchObject({
          code: 'SLUICE_MIGRATION_FAILED',
          message: expect.stringMatching(/no answer for 1000 ms, and its process \d+ runs no statement.*migrate again/),
        });
        expect(silent.fired).toBe(1);
        await silent.mend();
      }
      await run();
      expect((await run()).steps).toEqual([]);
    },
  );

  it('for a server that is gone without a word gives up', async () => {
    await store.pool.query('SELECT 1');
    const silent = proxy.stall({ direction: 'toClient', times: Number.POSITIVE_INFINITY });
    await expect(run({ answerTimeoutMs: 1_000 })).rejects.toMatchObject({
      code: 'SLUICE_MIGRATION_FAILED',
      message: expect.stringMatching(/no answer for 1000 ms, and no other connection is had/),
    });
    expect(silent.fired).toBeGreaterThan(0);
  }, 20_000);

  it('for a statement that runs waits as long as it takes', async () => {
    await holding(await schemaLock());
    const done = run({ answerTimeoutMs: 1_500 });
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await letGo();
    expect((await done).steps.length).toBeGreaterThan(0);
  });

  it('leaves no lock behind when its program is gone: the server ends what is idle within a step', async () => {
    const idle = new Set<string>();
    const client = await store.pool.connect();
    const { query } = client;
    Object.assign(client, {
      query: async (...args: unknown[]) => {
        if (String(args[0]).startsWith('CREATE')) {
          const { rows } = await (query as (text: string) => Promise<{ rows: { limit: string }[] }>).call(
            client,
            "SELECT current_setting('idle_in_transaction_session_timeout') AS limit",
          );
          idle.add(rows[0]!.limit);
        }
        return (query as (...args: unknown[]) => unknown).call(client, ...args);
      },
    });
    client.release();
    await run();
    expect([...idle]).toEqual(['1min']);
  });
});
