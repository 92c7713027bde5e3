import { closeSync, ftruncateSync, openSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { csv, HEADER, replay, row, SP500, SP500_CONFIG } from '../../test/support/barFiles.js';
import { Folder } from '../../test/support/folder.js';
import { syntheticBars } from '../sources/syntheticBars.js';

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder.remove());

describe('replayFile', () => {
  describe('fails', () => {
    it('for a missing file, with its path and where it was looked for', async () => {
      for (const name of ['no.csv', 'no.csv.gz']) {
        const { end } = await replay(`missing/${name}`);
        expect(end).toMatchObject({
          error: {
            name: 'FileNotFoundError',
            code: 'SLUICE_FILE_NOT_FOUND',
            path: `missing/${name}`,
            message: `there is no file missing/${name}: check the path, which resolves to ${process.cwd()}/missing/${name}`,
          },
        });
      }
    });

    it('for a folder', async () => {
      for (const config of [{ format: 'csv' }, { format: 'csv', gzip: true }] as const) {
        const { end } = await replay(folder.path(''), config);
        expect(end).toMatchObject({
          error: { code: 'SLUICE_FILE_UNREADABLE', message: expect.stringContaining('it is a folder') },
        });
      }
    });

    it('for a mapped column that is not there, with those that are', async () => {
      const path = folder.write('columns.csv', csv(row(1)));
      const { end, items } = await replay(path, { columns: { ts: 'date' } });
      expect(items).toEqual([]);
      expect(end).toMatchObject({
        error: {
          name: 'MissingColumnError',
          code: 'SLUICE_MISSING_COLUMN',
          path,
          column: 'date',
          columns: HEADER.split(','),
          message: `${path} has no column "date": it has ${HEADER.replaceAll(',', ', ')}. Name the column of the bar's ts in columns: { ts: '…' }.`,
        },
      });
    });

    it('for a header that a terminal should not see as it is', async () => {
      const name = `\u001b[31mred\u001b]0;title\u0007${'x'.repeat(5_000)}`;
      const path = folder.write('hostile.csv', `${name},b\n1,2\n`);
      const { end } = await replay(path, { columns: { ts: 'date' } });
      const { message } = (end as { error: Error }).error;
      expect(message).not.toMatch(/\p{Cc}/u);
      expect(message.length).toBeLessThan(600);
    });

    it('for a column that is needed and neither mapped nor given', async () => {
      const { end } = await replay(SP500, { columns: { ts: 'date' }, defaults: { vendor: 'v', timeframe: '1d' } });
      expect(end).toMatchObject({
        error: { column: 'symbol', message: expect.stringContaining('or give it in defaults: { symbol: … }') },
      });
    });

    it('for an empty CSV file, and finds a missing column where there are no rows', async () => {
      expect((await replay(folder.write('empty.csv', '\n'))).end).toMatchObject({
        error: { code: 'SLUICE_MISSING_COLUMN', message: expect.stringContaining('it is empty') },
      });
      expect((await replay(folder.write('head.csv', HEADER))).end).toEqual({ kind: 'complete' });
      expect((await replay(folder.write('head2.csv', 'a,b'))).end).toMatchObject({ error: { column: 'vendor' } });
    });

    it.each([
      ['has a quote that is not closed', `"vendor${HEADER.slice(6)}`, 'a quote is not closed'],
      ['is too long', `${HEADER},${'x'.repeat(300)}`, 'longer than 256 bytes (maxRecordBytes)'],
      ['has a name twice', `${HEADER}, close`, 'two columns are named "close"'],
    ])('for a header that %s, and takes no row for it', async (_, header, reason) => {
      const path = folder.write('header.csv', `\n${header}\n${HEADER}\n${row(1)}\n${row(2)}`);
      const { items, bad, end } = await replay(path, { maxRecordBytes: 256 });
      expect([items, bad]).toEqual([[], []]);
      expect(end).toMatchObject({
        error: {
          name: 'UnreadableFileError',
          path,
          message: expect.stringContaining(`cannot read ${path}: its header, line 2, cannot be used: `),
        },
      });
      expect(end).toMatchObject({ error: { message: expect.stringContaining(reason) } });
    });

    it('not for columns without a name', async () => {
      const path = folder.write('trailing.csv', `${HEADER},,\n${row(1)},,`);
      expect((await replay(path)).items).toHaveLength(1);
    });

    it('for a torn gzip file, after what could be read', async () => {
      const rows = Array.from({ length: 20_000 }, (_, i) => row(i));
      const path = folder.write('torn.csv.gz', csv(...rows));
      const fd = openSync(path, 'r+');
      ftruncateSync(fd, Math.floor(statSync(path).size / 2));
      closeSync(fd);
      const { items, end } = await replay(path);
      expect(items.length).toBeGreaterThan(5_000);
      expect(end).toMatchObject({
        error: { code: 'SLUICE_FILE_UNREADABLE', path, line: items.length + 1 },
      });
      expect((end as { error: Error }).error.message).toBe(
        `cannot read ${path} beyond line ${items.length + 1}: its gzip data ends too early, so the file is truncated; fetch it again`,
      );
    });

    it('when onBadRow throws', async () => {
      const failure = new Error('enough');
      const { end, items } = await replay(folder.write('bad.csv', csv(row(1), 'x', row(2))), {
        onBadRow: () => {
          throw failure;
        },
      });
      expect(items).toHaveLength(1);
      expect(end).toEqual({ kind: 'error', error: failure });
    });
  });

  describe('counts and tells a bad row, and emits those around it:', () => {
    const cases: [what: string, row: string, column: string | undefined, reason: string | RegExp][] = [
      ['a price that is no number', 'acme,SPY,1m,0,1,2,0.5,abc,100', 'close', 'expected a finite number, got "abc"'],
      [
        'an empty price',
        'acme,SPY,1m,0,,2,0.5,1,100',
        'open',
        'expected a finite number, got "", which stands for no value',
      ],
      ['a hexadecimal price', 'acme,SPY,1m,0,0x10,20,0.5,1,100', 'open', 'expected a finite number, got "0x10"'],
      [
        'an infinite price',
        'acme,SPY,1m,0,1,1e999,0.5,1,100',
        'high',
        'expected a finite number, got "1e999", which stands for no value',
      ],
      [
        'a date of another country',
        'acme,SPY,1m,31/12/2020,1,2,0.5,1,100',
        'ts',
        "expected a date that begins with the year, got \"31/12/2020\": give dateOrder: 'MDY' or 'DMY'",
      ],
      [
        'a date that does not exist',
        'acme,SPY,1m,2023-02-29,1,2,0.5,1,100',
        'ts',
        /^expected a date that the calendar has, got "2023-02-29"/,
      ],
      [
        'a high below the low',
        'acme,SPY,1m,0,1,0.25,0.5,1,100',
        'high',
        'expected a high that is not below the low of 0.5, got 0.25',
      ],
      ['a negative volume', 'acme,SPY,1m,0,1,2,0.5,1,-1', 'volume', 'expected a finite number of at least 0, got -1'],
      [
        'a symbol with a control character',
        'acme,S\u0007Y,1m,0,1,2,0.5,1,100',
        'symbol',
        'expected a symbol as the vendor spells it, without control characters or outer blanks, got "S\\u0007Y"',
      ],
      ['too few fields', 'acme,SPY,1m', undefined, 'has 3 fields where the header has 9'],
      ['too many fields', `${row(5)},1`, undefined, 'has 10 fields where the header has 9'],
      ['an open quote', '"acme,SPY,1m,0,1,2,0.5,1,100', undefined, /^a quote is not closed on its line/],
      [
        'text behind a quote',
        '"acme"x,SPY,1m,0,1,2,0.5,1,100',
        undefined,
        /^text follows the closing quote of a field/,
      ],
      [
        'an over-long record',
        `acme,${'S'.repeat(5_000)}`,
        undefined,
        'the record is longer than 4096 bytes (maxRecordBytes)',
      ],
    ];
    it.each(cases)('%s', async (_what, bad, column, reason) => {
      // Quoted rows around it, so that a bad one does not spoil a block of them.
      const path = folder.write(
        'rows.csv',
        csv(row(1), '"acme",SPY,1m,0,1,2,0.5,1,7', bad, '"acme",SPY,1m,1,1,2,0.5,1,7', row(2)),
      );
      const { items, end, bad: told, account } = await replay(path, { maxRecordBytes: 4_096 });
      expect(end).toEqual({ kind: 'complete' });
      expect(items.map(({ seq }) => seq)).toEqual([2, 3, 5, 6]);
      expect(told).toHaveLength(1);
      const [one] = told;
      expect(one).toMatchObject({ file: path, line: 4, column });
      if (typeof reason === 'string') expect(one!.reason).toBe(reason);
      else expect(one!.reason).toMatch(reason);
      expect(one!.message).toBe(`${path}:4: ${column === undefined ? '' : `${column}: `}${one!.reason}`);
      expect(one!.raw).toBe(bad.length > 4_096 ? bad.slice(0, 256) : bad);
      expect(account).toMatchObject({ received: 5, dropped: { badRow: 1 }, delivered: 4, conservation: 0 });
    });

    it('the mapped column is the one that is named', async () => {
      const path = folder.write(
        'mapped.csv',
        'date,open,high,low,close,volume\nyesterday,1,2,1,1,1\n2020-01-01,1,2,1,x,1',
      );
      const { bad } = await replay(path, SP500_CONFIG);
      expect(bad.map(({ line, column }) => [line, column])).toEqual([
        [2, 'date'],
        [3, 'close'],
      ]);
    });

    it('what is no JSON, no object, or lacks a property', async () => {
      const good = JSON.stringify([...syntheticBars({ count: 1 })][0]);
      const path = folder.write(
        'bad.ndjson',
        [good, '{"vendor":', '[1]', 'null', '{"vendor":"acme"}', good].join('\n'),
      );
      const { items, bad } = await replay(path);
      expect(items).toHaveLength(2);
      expect(bad.map(({ line, column, reason }) => [line, column, reason.slice(0, 40)])).toEqual([
        [2, undefined, 'is not valid JSON (Unexpected end of JSO'],
        [3, undefined, 'is a JSON array, not an object: write it'],
        [4, undefined, 'is not a JSON object'],
        [5, undefined, 'lacks the properties symbol, timeframe, '],
      ]);
    });

    it('a record longer than a chunk, without holding it', async () => {
      const path = folder.write('long.csv', csv(row(1), 'x'.repeat(500_000), row(2), 'y'.repeat(500_000)));
      const { items, bad } = await replay(path, { maxRecordBytes: 100_000 });
      expect(items).toHaveLength(2);
      expect(bad.map(({ line, raw }) => [line, raw.length])).toEqual([
        [3, 256],
        [5, 256],
      ]);
    });

    it('a record is measured in bytes, not in characters', async () => {
      const wide = `acme,${'Ж'.repeat(40)},1m,0,1,2,0.5,1,1`;
      const size = Buffer.byteLength(wide);
      expect(wide.length).toBeLessThan(size);
      const path = folder.write('wide.csv', csv(wide));
      expect((await replay(path, { maxRecordBytes: size })).items).toHaveLength(1);
      expect((await replay(path, { maxRecordBytes: size - 1 })).bad).toHaveLength(1);
    });
  });
});
