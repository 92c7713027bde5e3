import { describe, expect, it } from 'vitest';
import { Table } from './table.js';

const titles = ['NAME', 'ITEMS', 'ERROR'];
const right = ['ITEMS'];

describe('a table', () => {
  it('has columns as wide as their widest cell', () => {
    const rows = [
      ['a', '1', 'broken'],
      ['longer', '1,000,000', ''],
    ];
    expect(new Table(titles, { right }).lines(rows)).toBe(
      ['NAME        ITEMS  ERROR', 'a               1  broken', 'longer  1,000,000'].join('\n'),
    );
    expect(new Table(titles, { right }).lines([])).toBe('NAME  ITEMS  ERROR');
  });

  it('comes part by part, under one head', () => {
    const table = new Table(titles, { right });
    expect(table.lines([['a', '1', 'x']])).toBe('NAME  ITEMS  ERROR\na         1  x');
    expect(table.lines([['longer', '2', 'y']])).toBe('longer      2  y');
    expect(table.lines([['b', '3', 'z']])).toBe('b           3  z');
  });

  it('is cut at the width of the terminal, between letters', () => {
    expect(new Table(titles, { right, width: 17 }).lines([['a', '1', '🚢🚢🚢🚢🚢🚢🚢']]).split('\n')).toEqual([
      'NAME  ITEMS  ERR…',
      'a         1  🚢🚢🚢…',
    ]);
  });

  it('shows nothing that moves the cursor', () => {
    expect(new Table(['X']).lines([['a\u001b[2Jb\r\nc\u202Ed']])).toBe('X\na\\u001b[2Jb c\\u202ed');
  });
});
