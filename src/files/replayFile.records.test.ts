import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { csv, HEADER, replay, row } from '../../test/support/barFiles.js';
import { observe } from '../../test/support/collect.js';
import { Folder } from '../../test/support/folder.js';
import { replayFile } from './replayFile.js';

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder.remove());

const ndjson = (...records: object[]) => records.map((record) => JSON.stringify(record)).join('\n');
const bar = { vendor: 'acme', symbol: 'A', timeframe: '1m', ts: 1_704_186_600_000, open: 1, high: 2, low: 1, close: 2 };
const DEFAULTS = { vendor: 'acme', symbol: 'D', timeframe: '1m', volume: 0 };
const DAILY = { vendor: 'acme', symbol: 'D', timeframe: '1d' };

describe('a record of NDJSON', () => {
  it('has its own properties: one that appears late is used, and a default is for the record that lacks it', async () => {
    const { symbol: _, ...nameless } = bar;
    const path = folder.write(
      'late.ndjson',
      ndjson(bar, { ...bar, volume: 3, trades: 4, vwap: 1.5, isFinal: true }, { ...nameless, volume: 5 }, bar),
    );
    const { items, bad } = await replay(path, { defaults: DEFAULTS });
    expect(bad).toEqual([]);
    expect(items.map(({ symbol, volume, trades, vwap, isFinal }) => [symbol, volume, trades, vwap, isFinal])).toEqual([
      ['A', 0, undefined, undefined, undefined],
      ['A', 3, 4, 1.5, true],
      ['D', 5, undefined, undefined, undefined],
      ['A', 0, undefined, undefined, undefined],
    ]);
  });

  it('takes no default where it has a value that is wrong, empty or null', async () => {
    const path = folder.write(
      'wrong.ndjson',
      ndjson({ ...bar, volume: null }, { ...bar, volume: '' }, { ...bar, symbol: '' }, { ...bar, vendor: 7 }, bar),
    );
    const { items, bad } = await replay(path, { defaults: DEFAULTS });
    expect(items).toHaveLength(1);
    expect(bad.map(({ line, column }) => [line, column])).toEqual([
      [1, 'volume'],
      [2, 'volume'],
      [3, 'symbol'],
      [4, 'vendor'],
    ]);
  });

  it('that is no bar is one bad row, wherever it stands, and its reason names the remedy', async () => {
    const status = { status: 'connected' };
    const path = folder.write('status.ndjson', ndjson(status, bar, status, { ...bar, ts: undefined }));
    const { items, bad, end } = await replay(path, { defaults: { volume: 1 } });
    expect(end).toEqual({ kind: 'complete' });
    expect(items).toHaveLength(1);
    expect(bad.map(({ line, column }) => [line, column])).toEqual([
      [1, undefined],
      [3, undefined],
      [4, 'ts'],
    ]);
    expect(bad[0]!.reason).toMatch(/^lacks the properties vendor, symbol, .*columns: \{ vendor: .*or .* defaults/);
    expect(bad[2]!.reason).toBe("lacks the property ts: name what it has instead in columns: { ts: '…' }");
  });

  it('keeps to a mapping whose property some records lack', async () => {
    const path = folder.write('mapped.ndjson', ndjson({ ...bar, v: 4 }, bar));
    const { items, bad } = await replay(path, { columns: { volume: 'v' }, defaults: { volume: 9 } });
    expect(bad).toEqual([]);
    expect(items.map(({ volume }) => volume)).toEqual([4, 9]);
  });

  it('may have properties beyond number, which are not kept', async () => {
    const wide = (n: number) => Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`p${n}_${i}`, i]));
    const path = folder.write('wide.ndjson', ndjson(...Array.from({ length: 80 }, (_, i) => ({ ...wide(i), ...bar }))));
    const { items } = await replay(path, { defaults: { volume: 1 } });
    expect(items).toHaveLength(80);
  });
});

describe('a column', () => {
  it('is found as it is spelled, or else without case and outer blanks', async () => {
    const path = folder.write('case.csv', 'Symbol, OPEN ,High,low,Close,close,Date\nA,1,4,1,3,2,2024-01-02');
    const { items } = await replay(path, {
      columns: { ts: 'DATE' },
      defaults: { vendor: 'x', timeframe: '1d', volume: 0 },
    });
    expect(items).toMatchObject([{ symbol: 'A', open: 1, high: 4, low: 1, close: 2 }]);
    const json = folder.write('case.ndjson', ndjson({ Ts: bar.ts, Open: 1, HIGH: 2, Low: 1, Close: 2, VOLUME: 6 }));
    expect((await replay(json, { defaults: { vendor: 'x', symbol: 'A', timeframe: '1m' } })).items).toMatchObject([
      { open: 1, high: 2, low: 1, close: 2, volume: 6 },
    ]);
  });

  it('is asked for where several differ only in case, though there is a default', async () => {
    const path = folder.write('rivals.csv', 'ts,open,high,low,close,Volume,VOLUME\n2024-01-02,1,2,1,2,5,6');
    const { end } = await replay(path, { defaults: { ...DAILY, volume: 0 } });
    expect(end).toMatchObject({
      error: {
        name: 'MissingColumnError',
        column: 'volume',
        message: expect.stringContaining('Name one of "Volume", "VOLUME" in columns: { volume: \'…\' }.'),
      },
    });
    expect((await replay(path, { columns: { volume: 'VOLUME' }, defaults: DAILY })).items).toMatchObject([
      { volume: 6 },
    ]);
    const json = folder.write(
      'rivals.ndjson',
      ndjson({ ...bar, Volume: 1, VOLUME: 2 }, { ...bar, volume: 3, VOLUME: 2 }),
    );
    const { items, bad } = await replay(json, { defaults: { volume: 0 } });
    expect(items.map(({ volume }) => volume)).toEqual([3]);
    expect(bad.map(({ reason }) => reason)).toEqual([
      'has "Volume" and "VOLUME": name one of them in columns: { volume: \'…\' }',
    ]);
  });

  it('of the header is used although there is a default, and a mapped one must be there', async () => {
    const path = folder.write('volume.csv', 'ts,open,high,low,close,volume\n2024-01-02,1,2,1,2,\n2024-01-03,1,2,1,2,7');
    const { items, bad } = await replay(path, { defaults: { ...DAILY, volume: 0 } });
    expect(items.map(({ volume }) => volume)).toEqual([7]);
    expect(bad).toMatchObject([{ line: 2, column: 'volume' }]);
    expect((await replay(path, { columns: { volume: 'vol' }, defaults: { ...DAILY, volume: 0 } })).end).toMatchObject({
      error: { name: 'MissingColumnError', column: 'vol' },
    });
  });

  it('of a date and one of a time of day are joined', async () => {
    const path = folder.write(
      'two.csv',
      'D,T,open,high,low,close,volume\n2024-01-02, 15:30 ,1,2,1,2,5\n2024-01-02,,1,2,1,2,5\nx,1,1,2,1,2,5',
    );
    const { items, bad } = await replay(path, { columns: { ts: ['D', 't'] }, defaults: DAILY });
    expect(items.map(({ ts }) => ts)).toEqual([Date.UTC(2024, 0, 2, 15, 30), Date.UTC(2024, 0, 2)]);
    expect(bad).toMatchObject([{ line: 4, column: 'D T', reason: expect.stringContaining('got "x 1"') }]);
    expect((await replay(path, { columns: { ts: ['D', 'Z'] }, defaults: DAILY })).end).toMatchObject({
      error: { name: 'MissingColumnError', column: 'Z' },
    });
    expect(() => replayFile(path, { columns: { ts: [] } })).toThrow(
      'columns: ts must be a column name, or an array of column names, got an array',
    );
  });

  it("may have the name that it has in the store's tables", async () => {
    const path = folder.write(
      'stored.csv',
      `${HEADER},is_final,is_complete,trades,vwap\n${row(1)},t,f,,\\N\n${row(2)},,TRUE,\\N,1`,
    );
    const { items, bad } = await replay(path);
    expect(bad).toEqual([]);
    expect(items.map(({ isFinal, isComplete, trades, vwap }) => [isFinal, isComplete, trades, vwap])).toEqual([
      [true, false, undefined, undefined],
      [undefined, true, undefined, 1],
    ]);
    expect(Object.keys(items[0]!)).not.toContain('vwap');
  });
});

it('has no use for blanks around a value, whatever they are, and keeps those within', async () => {
  const header = ' vendor,symbol ,\ttimeframe,ts,open,high,low,close,volume,trades';
  const path = folder.write('blanks.csv', `${header}\n x , BRK B\u00a0,1m\t, ${bar.ts} , 1,2 , 1 ,\t2,5 , 3 `);
  const { items, bad } = await replay(path);
  expect(bad).toEqual([]);
  expect(items).toEqual([{ ...bar, kind: 'bar', vendor: 'x', symbol: 'BRK B', volume: 5, trades: 3, seq: 2 }]);
  const json = folder.write('blanks.ndjson', ndjson({ ...bar, symbol: ' BRK B ', open: ' 1 ', volume: '5\t' }));
  expect((await replay(json)).items).toMatchObject([{ symbol: 'BRK B', open: 1, volume: 5 }]);
});

describe('a file of which no row is good', () => {
  it('is an error at its end, after all of its rows were told', async () => {
    const path = folder.write('bad.csv', csv('x', row(1).replace('SPY', ''), 'y'));
    const { items, bad, end } = await replay(path);
    expect(items).toEqual([]);
    expect(bad).toHaveLength(3);
    expect(end).toMatchObject({
      error: {
        name: 'NoGoodRowError',
        code: 'SLUICE_NO_GOOD_ROW',
        path,
        rows: 3,
        message: `none of the 3 rows of ${path} is good; the first: ${path}:2: has 1 field where the header has 9`,
      },
    });
    const one = await replay(folder.write('one.ndjson', '{"status":"connected"}'));
    expect(one.end).toMatchObject({
      error: { rows: 1, message: expect.stringMatching(/^the only row of .* is bad: /) },
    });
  });

  it('is one with toItem and codec too, and without onBadRow', async () => {
    const path = folder.write('bad.ndjson', '{"p":1}\n{"p":2}');
    const seen = observe(
      replayFile(path, {
        toItem: () => {
          throw new Error('not today');
        },
      }),
    );
    await seen.ended;
    expect(seen.end).toMatchObject({ error: { code: 'SLUICE_NO_GOOD_ROW', rows: 2, message: /not today$/ } });
    const codec = { decode: () => ({ _tag: 'Left', left: [] }), name: 'none', validate: undefined };
    const other = observe(replayFile(path, { codec: codec as never }));
    await other.ended;
    expect(other.end).toMatchObject({ error: { code: 'SLUICE_NO_GOOD_ROW' } });
  });

  it('is none if it has no row', async () => {
    expect((await replay(folder.write('head.csv', `${HEADER}\n\n`))).end).toEqual({ kind: 'complete' });
    expect((await replay(folder.write('blank.ndjson', '\n \n'))).end).toEqual({ kind: 'complete' });
  });
});

describe('ohlcTolerance', () => {
  const file = (...prices: string[]) =>
    folder.write(
      'prices.csv',
      ['ts,open,high,low,close,volume', ...prices.map((one) => `2024-01-02,${one},5`)].join('\n'),
    );

  it('widens low and high to hold open and close, and orders them, and leaves what is wrong', async () => {
    const path = file(
      '123.45000000000002,123.45,123.4,123.41',
      '2,3,1.0000000000000002,1',
      '-1,-0.99999999999,-2,-0.99999999998',
      '1,0.9999999999,1,1',
      '130,125,120,121',
      '121,120,125,121',
      '120,125,120.1,121',
    );
    const { items, bad } = await replay(path, { defaults: DAILY, ohlcTolerance: 1e-9 });
    expect(items.map(({ open, high, low, close }) => [open, high, low, close])).toEqual([
      [123.45000000000002, 123.45000000000002, 123.4, 123.41],
      [2, 3, 1, 1],
      [-1, -0.99999999998, -2, -0.99999999998],
      [1, 1, 0.9999999999, 1],
    ]);
    expect(bad.map(({ line, column }) => [line, column])).toEqual([
      [6, 'open'],
      [7, 'high'],
      [8, 'open'],
    ]);
    expect(
      (await replay(file('123.45000000000002,123.45,123.4,123.41', '1,1,1,1'), { defaults: DAILY })).bad,
    ).toHaveLength(1);
  });

  it('is small', () => {
    for (const ohlcTolerance of [-1e-9, 0.011, Number.NaN, '1e-9' as never]) {
      expect(() => replayFile('a.csv', { ohlcTolerance })).toThrow(RangeError);
    }
  });
});
