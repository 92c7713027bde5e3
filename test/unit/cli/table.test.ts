import { describe, expect, it } from 'vitest';
import { table } from '../../../src/cli/table.js';

const columns = [{ title: 'NAME' }, { title: 'ITEMS', align: 'right' as const }, { title: 'ERROR' }];

describe('a table', () => {
  it('has columns as wide as their widest cell', () => {
    const rows = [
      ['a', '1', 'broken'],
      ['longer', '1,000,000', ''],
    ];
    expect(table(columns, rows)).toBe(
      ['NAME        ITEMS  ERROR', 'a               1  broken', 'longer  1,000,000'].join('\n'),
    );
    expect(table(columns, [])).toBe('NAME  ITEMS  ERROR');
  });

  it('is cut at the width of the terminal, between letters', () => {
    expect(table(columns, [['a', '1', '🚢🚢🚢🚢🚢🚢🚢']], 17).split('\n')).toEqual([
      'NAME  ITEMS  ERR…',
      'a         1  🚢🚢🚢…',
    ]);
  });

  it('shows nothing that moves the cursor', () => {
    expect(table([{ title: 'X' }], [['a\u001b[2Jb\r\nc\u202Ed']])).toBe('X\na�[2Jb c�d');
  });
});
