import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { barsSink } from '../../../src/sinks/barsSink.js';

describe('barsSink', () => {
  const pool = new pg.Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none' });

  it.each([
    [{ table: '' }, 'table must be a name of 1 to 63 bytes, got ""'],
    [{ table: 'é'.repeat(32) }, 'table must be a name'],
    [{ schema: 'a\0b' }, 'schema must be a name'],
    [{ strategy: 'fast' }, 'strategy must be one of'],
    [{ clock: 5 }, 'clock must be a function'],
    [{ tabel: 'bars' }, 'unknown option "tabel"'],
  ])('refuses %j when it is made', (config, message) => {
    expect(() => barsSink(pool, config as object)).toThrow(RangeError);
    expect(() => barsSink(pool, config as object)).toThrow(message);
  });

  it('refuses what is no pool', () => {
    expect(() => barsSink({} as pg.Pool)).toThrow('the connect of its pool must be a function');
  });

  it('does not let an idle connection that breaks end the process', () => {
    barsSink(pool);
    barsSink(pool);
    expect(pool.listenerCount('error')).toBe(1);
    expect(() => pool.emit('error', new Error('gone'))).not.toThrow();
  });
});
