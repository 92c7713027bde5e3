import { describe, expect, it } from 'vitest';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { openServer, patiently } from './timescalePlace.js';

describe('the place of the tests of TimescaleDB', () => {
  const database = freshDatabase();

  it('may be opened several times at once on one server, and leaves nothing of itself behind', async () => {
    const pool = database.pool({ max: 1 });
    const places = await Promise.all([openServer(database.url), openServer(database.url)]);
    const found = async () => {
      const { rows } = await pool.query(
        `SELECT (SELECT count(*)::int FROM pg_database WHERE datname = ANY($1)) AS databases,
                (SELECT count(*)::int FROM pg_roles WHERE rolname = ANY($1)) AS roles`,
        [places.map(({ modest }) => modest)],
      );
      return rows[0];
    };
    expect(await found()).toEqual({ databases: 2, roles: 2 });
    for (const { pool: own, modest } of places) {
      await own.query(
        `CREATE SCHEMA a AUTHORIZATION ${modest}; CREATE TABLE a.b (); ALTER TABLE a.b OWNER TO ${modest}`,
      );
    }
    await Promise.all(places.map(({ close }) => close()));
    expect(await found()).toEqual({ databases: 0, roles: 0 });
  });

  it('repeats what met a background job, and nothing else', async () => {
    let attempts = 0;
    const failing = (error: object) => () => {
      attempts += 1;
      return attempts === 1 ? Promise.reject(error) : Promise.resolve(attempts);
    };
    const met = new Error('failed', { cause: Object.assign(new Error('no lock'), { code: '55P03' }) });
    expect(await patiently(failing(met))).toBe(2);
    attempts = 0;
    await expect(patiently(failing(Object.assign(new Error('exists'), { code: '42710' })))).rejects.toThrow('exists');
  });
});
