import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { barsSink } from '../sinks/barsSink.js';
import { fundamentalsSink } from '../sinks/fundamentalsSink.js';
import { newsSink } from '../sinks/newsSink.js';
import { optionsSink } from '../sinks/optionsSink.js';

describe.each([
  ['barsSink', barsSink, 'bars'],
  ['optionsSink', optionsSink, 'options_snap'],
  ['newsSink', newsSink, 'news'],
  ['fundamentalsSink', fundamentalsSink, 'fundamentals'],
])('%s', (owner, sinkOf, table) => {
  const pool = new pg.Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none' });

  it('is named for its table, or as it is told', () => {
    expect(sinkOf(pool).name).toBe(table);
    expect(sinkOf(pool, { table: 'elsewhere' }).name).toBe(table);
    expect(sinkOf(pool, { name: 'mine' }).name).toBe('mine');
  });

  it.each([
    [{ table: '' }, 'table must be a name of 1 to 63 bytes, got ""'],
    [{ table: 'é'.repeat(32) }, 'table must be a name of 1 to 63 bytes'],
    [{ schema: 'a\0b' }, 'schema must be a name of 1 to 63 bytes'],
    [{ strategy: 'fast' }, 'strategy must be one of "auto", "unnest", "copyUpsert", "copy", got "fast"'],
    [{ clock: 5 }, 'clock must be a function, got 5'],
    [{ createTable: 'no' }, 'createTable must be true or false, got "no"'],
    [{ name: '' }, 'name must be a string that is not empty, got ""'],
    [{ tabel: 'bars' }, 'unknown option "tabel"'],
  ])('refuses %j when it is made, and names itself', (config, message) => {
    expect(() => sinkOf(pool, config as object)).toThrow(RangeError);
    expect(() => sinkOf(pool, config as object)).toThrow(`${owner}: ${message}`);
  });

  it('refuses what is no pool', () => {
    expect(() => sinkOf({} as pg.Pool)).toThrow(`${owner}: the connect of its pool must be a function`);
  });

  it('stamps by its clock, which is not asked where there is nothing to stamp', () => {
    let read = 0;
    const { stamp } = sinkOf(pool, { clock: () => ++read });
    const numbered = [{ seq: 1 }] as never[];
    expect(stamp?.(numbered)).toBe(numbered);
    expect(read).toBe(0);
    expect(stamp?.([{ vendor: 'v' }] as never[])).toEqual([{ vendor: 'v', seq: 1000 }]);
  });
});
