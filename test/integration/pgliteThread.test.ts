import { describe, expect, it } from 'vitest';
import { embeddedStore } from '../postgres/embeddedStore.js';

describe('the embedded database', () => {
  const store = embeddedStore();

  it('leaves the event loop alone while a statement runs', async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    const started = performance.now();
    // Nothing to wait for: the processor is busy all the while.
    await store().pool.query('SELECT sum(sqrt(n)) FROM generate_series(1, 1000000) n');
    clearInterval(timer);
    const ms = performance.now() - started;
    // Within the thread of the program it would be none or one, however long the statement takes.
    expect(turns, `${turns} turns in ${ms} ms`).toBeGreaterThan(10);
  }, 60_000);

  it('gives an error with its code and column, and goes on', async () => {
    await store().pool.query('CREATE TABLE t (a int NOT NULL, b bytea)');
    await expect(store().pool.query('INSERT INTO t VALUES (NULL)')).rejects.toMatchObject({
      code: '23502',
      column: 'a',
    });
    await expect(store().pool.query('SELECT nonsense')).rejects.toMatchObject({ code: '42703' });
    const bytes = Buffer.alloc(3_000_000, 7);
    await store().pool.query('INSERT INTO t VALUES (1, $1)', [bytes]);
    const { rows } = await store().pool.query('SELECT a, b FROM t');
    expect(rows).toEqual([{ a: 1, b: bytes }]);
  }, 60_000);

  it('runs statements that are asked for together one after the other', async () => {
    const asked = Array.from({ length: 20 }, (_, n) => store().pool.query('SELECT $1::int AS n', [n]));
    const answers = await Promise.all(asked);
    expect(answers.map(({ rows }) => rows[0]?.n)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  }, 60_000);
});
