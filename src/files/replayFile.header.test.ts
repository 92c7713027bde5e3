import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { csv, HEADER, replay, row } from '../../test/support/barFiles.js';
import { type Config, readRecords } from '../../test/support/fileRecords.js';
import { Folder } from '../../test/support/folder.js';

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder.remove());

const read = (content: string, config: Config = {}, name = 'table.csv') =>
  readRecords(folder.write(name, content), config);

describe('replayFile', () => {
  it('passes over as many lines as it is told to, and counts them', async () => {
    const { records, lines, bad } = await read('made by, "x\n\nts;close\na,b\n1,2', { skipLines: 3 });
    expect([records, lines, bad]).toEqual([[{ a: '1', b: '2' }], [5], []]);
    expect((await read('x\n{"a":1}\n', { skipLines: 1 }, 'a.ndjson')).records).toEqual([{ a: 1 }]);
    expect((await read('a,b\n1,2', { skipLines: 9 })).records).toEqual([]);
    const { bad: long } = await read(`${'x'.repeat(500)}\na,b\n1,2`, { skipLines: 1, maxRecordBytes: 100 });
    expect(long).toEqual([]);
  });

  describe('takes a line that begins with # for', () => {
    it('a comment before the header, whatever it holds', async () => {
      for (const comment of ['# made by us', '#', '# one, two', '#a;b, "c', '# 2024, 1, 2']) {
        const { records, lines, bad } = await read(`${comment}\n\n${comment}\na,b\n1,2\n`);
        expect([records, lines, bad]).toEqual([[{ a: '1', b: '2' }], [5], []]);
      }
    });

    it('the header, if it has as many fields as the next line, which holds values', async () => {
      const { records, lines, bad } = await read('# from here\n#RIC,Time,Last\nX.O,2024-01-02T09:30:00Z,1.5\nY.O,2,3');
      expect(bad).toEqual([]);
      expect(records).toEqual([
        { '#RIC': 'X.O', Time: '2024-01-02T09:30:00Z', Last: '1.5' },
        { '#RIC': 'Y.O', Time: '2', Last: '3' },
      ]);
      expect(lines).toEqual([3, 4]);
      expect((await read('#Day;Close\n2024-01-02;1,5\n')).records).toEqual([{ '#Day': '2024-01-02', Close: '1,5' }]);
      expect((await read('#a,b,\n1,2,\n')).records).toEqual([{ '#a': '1', b: '2' }]);
    });

    it('a header whose first name stands behind the mark and a blank', async () => {
      expect((await read('# ts,close\n1,2\n')).records).toEqual([{ ts: '1', close: '2' }]);
    });

    it('a row, if it has the fields of the header, and a comment otherwise', async () => {
      const { records, bad } = await read('symbol,close\n#AAPL,1\n# a comment\n# a, "long, b\n#c,d,e\nMSFT,2\n#');
      expect(bad).toEqual([]);
      expect(records).toEqual([
        { symbol: '#AAPL', close: '1' },
        { symbol: 'MSFT', close: '2' },
      ]);
    });

    it('what the option says', async () => {
      const { records } = await read('// a,b\nx,y\n//1,2\n#,3\n', { comment: '//' });
      expect(records).toEqual([{ x: '#', y: '3' }]);
      const { records: all, bad } = await read('#x,y\n#1\n#2,3\n', { comment: false });
      expect(all).toEqual([{ '#x': '#2', y: '3' }]);
      expect(bad.map(({ line }) => line)).toEqual([2]);
      expect((await read('//x\n{"a":1}\n//{', { comment: '//' }, 'c.ndjson')).records).toEqual([{ a: 1 }]);
      expect((await read('#x\n{"a":1}', {}, 'd.ndjson')).bad).toHaveLength(1);
    });
  });

  describe('finds the delimiter', () => {
    it('in a first line for Excel, unless it is given', async () => {
      for (const [line, delimiter] of [
        ['sep=;', ';'],
        ['"sep=|"', '|'],
        ['SEP=^', '^'],
        ['sep=\t', '\t'],
      ] as const) {
        const { records, lines } = await read(`\uFEFF${line}\r\na${delimiter}b,c\r\n1${delimiter}2,3\r\n`);
        expect([records, lines]).toEqual([[{ a: '1', 'b,c': '2,3' }], [3]]);
      }
      expect((await read('sep=;\na,b\n1,2', { delimiter: ',' })).records).toEqual([{ a: '1', b: '2' }]);
      expect((await read('sep=;\n1;2', { header: ['a', 'b'] })).records).toEqual([{ a: '1', b: '2' }]);
      // Not below the first line.
      expect((await read('a\nsep=;')).records).toEqual([{ a: 'sep=;' }]);
    });

    it('in a header without a comma', async () => {
      for (const delimiter of [';', '\t', '|']) {
        const { records, bad } = await read(
          `${['a', '"b, c"', 'd'].join(delimiter)}\n${['1,5', '2', '3'].join(delimiter)}`,
        );
        expect([records, bad]).toEqual([[{ a: '1,5', 'b, c': '2', d: '3' }], []]);
      }
      expect((await read('a|b;c,d\n1')).bad).toEqual([
        expect.objectContaining({ reason: 'has 1 field where the header has 2' }),
      ]);
      expect((await read('price\n1\n2')).records).toEqual([{ price: '1' }, { price: '2' }]);
    });

    it('in the name .tsv', async () => {
      expect((await read('a,b\tc\n1,2\t3', {}, 'x.tsv')).records).toEqual([{ 'a,b': '1,2', c: '3' }]);
      expect((await read('a,b\n1,2', {}, 'y.TSV.gz')).records).toEqual([{ a: '1', b: '2' }]);
    });

    it('in the rows, where the header is given', async () => {
      const { records, bad } = await read('a title\n1,5;2\n3;4\n', { header: ['a', 'b'] });
      expect(records).toEqual([
        { a: '1,5', b: '2' },
        { a: '3', b: '4' },
      ]);
      expect(bad.map(({ line }) => line)).toEqual([1]);
    });
  });

  describe('refuses a first line of values, with the remedy:', () => {
    it.each([
      ['1704186600000,1,2,1,2,5', 'its 6 columns'],
      ['AAPL,20240102,1,2,1,2,5', 'its 7 columns'],
      ['x,A,1d,2024-01-02,1,2,1,2,5', 'its 9 columns'],
      ['"AAPL";"02.01.2024";"1,5";"2,5";"1"', 'its 5 columns'],
      ['2024-01-02 09:30:00 America/New_York,1.5', 'its 2 columns'],
      ['09:30 AM,1e-5,NaN', 'its 3 columns'],
      ['17', 'the column'],
      ['02.01.2024;1,5;2,5;1,5;2,5;100', 'its 6 columns'],
    ])('%s', async (line, columns) => {
      const path = folder.write('none.csv', `${line}\n${line}\n`);
      for (const { end } of [await replay(path), { end: (await readRecords(path)).end }]) {
        expect(end).toMatchObject({ kind: 'error', error: { code: 'SLUICE_FILE_UNREADABLE', path } });
        expect((end as { error: Error }).error.message).toContain(`name ${columns} with header: ['ts', 'open', …]`);
      }
    });

    it.each(['Country,1/22/20,1/23/20,1/24/20', 'symbol,2021,2022,2023', ',0,1,2,3', 'a1,b2,3c', '1m,5m,1h', 'x,y,1'])(
      'not %s, which are names',
      async (line) => {
        const { records, problem } = await read(`${line}\n${line.replaceAll(/[^,]+/g, '7')}\n`);
        expect(problem).toBeUndefined();
        expect(records).toHaveLength(1);
      },
    );

    it('which is to give the names', async () => {
      const header = HEADER.split(',');
      const { items, bad } = await replay(folder.write('given.csv', `${row(1)}\n${row(2)}`), { header });
      expect(items.map(({ seq }) => seq)).toEqual([1, 2]);
      expect(bad).toEqual([]);
      expect((await read('2020,1999\n1,2', { header: ['2020', '1999'] })).records).toEqual([{ 2020: '1', 1999: '2' }]);
    });
  });

  it('names no more of a header than a message can hold', async () => {
    const long = 'x'.repeat(100_000);
    for (const header of [`${long},${long}`, `${long},1,2`]) {
      expect((await read(`${header}\n1,2\n`)).problem!.length).toBeLessThan(600);
    }
  });

  it('says what lines are that end in a carriage return alone', async () => {
    for (const text of ['a,b\r1,2\r3,4\r', `a,b\r${'1,2\r'.repeat(1_000)}`]) {
      const { problem } = await read(text, { maxRecordBytes: 1_000 });
      expect(problem).toMatch(/its header, line 1, cannot be used: lines end in a carriage return alone/);
    }
  });

  describe('takes for nothing', () => {
    it('empty fields beyond the header, and delimiters behind it', async () => {
      const { records, bad } = await read('a,b\n1,2,\n3,4, ,,\n5,6\n"7",8,"",\n');
      expect(bad).toEqual([]);
      expect(records.map(({ a, b }) => `${a}${b}`)).toEqual(['12', '34', '56', '78']);
      const trailing = await read('a,b,,\n1,2\n3,4,\n5,6,,\n7,8,note,\n9,0,,,\n');
      expect(trailing.bad).toEqual([]);
      expect(trailing.records).toContainEqual({ a: '7', b: '8' });
      expect(trailing.records).toHaveLength(5);
    });

    it('lines of delimiters and blanks alone', async () => {
      const { records, bad } = await read('a,b,c\n,,\n , ,\t\n,,,,,,\n   \n1,,\n\t');
      expect([records, bad]).toEqual([[{ a: '1', b: '', c: '' }], []]);
      // What is quoted is there.
      expect((await read('a,b\n"",""\n')).records).toEqual([{ a: '', b: '' }]);
      expect((await read('a\n""\n')).records).toEqual([{ a: '' }]);
    });

    it('lines that repeat the header, as files have that were put behind one another', async () => {
      const one = 'a , "b"\r\n1,2\r\n';
      const { records, lines, bad } = await read(`\uFEFF${one}\uFEFF${one}a,b\r\n3,4\r\n`);
      expect(bad).toEqual([]);
      expect(records.map(({ a }) => a)).toEqual(['1', '1', '3']);
      expect(lines).toEqual([2, 4, 6]);
      // A file of one column may hold its name as a value.
      expect((await read('word\nword\n')).records).toHaveLength(1);
      const header = HEADER.split(',');
      const given = await replay(folder.write('both.csv', csv(row(1))), { header });
      expect([given.items.length, given.bad]).toEqual([1, []]);
    });
  });

  it('tells of a row with other fields than the header', async () => {
    const { bad } = await read('a,b,c,\n1,2\n1,2,3,4,5\n"Downloaded from here"\n1,2,3');
    expect(bad.map(({ line, reason }) => [line, reason])).toEqual([
      [2, 'has 2 fields where the header has 3'],
      [3, 'has 5 fields where the header has 3'],
      [4, 'has 1 field where the header has 3'],
    ]);
  });

  it('reads a column named as what objects inherit', async () => {
    const { records } = await read('__proto__,constructor\n1,2');
    expect(Object.entries(records[0]!)).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
    ]);
  });

  it('refuses options that cannot be', async () => {
    await expect(read('', { comment: '' })).rejects.toThrow(/comment must be a text that is not empty/);
    await expect(read('', { comment: true as never })).rejects.toThrow(/comment must be .*false, got true/);
    await expect(read('', { skipLines: -1 })).rejects.toThrow(/skipLines .* got -1/);
  });
});

it('a title in place of the header is an error that names what skips it', async () => {
  const path = folder.write('title.csv', 'Prices of ACME\nts,open,high,low,close,volume\n2024-01-02,1,2,1,2,5\n');
  const { end } = await replay(path, { defaults: { vendor: 'x', symbol: 'A', timeframe: '1d' } });
  expect(end).toMatchObject({
    error: { code: 'SLUICE_MISSING_COLUMN', message: expect.stringContaining('skipLines skips lines') },
  });
});
