import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { observe } from '../../test/support/collect.js';
import { type Config, readRecords } from '../../test/support/fileRecords.js';
import { Folder } from '../../test/support/folder.js';
import { CsvParser } from './read/csvParser.js';
import { type BadRow, replayFile } from './replayFile.js';

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder.remove());

const read = (content: string | Buffer, config: Config = {}, name = 'table.csv') =>
  readRecords(folder.write(name, content), config);

const told = (bad: readonly BadRow[]) => bad.map(({ line, reason }) => [line, reason]);

describe('replayFile reads CSV in which', () => {
  describe('quoted fields span lines:', () => {
    it('each is one record, at the line where it begins', async () => {
      const { records, lines, bad } = await read('a,b\n1,"x\ny ""z""\n\n,"\n2,w\n"3\n","\n"\n4,v');
      expect(bad).toEqual([]);
      expect(records).toEqual([
        { a: '1', b: 'x\ny "z"\n\n,' },
        { a: '2', b: 'w' },
        { a: '3\n', b: '\n' },
        { a: '4', b: 'v' },
      ]);
      expect(lines).toEqual([2, 6, 7, 10]);
    });

    it('line ends in them are kept as they are', async () => {
      const { records } = await read('a,b\r\n1,"x\r\ny\rz\nw"\r\n2,"v"\r\n');
      expect(records).toEqual([
        { a: '1', b: 'x\r\ny\rz\nw' },
        { a: '2', b: 'v' },
      ]);
    });

    it('names of columns may, too', async () => {
      const { records, lines } = await read('a,"volume\n(lots)"\n1,2');
      expect([records, lines]).toEqual([[{ a: '1', 'volume\n(lots)': '2' }], [3]]);
    });

    it('a bad row holds the whole of its text', async () => {
      const path = folder.write('raw.csv', 'a,b\r\n1,"x\r\ny"\r\n2,z\r\n');
      const raws: string[] = [];
      const toItem = () => {
        throw new Error('no');
      };
      await observe(replayFile(path, { toItem, onBadRow: ({ raw, line }) => raws.push(`${line}: ${raw}`) })).ended;
      expect(raws).toEqual(['2: 1,"x\r\ny"', '4: 2,z']);
    });

    it('they may be larger than a chunk, and end in any of them', async () => {
      const text = Array.from({ length: 40_000 }, (_, i) => `line ${i}`).join('\n');
      const { records, bad, lines } = await read(`a,b\n1,"${text}"\n2,x\n`);
      expect(bad).toEqual([]);
      expect(records).toEqual([
        { a: '1', b: text },
        { a: '2', b: 'x' },
      ]);
      expect(lines).toEqual([2, 40_002]);
    });
  });

  describe('a quote that is never closed spoils one line:', () => {
    const rows = Array.from({ length: 50_000 }, (_, i) => `${i},x`);
    const UNCLOSED = 'a quote is not closed on its line, ';

    it('where the file ends first', async () => {
      const { records, bad } = await read(['a,b', '0,"x', ...rows].join('\n'));
      expect(records).toHaveLength(50_000);
      expect(told(bad)).toEqual([[2, `${UNCLOSED}nor before the end of the file`]]);
      expect(bad[0]!.raw).toBe('0,"x');
    });

    it('where it is closed beyond the limit of a record', async () => {
      const { records, bad } = await read(['a,b', '0,"x', ...rows, '5"'].join('\n'), { maxRecordBytes: 4_096 });
      expect(records).toHaveLength(50_000);
      expect(told(bad)).toEqual([
        [
          2,
          `${UNCLOSED}and what follows does not complete its record: the record is longer than 4096 bytes (maxRecordBytes)`,
        ],
        [50_003, 'has 1 field where the header has 2'],
      ]);
    });

    it('where a quoted field of another row closes it', async () => {
      const { records, bad } = await read('a,b\n0,"x\n1,"y"\n2,z');
      expect(records).toEqual([
        { a: '1', b: 'y' },
        { a: '2', b: 'z' },
      ]);
      expect(told(bad)).toEqual([[2, expect.stringContaining('text follows the closing quote')]]);
    });

    it('where the fields are not as many as those of the header', async () => {
      const { records, bad } = await read('a,b\n0,"x\n1,y\n2,",z\n3,w');
      expect(records).toEqual([
        { a: '1', b: 'y' },
        { a: '3', b: 'w' },
      ]);
      expect(told(bad)).toEqual([
        [
          2,
          `${UNCLOSED}and what follows does not complete its record: with 2 more lines, it has 3 fields where the header has 2`,
        ],
        [4, expect.stringContaining(UNCLOSED)],
      ]);
    });

    it('and the rows behind it are read, where the file tears', async () => {
      const { gzipSync } = await import('node:zlib');
      const whole = gzipSync(['a,b', '0,"x', ...rows].join('\n'));
      const { records, bad, error } = await read(whole.subarray(0, whole.length / 2), {}, 'torn.csv.gz');
      expect(records.length).toBeGreaterThan(10_000);
      expect(records.at(-1)).toEqual({ a: `${records.length - 1}`, b: 'x' });
      expect(bad).toHaveLength(1);
      expect(error).toMatchObject({ code: 'SLUICE_FILE_UNREADABLE', line: records.length + 2 });
    });

    it.each([
      ['each line', ['x,"y']],
      ['each line, at its end,', ['x,"']],
      ['each line, at its beginning,', ['",']],
      ['each line, alone,', ['"']],
      ['each line, thrice,', ['"""']],
      ['every hundredth line', ['x,"y', ...Array.from({ length: 99 }, () => '1,2')]],
      ['every hundredth line between others that are closed', ['x,"y', ...Array.from({ length: 99 }, () => '"",""')]],
      ['each line, behind others inside of fields,', ['x",y"z,"w']],
      ['the first line', ['x,"y', ...Array.from({ length: 4_999 }, () => '1,2')]],
    ])('%s of many, and none is read more than twice beside', (_, unit) => {
      let reads = 0;
      const lines = Array.from({ length: 5_000 }, (_, i) => unit[i % unit.length]!);
      const counted = new Proxy(lines, {
        get: (target, key, receiver) => {
          if (typeof key === 'string' && /^\d+$/.test(key)) reads += 1;
          return Reflect.get(target, key, receiver);
        },
      });
      const settings = { file: 'f', header: ['a', 'b'], maxRecordBytes: 1 << 30, skipLines: 0 };
      const parser = new CsvParser(settings as never);
      let calls = 0;
      for (let at = 0; at < lines.length; at += parser.taken) {
        // As with a file: the end becomes known only after a call that wants more.
        if (parser.parse(counted, at, at + 1, false) === 'more') parser.parse(counted, at, at + 1, true);
        calls += 1;
      }
      expect(calls).toBeLessThanOrEqual(5_000);
      expect(reads).toBeLessThan(7 * 5_000);
    });
  });

  it('quotes stand inside fields that are not quoted: there they are text', async () => {
    const { records, bad } = await read('a,b\n5" x 7",2\n1,2"\n3","x\n4,5');
    expect(records).toEqual([
      { a: '5" x 7"', b: '2' },
      { a: '1', b: '2"' },
      { a: '4', b: '5' },
    ]);
    expect(told(bad)).toEqual([[4, expect.stringContaining('a quote is not closed on its line')]]);
  });

  it('blanks stand around values and quoted fields', async () => {
    const { records, bad } = await read('a , b,\tc\n 1,2 ,\t3\t\n 4 , "x, y" ,"z" \n\u00a05,6,\u30007\n8 9, ,0');
    expect(bad).toEqual([]);
    expect(records).toEqual([
      { a: '1', b: '2', c: '3' },
      { a: '4', b: 'x, y', c: 'z' },
      { a: '5', b: '6', c: '7' },
      { a: '8 9', b: '', c: '0' },
    ]);
  });

  it('blanks stand inside quotes: those are kept', async () => {
    expect((await read('a,b\n" 1 ",2')).records).toEqual([{ a: ' 1 ', b: '2' }]);
  });

  it('tabs divide fields, and are no blanks', async () => {
    const { records, bad } = await read('a\tb\tc\n\t2\t\n1\t "x\ty" \t3 \n', { delimiter: '\t' });
    expect(bad).toEqual([]);
    expect(records).toEqual([
      { a: '', b: '2', c: '' },
      { a: '1', b: 'x\ty', c: '3' },
    ]);
  });
});

describe('a record over several lines', () => {
  it.each([
    ['a footer', '"Downloaded, from a page\non two lines"'],
    ['too few fields', '3,"a\nb"'],
    ['too many fields', '3,4,5,"a\nb",6'],
  ])('that is no row is one bad row: %s', async (_, record) => {
    const { records, bad } = await read(`a,b,c\n1,2,3\n${record}\n4,5,6\n`);
    expect(records).toHaveLength(2);
    expect(bad).toHaveLength(1);
    expect(bad[0]).toMatchObject({ line: 3, raw: record });
  });

  it('is taken apart where one of its lines is a row of its own', async () => {
    const { records, bad } = await read('a,b,c\n1,"2\n4,5,6\n7,8"\n');
    expect(records).toEqual([{ a: '4', b: '5', c: '6' }]);
    expect(bad.map(({ line }) => line)).toEqual([2, 4]);
  });
});

it('a comment before the header may stand behind blanks', async () => {
  const { records, bad } = await read('  # made by us\n\t#\na,b\n1,2\n');
  expect([records, bad]).toEqual([[{ a: '1', b: '2' }], []]);
});

it('blanks around a default are no part of it', async () => {
  const path = folder.write('defaults.csv', 'ts,open,high,low,close,volume\n2024-01-02,1,2,1,2,5\n');
  const defaults = { vendor: 'x ', symbol: ' BRK B ', timeframe: ' 1d' };
  const seen = observe(replayFile(path, { defaults }));
  await seen.ended;
  expect(seen.items).toMatchObject([{ vendor: 'x', symbol: 'BRK B', timeframe: '1d' }]);
});
