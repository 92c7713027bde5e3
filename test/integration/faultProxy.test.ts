import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { barsSink } from '../../src/sinks/barsSink.js';
import { type FaultProxy, startFaultProxy } from '../../src/testing/index.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { barsOf, storedBars, write } from './bars.js';

describe('a fault proxy before Postgres', () => {
  const database = freshDatabase();
  let proxy: FaultProxy;
  let direct: pg.Pool;
  let pool: pg.Pool;

  beforeAll(async () => {
    proxy = await startFaultProxy({ target: database.url });
    direct = database.pool();
    pool = new pg.Pool({ connectionString: proxy.url(database.url), max: 1 });
    pool.on('error', () => {});
  });
  afterAll(async () => {
    await pool.end();
    await proxy.close();
  });
  beforeEach(async () => {
    await proxy.mend();
    await direct.query('DROP TABLE IF EXISTS things, bars; CREATE TABLE things (id int PRIMARY KEY DEFERRABLE)');
  });
  const ids = async () =>
    (await direct.query<{ id: number }>('SELECT id FROM things ORDER BY id')).rows.map(({ id }) => id);
  const LOST = /terminated|ECONNRESET/;

  it.each<[string, () => Promise<unknown>]>([
    ['an insert', () => pool.query('INSERT INTO things VALUES (1)')],
    ['a prepared insert', () => pool.query('INSERT INTO things VALUES ($1)', [1])],
    ['a transaction in one message', () => pool.query('BEGIN; INSERT INTO things VALUES (1); COMMIT')],
    [
      'a transaction in several',
      async () => {
        const client = await pool.connect();
        client.on('error', () => {});
        try {
          await client.query('BEGIN');
          await client.query('INSERT INTO things VALUES (1)');
          await client.query('COMMIT');
        } finally {
          client.release(true);
        }
      },
    ],
  ])('lets %s commit, and loses the reply', async (_, statement) => {
    for (const how of ['cut', 'reset'] as const) {
      await direct.query('TRUNCATE things');
      const lost = proxy.dropCommitReply({ how });
      await expect(statement()).rejects.toThrow(LOST);
      expect(lost.fired).toBe(1);
      expect(await ids()).toEqual([1]);
      await expect(pool.query('SELECT 1')).resolves.toMatchObject({ rowCount: 1 });
    }
  });

  it.each(['copy', 'copyUpsert', 'unnest'] as const)(
    'lets a batch by %s commit, and loses the reply',
    async (strategy) => {
      const sink = barsSink(pool, { strategy });
      await write(sink, barsOf(1));
      const lost = proxy.dropCommitReply();
      const bars = barsOf(500, { symbol: 'LOST' });
      await expect(write(sink, bars)).rejects.toMatchObject({ code: 'SLUICE_STORE_CONNECTION_LOST' });
      expect(lost.fired).toBe(1);
      expect(await storedBars(direct)).toHaveLength(501);
      expect(await write(sink, bars)).toEqual({ rows: 0 });
      expect(await storedBars(direct)).toHaveLength(501);
    },
  );

  it('waits for a statement that commits', async () => {
    const lost = proxy.dropCommitReply();
    await pool.query('SELECT 1');
    await pool.query('BEGIN; INSERT INTO things VALUES (1); ROLLBACK');
    await expect(pool.query('INSERT INTO things VALUES (2), (2)')).rejects.toMatchObject({ code: '23505' });
    const client = await pool.connect();
    client.on('error', () => {});
    await client.query('BEGIN');
    await client.query('SET CONSTRAINTS ALL DEFERRED');
    await client.query('INSERT INTO things VALUES (3), (3)');
    await expect(client.query('COMMIT')).rejects.toMatchObject({ code: '23505' });
    expect(lost.fired).toBe(0);
    await expect(client.query('INSERT INTO things VALUES (4)')).rejects.toThrow(LOST);
    client.release(true);
    expect(lost.fired).toBe(1);
    expect(await ids()).toEqual([4]);
  });

  it('can leave the client without a word, until it is mended', async () => {
    const lost = proxy.dropCommitReply({ how: 'stall' });
    const client = await pool.connect();
    client.on('error', () => {});
    const silent = client.query('INSERT INTO things VALUES (1)').catch((error: Error) => error.message);
    await lost.whenFired();
    expect(await ids()).toEqual([1]);
    client.release(true);
    expect(await silent).toMatch(LOST);
    await pool.query('INSERT INTO things VALUES (2)');
    expect(lost.fired).toBe(1);
    await lost.mend();
  });

  it('leaves a connection half-open after so many rows of a result', async () => {
    const halfOpen = proxy.halfOpen({ afterRows: 3 });
    const client = await pool.connect();
    client.on('error', () => {});
    let rows = 0;
    const query = client.query(new pg.Query('SELECT generate_series(1, 1000)'));
    query.on('row', () => {
      rows += 1;
    });
    const failed = new Promise<Error>((resolve) => query.once('error', resolve));
    await halfOpen.whenFired();
    await vi.waitFor(() => expect(rows).toBe(3));
    // Over another connection, so that more would have had the time to arrive.
    await direct.query('SELECT 1');
    expect(rows).toBe(3);
    await halfOpen.mend();
    expect((await failed).message).toMatch(LOST);
    client.release(true);
    expect(halfOpen.fired).toBe(1);
  });

  it('cuts a batch on its way, of which nothing is stored', async () => {
    const sink = barsSink(pool);
    await write(sink, barsOf(1));
    const cut = proxy.cut({ afterBytes: 10_000 });
    const bars = barsOf(500, { symbol: 'CUT' });
    await expect(write(sink, bars)).rejects.toMatchObject({ code: 'SLUICE_STORE_CONNECTION_LOST' });
    expect(cut.fired).toBe(1);
    expect(await storedBars(direct)).toHaveLength(1);
    expect(await write(sink, bars)).toEqual({ rows: 500 });
  });

  it('is refused by a server that is gone, as the driver says it', async () => {
    const refusal = proxy.refuse();
    expect(proxy.sever()).toBe(1);
    await vi.waitFor(() => expect(pool.totalCount).toBe(0));
    const sink = barsSink(pool);
    await expect(write(sink, barsOf(1))).rejects.toMatchObject({ code: 'SLUICE_STORE_UNREACHABLE' });
    await refusal.mend();
    expect(await write(sink, barsOf(1))).toEqual({ rows: 1 });
  });
});
