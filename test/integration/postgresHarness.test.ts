import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { startPostgres } from '../postgres/server.js';

const database = freshDatabase();

describe('the Postgres of the tests', () => {
  it('answers on a database of its own', async () => {
    const { rows } = await database.pool().query('SELECT current_database() AS name');
    expect(rows[0].name).toMatch(/^sluice_test_/);
  });

  it('asks for the password', async () => {
    const url = new URL(database.url);
    url.password = 'wrong';
    const client = new pg.Client({ connectionString: url.toString() });
    await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
  });

  it.skipIf(process.env.TEST_DATABASE_URL !== undefined)('is durable on request, and gone after stop', async () => {
    const server = await startPostgres({ durable: true });
    const client = new pg.Client({ connectionString: server.url });
    client.on('error', () => {});
    await client.connect();
    const { rows } = await client.query(
      "SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit",
    );
    expect(rows[0]).toEqual({ fsync: 'on', commit: 'on' });
    await client.end();
    await server.stop();
    const late = new pg.Client({ connectionString: server.url });
    await expect(late.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it.skipIf(process.env.TEST_DATABASE_URL !== undefined)(
    'starts again on the same port, with what was committed',
    async () => {
      const server = await startPostgres();
      try {
        const pool = new pg.Pool({ connectionString: server.url, options: '-c synchronous_commit=on', max: 1 });
        pool.on('error', () => {});
        await pool.query('CREATE TABLE kept (how text)');
        for (const how of ['fast', 'immediate'] as const) {
          await pool.query('INSERT INTO kept VALUES ($1)', [how]);
          const { rows: before } = await pool.query('SELECT pg_postmaster_start_time() AS at');
          await server.restart?.(how);
          const client = new pg.Client({ connectionString: server.url });
          await client.connect();
          const { rows: after } = await client.query('SELECT pg_postmaster_start_time() AS at');
          expect(after[0].at.getTime()).toBeGreaterThan(before[0].at.getTime());
          await client.end();
        }
        const { rows } = await pool.query('SELECT how FROM kept');
        expect(rows).toEqual([{ how: 'fast' }, { how: 'immediate' }]);
        await pool.end();
      } finally {
        await server.stop();
      }
    },
  );
});
