import { describe, expect, it } from 'vitest';
import { Table } from './table.js';

const columns = [{ title: 'NAME' }, { title: 'ITEMS', align: 'right' as const }, { title: 'ERROR' }];

describe('a table', () => {
  it('has columns as wide as their widest cell', () => {
    const rows = [
      ['a', '1', 'broken'],
      ['longer', '1,000,000', ''],
    ];
    expect(new Table(columns).lines(rows)).toBe(
      ['NAME        ITEMS  ERROR', 'a               1  broken', 'longer  1,000,000'].join('\n'),
    );
    expect(new Table(columns).lines([])).toBe('NAME  ITEMS  ERROR');
  });

  it('comes part by part, under one head', () => {
    const table = new Table(columns);
    expect(table.lines([['a', '1', 'x']])).toBe('NAME  ITEMS  ERROR\na         1  x');
    expect(table.lines([['longer', '2', 'y']])).toBe('longer      2  y');
    expect(table.lines([['b', '3', 'z']])).toBe('b           3  z');
  });

  it('is cut at the width of the terminal, between letters', () => {
    expect(new Table(columns, 17).lines([['a', '1', '🚢🚢🚢🚢🚢🚢🚢']]).split('\n')).toEqual([
      'NAME  ITEMS  ERR…',
      'a         1  🚢🚢🚢…',
    ]);
  });

  it('shows nothing that moves the cursor', () => {
    expect(new Table([{ title: 'X' }]).lines([['a\u001b[2Jb\r\nc\u202Ed']])).toBe('X\na�[2Jb c�d');
  });
});
