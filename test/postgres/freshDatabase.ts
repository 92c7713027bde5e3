import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { startPostgres, type TestDatabase } from './server.js';

export interface FreshDatabase {
  /** The connection string, from `beforeAll` on. */
  readonly url: string;
  /** A pool that is ended after the last test. */
  pool(config?: pg.PoolConfig): pg.Pool;
}

/**
 * An empty database on a real server for the test file or `describe` that calls this, dropped after its last test.
 * Fails with the remedy where no server can be had.
 */
export function freshDatabase(): FreshDatabase {
  let database: TestDatabase | undefined;
  const pools: pg.Pool[] = [];

  beforeAll(async () => {
    database = await (process.env.SLUICE_TEST_BROKER ? fromBroker(process.env.SLUICE_TEST_BROKER) : fromOwnServer());
  }, 120_000);

  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.end().catch(() => {})));
    await database?.drop();
  }, 60_000);

  const url = () => {
    if (!database) throw new Error('freshDatabase() has its url from beforeAll on');
    return database.url;
  };
  return {
    get url() {
      return url();
    },
    pool(config) {
      const pool = new pg.Pool({ connectionString: url(), ...config });
      // Dropping the database cuts what is still connected.
      pool.on('error', () => {});
      pools.push(pool);
      return pool;
    },
  };
}

async function fromBroker(broker: string): Promise<TestDatabase> {
  const response = await fetch(broker, { method: 'POST' });
  const body = await response.text();
  if (!response.ok) throw new Error(body);
  const { name, url } = JSON.parse(body) as { name: string; url: string };
  return {
    name,
    url,
    async drop() {
      await fetch(`${broker}/${name}`, { method: 'DELETE' });
    },
  };
}

/** Where vitest runs without the global setup, each file has a server of its own. */
async function fromOwnServer(): Promise<TestDatabase> {
  const server = await startPostgres();
  try {
    const database = await server.database();
    return { ...database, drop: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
