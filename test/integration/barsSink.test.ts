import pg from 'pg';
import { from } from 'rxjs';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { barsSink } from '../../src/sinks/barsSink.js';
import { embeddedStore } from '../postgres/embeddedStore.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { bar, barsOf, storedBars, write } from './bars.js';
import { semantics } from './barsSinkSemantics.js';

describe('on a Postgres server', () => {
  const database = freshDatabase();
  let pool: pg.Pool;
  beforeAll(() => {
    pool = database.pool({ max: 8 });
  });

  semantics({ pool: () => pool, strategies: ['auto', 'unnest', 'copyUpsert', 'copy'] });

  beforeEach(async () => {
    await pool.query('DROP TABLE IF EXISTS bars');
  });

  it.each(['auto', 'unnest', 'copyUpsert', 'copy'] as const)(
    'does not let "two writers put an older bar over a newer" come back: four lanes at once (%s)',
    async (strategy) => {
      const sink = barsSink(pool, { strategy });
      const versions = Array.from({ length: 40 }, (_, i) => i + 1);
      // Each lane writes all keys, in another order of versions and of keys: they meet everywhere.
      await Promise.all(
        [7, 11, 13, 17].map(async (step, lane) => {
          for (let i = 0; i < versions.length; i++) {
            const seq = versions[(i * step + lane) % versions.length]!;
            const bars = barsOf(200, { seq, open: seq });
            await write(sink, lane % 2 ? bars.reverse() : bars);
          }
        }),
      );
      const rows = await storedBars(pool);
      expect(rows).toHaveLength(200);
      expect(new Set(rows.map(({ open, seq }) => `${open}/${seq}`))).toEqual(new Set(['40/40']));
    },
  );

  it('does not let "one duplicate key aborts a whole COPY batch" come back: that batch is upserted', async () => {
    const sink = barsSink(pool, { strategy: 'copy' });
    const bars = barsOf(500);
    await write(sink, [bars[321]!]);
    expect(await write(sink, bars)).toEqual({ rows: 499 });
    expect(await storedBars(pool)).toHaveLength(500);
  });

  it('creates the table once when several sinks come at once, each on several connections', async () => {
    const pools = [database.pool({ max: 4 }), database.pool({ max: 4 }), database.pool({ max: 4 })];
    const schema = 'created_at_once';
    const sinks = pools.map((each) => barsSink(each, { schema }));
    const writes = sinks.flatMap((sink, s) =>
      [0, 1, 2, 3].map((lane) => write(sink, [bar({ symbol: `S${s}`, vendor: `v${lane}` })])),
    );
    expect(await Promise.all(writes)).toEqual(Array.from({ length: 12 }, () => ({ rows: 1 })));
    expect(await storedBars(pool, `${schema}.bars`)).toHaveLength(12);
    await pool.query(`DROP SCHEMA ${schema} CASCADE`);
  });

  it.each(['unnest', 'copyUpsert', 'copy'] as const)(
    'reports a connection that is cut while it writes, and the next write works (%s)',
    async (strategy) => {
      const lone = database.pool({ max: 1, application_name: 'victim' });
      const sink = barsSink(lone, { strategy });
      await write(sink, barsOf(60));
      // The write waits for the lock of this transaction, and there it is cut.
      const blocker = await pool.connect();
      await blocker.query('BEGIN; LOCK TABLE bars IN ACCESS EXCLUSIVE MODE');
      const cut = write(sink, barsOf(60, { seq: 2 }));
      const failure = expect(cut).rejects.toMatchObject({
        name: 'StoreError',
        code: 'SLUICE_STORE_CONNECTION_LOST',
      });
      await untilWaiting(pool, 'victim');
      await pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'");
      await failure;
      await blocker.query('ROLLBACK');
      blocker.release();
      expect(await write(sink, barsOf(60, { seq: 3 }))).toEqual({ rows: 60 });
    },
  );

  it('survives an idle connection that is cut', async () => {
    const lone = new pg.Pool({ connectionString: database.url, max: 1, application_name: 'idler' });
    const sink = barsSink(lone);
    await write(sink, barsOf(60));
    const removed = new Promise((resolve) => lone.once('remove', resolve));
    await pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'idler'");
    await removed;
    expect(await write(sink, barsOf(60, { seq: 2 }))).toEqual({ rows: 60 });
    await lone.end();
  });

  it.each(['unnest', 'copyUpsert', 'copy'] as const)(
    'lets the pool end though a write that was unsubscribed waits for a lock (%s)',
    async (strategy) => {
      const own = new pg.Pool({ connectionString: database.url, max: 3, application_name: `stuck_${strategy}` });
      const sink = barsSink(own, { strategy });
      await write(sink, barsOf(60));
      const other = await own.connect();
      const blocker = await pool.connect();
      await blocker.query('BEGIN; LOCK TABLE bars IN ACCESS EXCLUSIVE MODE');
      const stuck = from(sink.write(barsOf(60, { seq: 2 }))).subscribe();
      await untilWaiting(pool, `stuck_${strategy}`);
      stuck.unsubscribe();
      // The others of the pool go on.
      expect((await other.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
      other.release();
      await own.end();
      expect(own.totalCount).toBe(0);
      await terminate(pool, `stuck_${strategy}`);
      await blocker.query('ROLLBACK');
      blocker.release();
    },
  );

  it('lets the pool end though the first write, unsubscribed, waits to prepare', async () => {
    const own = new pg.Pool({ connectionString: database.url, max: 1, application_name: 'stuck_first' });
    const blocker = await pool.connect();
    // As the creation of a table by someone else that does not end: the lock on the name of the new table.
    await blocker.query('BEGIN; CREATE TABLE bars (id int)');
    const stuck = from(barsSink(own).write(barsOf(60))).subscribe();
    await untilWaiting(pool, 'stuck_first');
    stuck.unsubscribe();
    await own.end();
    await terminate(pool, 'stuck_first');
    await blocker.query('ROLLBACK');
    blocker.release();
  });

  it('does not let an unsubscribed write take the preparation from another', async () => {
    const blocker = await pool.connect();
    await blocker.query('BEGIN; CREATE TABLE bars (id int)');
    const own = database.pool({ max: 2, application_name: 'prepares' });
    const sink = barsSink(own);
    const given = from(sink.write(barsOf(60))).subscribe();
    const kept = write(sink, barsOf(60));
    await untilWaiting(pool, 'prepares');
    given.unsubscribe();
    await blocker.query('ROLLBACK');
    blocker.release();
    expect(await kept).toEqual({ rows: 60 });
  });

  it.each(['unnest', 'copyUpsert'] as const)(
    'makes anew what DISCARD ALL takes from a session (%s)',
    async (strategy) => {
      const lone = database.pool({ max: 1 });
      const sink = barsSink(lone, { strategy });
      for (let seq = 1; seq <= 3; seq++) {
        expect(await write(sink, barsOf(60, { seq }))).toEqual({ rows: 60 });
        await lone.query('DISCARD ALL');
      }
    },
  );

  it('gives up a session that has become read-only, and the next attempt writes', async () => {
    const own = new pg.Pool({ connectionString: database.url, max: 1 });
    const sink = barsSink(own);
    expect(await write(sink, barsOf(60, { seq: 1 }))).toEqual({ rows: 60 });
    await own.query('SET default_transaction_read_only = on');
    await expect(write(sink, barsOf(60, { seq: 2 }))).rejects.toMatchObject({
      sqlState: '25006',
      failureClass: 'transient',
    });
    expect(await write(sink, barsOf(60, { seq: 2 }))).toEqual({ rows: 60 });
    await own.end();
  });

  it('leaves no transaction open on a connection where the table could not be created', async () => {
    const role = await roleOf(pool, 'novice');
    await pool.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
    const novice = new pg.Pool({ connectionString: urlOf(database.url, role), max: 1 });
    const sink = barsSink(novice);
    await expect(write(sink, barsOf(60))).rejects.toMatchObject({ code: 'SLUICE_STORE_PERMISSION' });
    expect((await novice.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await pool.query(`GRANT CREATE ON SCHEMA public TO ${role}`);
    expect(await write(sink, barsOf(60))).toEqual({ rows: 60 });
    await novice.end();
    await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}; GRANT CREATE ON SCHEMA public TO PUBLIC`);
  });

  it('does without a staging table where the user may not make one', async () => {
    await write(barsSink(pool), barsOf(1200));
    const role = await roleOf(pool, 'untemped');
    const { rows } = await pool.query<{ name: string }>('SELECT quote_ident(current_database()) AS name');
    const name = rows[0]!.name;
    await pool.query(`REVOKE TEMP ON DATABASE ${name} FROM PUBLIC; GRANT SELECT, INSERT, UPDATE ON bars TO ${role}`);
    const own = new pg.Pool({ connectionString: urlOf(database.url, role), max: 1 });
    const sink = barsSink(own);
    // The straight COPY conflicts, and the staging table is refused.
    for (const seq of [2, 3]) expect(await write(sink, barsOf(1200, { seq }))).toEqual({ rows: 1200 });
    await expect(write(barsSink(own, { strategy: 'copyUpsert' }), barsOf(60))).rejects.toMatchObject({
      code: 'SLUICE_STORE_PERMISSION',
    });
    await own.end();
    await pool.query(`GRANT TEMP ON DATABASE ${name} TO PUBLIC; DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  it('does without COPY into a table with row-level security', async () => {
    await write(barsSink(pool), [bar()]);
    const role = await roleOf(pool, 'watched');
    await pool.query(`ALTER TABLE bars ENABLE ROW LEVEL SECURITY; CREATE POLICY every ON bars TO ${role} USING (true)`);
    await pool.query(`GRANT SELECT, INSERT, UPDATE ON bars TO ${role}`);
    const own = new pg.Pool({ connectionString: urlOf(database.url, role), max: 1 });
    const sink = barsSink(own);
    for (const seq of [2, 3]) expect(await write(sink, barsOf(60, { seq }))).toEqual({ rows: 60 });
    await expect(write(barsSink(own, { strategy: 'copy' }), barsOf(60))).rejects.toMatchObject({ sqlState: '0A000' });
    await own.end();
    await pool.query(`DROP TABLE bars; DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  it('names a permission that is missing, and does not need CREATE where the table is there', async () => {
    await write(barsSink(pool), [bar()]);
    const { rows } = await pool.query<{ name: string }>('SELECT current_database() AS name');
    const role = `clerk_${rows[0]!.name}`;
    await pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'clerk'; REVOKE CREATE ON SCHEMA public FROM PUBLIC`);
    const url = new URL(database.url);
    url.username = role;
    url.password = 'clerk';
    const clerk = new pg.Pool({ connectionString: url.toString(), max: 2 });
    const sink = barsSink(clerk);
    await expect(write(sink, barsOf(60))).rejects.toMatchObject({
      code: 'SLUICE_STORE_PERMISSION',
      sqlState: '42501',
      message: expect.stringContaining('grant'),
    });
    await pool.query(`GRANT SELECT, INSERT, UPDATE ON bars TO ${role}`);
    expect(await write(sink, barsOf(60, { seq: 2 }))).toEqual({ rows: 60 });
    await clerk.end();
    await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}; GRANT CREATE ON SCHEMA public TO PUBLIC`);
  });
});

describe('on PGlite', () => {
  const store = embeddedStore();

  semantics({ pool: () => store().pool as pg.Pool, strategies: ['auto', 'unnest'] });

  it.each(['copy', 'copyUpsert'] as const)('refuses the strategy %s, which would end the process', async (strategy) => {
    await expect(write(barsSink(store().pool, { strategy }), barsOf(60))).rejects.toMatchObject({
      code: 'SLUICE_STORE_UNSUPPORTED',
    });
  });

  it('reports each failure in its turn, and the statement after it rightly', async () => {
    const { pool } = store();
    await pool.query('DROP TABLE IF EXISTS bars');
    const sink = barsSink(pool);
    const clash = barsSink(pool, { table: 'clash' });
    await write(clash, [bar()]);
    await pool.query('ALTER TABLE clash ADD CHECK (close < 1000)');
    const missing = barsSink(pool, { table: 'nowhere', createTable: false });
    const failures = [
      [sink, [bar({ symbol: 'A\0' })], '22021'],
      [clash, [bar({ seq: 2, close: 5000 })], '23514'],
      [missing, [bar()], '42P01'],
    ] as const;
    for (let round = 1; round <= 3; round++) {
      for (const [failing, batch, sqlState] of failures) {
        await expect(write(failing, batch)).rejects.toMatchObject({ sqlState });
        const version = round * 100 + failures.findIndex((failure) => failure[2] === sqlState);
        expect(await write(sink, [bar({ seq: version })])).toEqual({ rows: 1 });
        const { rows } = await pool.query('SELECT seq::int AS seq FROM bars');
        expect(rows).toEqual([{ seq: version }]);
      }
    }
  });
});

/** Until a statement of the application waits for a lock. */
async function untilWaiting(pool: pg.Pool, application: string): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ waiting: boolean }>(
      "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock') AS waiting",
      [application],
    );
    if (rows[0]?.waiting) return;
  }
}

/** Ends what the server still does for an application: it would go on once it has its lock. */
async function terminate(pool: pg.Pool, application: string): Promise<void> {
  await pool.query('SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE application_name = $1', [
    application,
  ]);
}

/** A role of this name that may log in, of the database of the pool alone: roles are the server's. */
async function roleOf(pool: pg.Pool, name: string): Promise<string> {
  const { rows } = await pool.query<{ name: string }>('SELECT current_database() AS name');
  const role = `${name}_${rows[0]!.name}`;
  await pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'open sesame'`);
  return role;
}

function urlOf(databaseUrl: string, role: string): string {
  const url = new URL(databaseUrl);
  url.username = role;
  url.password = 'open sesame';
  return url.toString();
}
