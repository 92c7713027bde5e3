import { statSync } from 'node:fs';
import { platform } from 'node:os';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type } from 'arktype';
import * as t from 'io-ts';
import { Subject, take, tap } from 'rxjs';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { csv, HEADER, replay, row, SP500, SP500_CONFIG } from '../../test/support/barFiles.js';
import { observe, settled } from '../../test/support/collect.js';
import { Folder, openPositions } from '../../test/support/folder.js';
import type { Codec } from '../contracts/codec.js';
import { Gate } from '../flow/gate.js';
import type { Bar } from '../market/bar.js';
import { syntheticBars } from '../sources/syntheticBars.js';
import { type BadRow, replayFile } from './replayFile.js';

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder.remove());

describe('replayFile', () => {
  it('reads the daily bars of a real file', async () => {
    const { items, end, bad } = await replay(SP500, SP500_CONFIG);
    expect(end).toEqual({ kind: 'complete' });
    expect(bad).toEqual([]);
    expect(items).toHaveLength(5_105);
    expect(items[0]).toEqual({
      kind: 'bar',
      vendor: 'vega',
      symbol: 'SPX',
      timeframe: '1d',
      ts: Date.UTC(2000, 0, 3),
      open: 1469.25,
      high: 1478,
      low: 1438.359985,
      close: 1455.219971,
      volume: 931_800_000,
      seq: 2,
    });
    // The last line of this file does not end.
    expect(items.at(-1)).toMatchObject({ ts: Date.UTC(2020, 3, 17), close: 2874.560059, seq: 5_106 });
  });

  it('gives the same bars with the same seq each time it reads a file', async () => {
    const source = replayFile(SP500, SP500_CONFIG);
    const first = observe(source);
    const second = observe(source);
    await Promise.all([first.ended, second.ended]);
    expect(second.items).toEqual(first.items);
  });

  it('reads bars back as JSON has them, from NDJSON and CSV, plain and gzip', async () => {
    const bars = [...syntheticBars({ symbols: 3, count: 2_000, revisions: 0.1 })];
    const names = Object.keys(bars[0]!).filter((name) => name !== 'kind') as (keyof Bar)[];
    const asCsv = [names.join(), ...bars.map((bar) => names.map((name) => bar[name]).join())].join('\r\n');
    const asNdjson = `${bars.map((bar) => JSON.stringify(bar)).join('\n')}\n`;
    for (const [name, content] of [
      ['bars.csv', asCsv],
      ['bars.CSV.gz', asCsv],
      ['bars.ndjson', asNdjson],
      ['bars.jsonl.gz', asNdjson],
    ] as const) {
      const path = name === 'bars.CSV.gz' ? folder.write(name, gzipSync(asCsv)) : folder.write(name, content);
      const { items, bad } = await replay(path);
      expect(bad).toEqual([]);
      expect(items).toEqual(bars);
    }
  });

  it('reads a gzip file of several members, and one whose name does not tell', async () => {
    const torso = Buffer.concat([gzipSync(`${csv(row(1))}\n`), gzipSync(row(2))]);
    expect((await replay(folder.write('two.csv.gz', torso))).items).toHaveLength(2);
    const path = folder.write('two.dat', torso);
    expect((await replay(path, { format: 'csv', gzip: true })).items).toHaveLength(2);
    const seen = observe(replayFile(pathToFileURL(path), { format: 'csv', gzip: true }));
    await seen.ended;
    expect(seen.items).toHaveLength(2);
  });

  it('tolerates a byte order mark, CRLF, blank lines and a last line without an end', async () => {
    const path = folder.write('windows.csv', `\uFEFF${HEADER}\r\n\r\n${row(1)}\r\n   \r\n${row(2)}\r\n\r\n`);
    const { items, bad } = await replay(path);
    expect(bad).toEqual([]);
    expect(items.map(({ seq }) => seq)).toEqual([3, 5]);
    const ndjson = folder.write('mark.ndjson', `\uFEFF${JSON.stringify(items[0])}\r\n`);
    expect((await replay(ndjson)).items).toEqual([items[0]]);
  });

  it('keeps symbols as they are spelled, in CSV and NDJSON: case, inner blanks and all', async () => {
    const symbols = ['TpC', 'TPC', 'tpc', 'BRK B', 'BTC-USD', '^GSPC', "O'N", 'a, "b"', 'ß', 'İ', '🚀 x'];
    const quoted = symbols.map((symbol) => `"${symbol.replaceAll('"', '""')}"`);
    const path = folder.write('symbols.csv', csv(...quoted.map((symbol, i) => row(i).replace('SPY', () => symbol))));
    const { items, bad } = await replay(path);
    expect(bad).toEqual([]);
    expect(items.map(({ symbol }) => symbol)).toEqual(symbols);
    const again = folder.write('symbols.ndjson', items.map((one) => JSON.stringify(one)).join('\n'));
    expect((await replay(again)).items).toEqual(items);
    expect(
      (await replay(folder.write('default.csv', csv(row(1)).replace('symbol', 's')), { defaults: { symbol: 'BRK b' } }))
        .items,
    ).toMatchObject([{ symbol: 'BRK b' }]);
  });

  it('reads what few files have: whether a bar is final and complete, its trades and its average price', async () => {
    const header = `${HEADER},isFinal,isComplete,trades,avg`;
    const path = folder.write(
      'details.csv',
      [header, `${row(1)},true,false,17,1.25`, `${row(2)},,,,`, `${row(3)},false,,0,`].join('\n'),
    );
    const { items, bad } = await replay(path, { columns: { vwap: 'avg' } });
    expect(bad).toEqual([]);
    const [plain] = (await replay(folder.write('plain.csv', csv(row(1))))).items;
    expect(items[0]).toStrictEqual({ ...plain!, isFinal: true, isComplete: false, trades: 17, vwap: 1.25 });
    expect(items.map(({ isFinal, isComplete, trades, vwap }) => [isFinal, isComplete, trades, vwap])).toEqual([
      [true, false, 17, 1.25],
      [undefined, undefined, undefined, undefined],
      [false, undefined, 0, undefined],
    ]);
    const again = folder.write('details.ndjson', items.map((one) => JSON.stringify(one)).join('\n'));
    expect((await replay(again)).items).toStrictEqual(items);
    const wrong = await replay(folder.write('wrong.csv', [header, `${row(1)},yes,,1.5,`].join('\n')));
    expect(wrong.bad).toMatchObject([{ column: 'isFinal', reason: 'expected true or false, got "yes"' }]);
    await expect(replay(folder.write('none.csv', csv(row(1))), { columns: { vwap: 'avg' } })).resolves.toMatchObject({
      end: { kind: 'error', error: { name: 'MissingColumnError' } },
    });
  });

  it('puts characters together that lie across two chunks', async () => {
    const symbol = 'Ж'.repeat(50);
    const rows = Array.from({ length: 3_000 }, (_, i) => row(i).replace('SPY', symbol));
    const { items, bad } = await replay(folder.write('cyrillic.csv', csv(...rows)));
    expect(bad).toEqual([]);
    expect(new Set(items.map((bar) => bar.symbol))).toEqual(new Set([symbol]));
  });

  it('reads quoted fields, with delimiters and quotes in them', async () => {
    const path = folder.write(
      'quoted.csv',
      csv('"acme, ""Inc.""","SPY","1m","60000","1","2","0.5","1","100"', row(2), '"acme",SPY,1m,0,1,2,0.5,1,"7"'),
    );
    const { items, bad } = await replay(path);
    expect(bad).toEqual([]);
    expect(items.map(({ vendor, volume }) => [vendor, volume])).toEqual([
      ['acme, "Inc."', 100],
      ['acme', 200],
      ['acme', 7],
    ]);
  });

  it('reads other delimiters, and files without a header', async () => {
    const path = folder.write('tabs.csv', row(1).replaceAll(',', '\t'));
    const { items } = await replay(path, { delimiter: '\t', header: HEADER.split(',') });
    expect(items).toHaveLength(1);
  });

  it('maps columns, and prefers a column of the file to a default', async () => {
    const path = folder.write('mapped.csv', 'Ticker,When,O,H,L,C,vendor\nSPY,1700000000,1,2,0.5,1.5,theirs');
    const { items } = await replay(path, {
      columns: { symbol: 'Ticker', ts: 'When', open: 'O', high: 'H', low: 'L', close: 'C' },
      defaults: { vendor: 'ours', timeframe: '1d', volume: 0 },
      timeUnit: 's',
      seqFrom: 1_000,
    });
    expect(items).toEqual([
      {
        kind: 'bar',
        vendor: 'theirs',
        symbol: 'SPY',
        timeframe: '1d',
        ts: 1_700_000_000_000,
        open: 1,
        high: 2,
        low: 0.5,
        close: 1.5,
        volume: 0,
        seq: 1_002,
      },
    ]);
  });

  it('takes seq from the file where it has one, so that a revised file can win', async () => {
    const path = folder.write('revised.csv', `${HEADER},revision\n${row(1)},77\n${row(2)},x\n${row(3)},78`);
    const { items, bad } = await replay(path, { columns: { seq: 'revision' } });
    expect(items.map(({ seq }) => seq)).toEqual([77, 78]);
    expect(bad.map(({ column }) => column)).toEqual(['revision']);
    const older = await replay(folder.write('a.csv', csv(row(9), row(8), row(1))));
    const newer = await replay(folder.write('b.csv', csv(row(1))), { seqFrom: 1_000 });
    expect(newer.items[0]!.seq).toBeGreaterThan(older.items[2]!.seq!);
  });

  it('makes items of any kind with toItem', async () => {
    const path = folder.write('prices.csv', 'symbol,price\nSPY,470.5\nQQQ,none\nIWM,200');
    const bad: string[] = [];
    const seen = observe(
      replayFile(path, {
        toItem: (record, { line }) => {
          const price = Number(record.price);
          if (Number.isNaN(price)) throw new Error('price is not a number');
          return { symbol: String(record.symbol), price, line };
        },
        onBadRow: ({ message }) => bad.push(message),
      }),
    );
    await seen.ended;
    expect(seen.items).toEqual([
      { symbol: 'SPY', price: 470.5, line: 2 },
      { symbol: 'IWM', price: 200, line: 4 },
    ]);
    expect(bad).toEqual([`${path}:3: price is not a number`]);
  });

  it('makes items of any kind with a codec', async () => {
    const path = folder.write('trades.ndjson', '{"p":1}\n{"p":"x"}\n{"p":3}');
    const bad: BadRow[] = [];
    const seen = observe(replayFile(path, { codec: t.type({ p: t.number }), onBadRow: (one) => bad.push(one) }));
    await seen.ended;
    expect(seen.items).toEqual([{ p: 1 }, { p: 3 }]);
    expect(bad).toMatchObject([{ line: 2, column: 'p', reason: 'expected number, got "x"' }]);
  });

  it.each<[string, Codec<{ p: number }>]>([
    ['zod', z.object({ p: z.number() })],
    ['valibot', v.object({ p: v.number() })],
    ['arktype', type({ p: 'number' })],
  ])('makes items with a schema of %s', async (_, codec) => {
    const path = folder.write('trades.ndjson', '{"p":1}\n{"p":"x"}\n{"p":3}');
    const bad: BadRow[] = [];
    const seen = observe(replayFile(path, { codec, onBadRow: (one) => bad.push(one) }));
    await seen.ended;
    expect(seen.items).toEqual([{ p: 1 }, { p: 3 }]);
    expect(bad).toMatchObject([
      { line: 2, column: 'p', reason: expect.stringMatching(/^expected (a )?number, got "x"$/) },
    ]);
  });

  it('ends with the fault of an asynchronous schema rather than take each row for bad', async () => {
    const path = folder.write('trades.ndjson', '{"p":1}\n{"p":2}');
    const bad: BadRow[] = [];
    const codec = z.object({ p: z.number().refine(async () => true) });
    const seen = observe(replayFile(path, { codec, onBadRow: (one) => bad.push(one) }));
    await seen.ended;
    expect(seen.items).toEqual([]);
    expect(bad).toEqual([]);
    expect(String((seen.end as { error?: unknown }).error)).toMatch(
      /^RangeError: replayFile: its codec answers with a promise/,
    );
  });

  it('does not open the file while the gate is closed', async () => {
    const gate = new Gate('closed');
    const seen = observe(replayFile(folder.path('nothing.csv')), gate);
    await settled();
    expect(seen.end).toBeUndefined();
    gate.open();
    await seen.ended;
    expect(seen.end).toMatchObject({ error: { code: 'SLUICE_FILE_NOT_FOUND' } });
  });

  describe.skipIf(platform() !== 'linux')('with a file much larger than what it may hold', () => {
    // 2.3 MB, where at most two chunks of 64 KiB are ahead of the consumer.
    const rows = Array.from({ length: 60_000 }, (_, i) => row(i));
    const aheadOf = (path: string, items: readonly unknown[]) =>
      openPositions(path)[0]! - csv(...rows.slice(0, items.length)).length;

    it('reads no further than two chunks ahead of a slow consumer', async () => {
      const path = folder.write('large.csv', csv(...rows));
      expect(statSync(path).size).toBeGreaterThan(2_000_000);
      const gate = new Gate();
      const everySoOften = tap<Bar>(({ seq }) => (seq! % 9_000 === 0 ? gate.close() : undefined));
      const seen = observe(replayFile(path).pipe(everySoOften), gate);
      for (let stop = 1; stop <= 6; stop++) {
        await seen.count(9_000 * stop - 1);
        await settled(50);
        expect(seen.items).toHaveLength(9_000 * stop - 1);
        expect(aheadOf(path, seen.items)).toBeLessThanOrEqual(2 * 64 * 1024);
        gate.open();
      }
      await seen.ended;
      expect(seen.items).toHaveLength(60_000);
    });

    it('closes the file when it is unsubscribed half-way, plain and gzip', async () => {
      for (const path of [folder.write('half.csv', csv(...rows)), folder.write('half.csv.gz', csv(...rows))]) {
        const seen = observe(replayFile(path).pipe(take(10)));
        await seen.ended;
        expect(seen.items).toHaveLength(10);
        await closed(path);
        const other = observe(replayFile(path));
        await other.count(10);
        expect(openPositions(path)).toHaveLength(1);
        other.unsubscribe();
        await closed(path);
      }
    });

    it('closes the file on stopping, at its end and after an error', async () => {
      const path = folder.write('stop.csv', csv(...rows));
      const stopping = new Subject<void>();
      const gate = new Gate();
      const seen = observe(replayFile(path).pipe(tap(() => gate.close())), gate, stopping);
      await seen.count(1);
      stopping.next();
      expect(seen.end).toEqual({ kind: 'complete' });
      await closed(path);
      await observe(replayFile(path)).ended;
      await closed(path);
      await observe(replayFile(path, { columns: { ts: 'when' } })).ended;
      await closed(path);
    });
  });

  it('completes for an empty NDJSON file', async () => {
    expect(await replay(folder.write('empty.ndjson', ''))).toMatchObject({ items: [], end: { kind: 'complete' } });
  });

  it('refuses bad configurations when it is made', () => {
    expect(() => replayFile('')).toThrow(/path must be a path or a file URL, got ""/);
    expect(() => replayFile('bars.parquet')).toThrow(/format must be given .* got "bars.parquet"/);
    expect(() => replayFile('a.csv', { format: 'xml' as never })).toThrow(
      /format must be one of "csv", "ndjson", got "xml"/,
    );
    expect(() => replayFile('a.csv', { speed: 0 })).toThrow(/speed .* got 0/);
    expect(() => replayFile('a.csv', { speed: 'fast' as never })).toThrow(/speed .* got "fast"/);
    expect(() => replayFile('a.csv', { delimiter: ';;' })).toThrow(/delimiter must be one character, got ";;"/);
    expect(() => replayFile('a.csv', { gzip: 'no' as never })).toThrow(/gzip must be true or false, got "no"/);
    expect(() => replayFile('a.csv', { header: 'ab' as never })).toThrow(
      /header must be an array that is not empty, got "ab"/,
    );
    expect(() => replayFile('a.csv', { header: ['a', 5] as never })).toThrow(
      /header\[1\] must be a column name, got 5/,
    );
    expect(() => replayFile('a.csv', { header: ['a', 'b', 'a'] })).toThrow(
      /header must be an array that names no column twice, got "a"/,
    );
    expect(() => replayFile('a.csv', { name: 5 as never })).toThrow(/name must be a string that is not empty, got 5/);
    expect(() => replayFile('a.csv', { maxRecordBytes: 0 })).toThrow(/maxRecordBytes/);
    expect(() => replayFile('a.csv', { timeUnit: 'minutes' as never })).toThrow(/timeUnit must be one of/);
    expect(() => replayFile('a.csv', { seqFrom: -1 })).toThrow(/seqFrom/);
    expect(() => replayFile('a.csv', { columns: { date: 'ts' } as never })).toThrow(/columns: unknown option "date"/);
    expect(() => replayFile('a.csv', { defaults: { ts: 1 } as never })).toThrow(/defaults: unknown option "ts"/);
    expect(() => replayFile('a.csv', { onBadRow: true as never })).toThrow(/onBadRow must be a function/);
    expect(() => replayFile('a.csv', { toItem: String, speed: 2 })).toThrow(/timeOf \(with speed\) must be a function/);
    expect(() => replayFile('a.csv', { toItem: String, codec: t.unknown } as never)).toThrow(
      /give toItem or codec, got both/,
    );
    expect(() => replayFile('a.csv', { toItem: String, columns: {} } as never)).toThrow(/unknown option "columns"/);
  });
});

/** Resolves when this process has the file open no more. */
async function closed(path: string): Promise<void> {
  while (openPositions(path).length > 0) await new Promise((resolve) => setTimeout(resolve, 1));
}
