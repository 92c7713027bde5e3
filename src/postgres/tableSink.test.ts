import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { barsSink } from '../sinks/barsSink.js';
import { fundamentalsSink } from '../sinks/fundamentalsSink.js';
import { gapsSink } from '../sinks/gapsSink.js';
import { newsSink } from '../sinks/newsSink.js';
import { optionsSink } from '../sinks/optionsSink.js';
import { quotesSink } from '../sinks/quotesSink.js';
import { tradesSink } from '../sinks/tradesSink.js';
import type { Table } from './table.js';
import { tableSink } from './tableSink.js';

describe.each([
  ['barsSink', barsSink, 'bars'],
  ['optionsSink', optionsSink, 'options_snap'],
  ['newsSink', newsSink, 'news'],
  ['fundamentalsSink', fundamentalsSink, 'fundamentals'],
  ['tradesSink', tradesSink, 'trades'],
  ['quotesSink', quotesSink, 'quotes'],
  ['gapsSink', gapsSink, 'gaps'],
])('%s', (owner, sinkOf, table) => {
  const pool = new pg.Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none' });

  it('is named for its table, or as its options say', () => {
    expect(sinkOf(pool).name).toBe(table);
    expect(sinkOf(pool, { table: 'elsewhere' }).name).toBe(table);
    expect(sinkOf(pool, { name: 'mine' }).name).toBe('mine');
  });

  it.each([
    [{ table: '' }, 'table must be a name of 1 to 63 bytes, got ""'],
    [{ table: 'é'.repeat(32) }, 'table must be a name of 1 to 63 bytes'],
    [{ schema: 'a\0b' }, 'schema must be a name of 1 to 63 bytes'],
    [{ strategy: 'fast' }, 'strategy must be one of "auto", "unnest", "copyUpsert", "copy", got "fast"'],
    [{ now: 5 }, 'now must be a function, got 5'],
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
    const { stamp } = sinkOf(pool, { now: () => ++read });
    const numbered = [{ seq: 1 }] as never[];
    expect(stamp?.(numbered)).toBe(numbered);
    expect(read).toBe(0);
    expect(stamp?.([{ vendor: 'v' }] as never[])).toEqual([{ vendor: 'v', seq: 1000 }]);
  });
});

describe('tableSink', () => {
  interface Tick {
    readonly id: string;
    readonly seq?: number;
  }
  const pool = new pg.Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none' });
  const ticks: Table<Tick> = {
    name: 'ticks',
    columns: [
      { name: 'id', type: 'text', of: ({ id }) => id },
      { name: 'note', type: 'text', nullable: true, of: () => null },
      { name: 'tags', type: 'text[]', of: () => [] },
      { name: 'flag', type: 'bool', of: () => true },
      { name: 'seq', type: 'int8', of: (_tick, seq) => seq },
    ],
    key: ['id'],
    keyOf: ({ id }) => id,
    version: 'seq',
    versionOf: ({ seq }) => seq,
    numbered: (tick, seq) => ({ ...tick, seq }),
  };

  it('takes name, lanes and versions from the description', () => {
    const sink = tableSink(pool, ticks, { now: () => 5 });
    expect(sink.name).toBe('ticks');
    expect(sink.keyOf?.({ id: 'a' })).toBe('a');
    expect(sink.stamp?.([{ id: 'a' }])).toEqual([{ id: 'a', seq: 5000 }]);
    expect(sink.classify?.({ code: '53300' })).toBe('transient');
    expect(sink.classify?.({ code: 'P0001' })).toBe('poison');
  });

  it.each<[object, string]>([
    [{ name: '' }, 'name must be a name of 1 to 63 bytes, got ""'],
    [{ columns: [] }, 'columns must be an array that is not empty'],
    [{ columns: [{ name: 'id', type: 'varchar', of: () => '' }] }, 'columns[0]: type must be one of "text"'],
    [{ columns: [{ name: 'id', type: 'text' }] }, 'columns[0]: of must be a function'],
    [{ columns: [...ticks.columns, ticks.columns[0]] }, 'columns must be columns with different names'],
    [{ key: [] }, 'key must be an array that is not empty'],
    [
      { key: ['nobody'] },
      'key must be a list of columns that are neither nullable nor of type bool or text[], got "nobody"',
    ],
    [{ key: ['note'] }, 'key must be a list of columns that are neither nullable'],
    [
      { key: ['flag'] },
      'key must be a list of columns that are neither nullable nor of type bool or text[], got "flag"',
    ],
    [{ key: ['tags'] }, 'key must be a list of columns that are neither nullable'],
    [{ version: 'id' }, 'version must be a column of type int8 that is neither nullable nor part of the key, got "id"'],
    [{ key: ['id', 'seq'] }, 'version must be a column of type int8'],
    [{ keyOf: 'id' }, 'keyOf must be a function'],
    [{ kolumns: [] }, 'unknown option "kolumns"'],
  ])('refuses the description %j', (fields, message) => {
    const make = () => tableSink(pool, { ...ticks, ...fields } as Table<Tick>);
    expect(make).toThrow(RangeError);
    expect(make).toThrow(`tableSink: its table: ${message}`);
  });
});
