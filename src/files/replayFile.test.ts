import { closeSync, ftruncateSync, openSync, statSync } from 'node:fs';
import { platform } from 'node:os';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import * as t from 'io-ts';
import { Subject, take, tap, VirtualTimeScheduler } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { observe, settled } from '../../test/support/collect.js';
import { Folder, openPositions } from '../../test/support/folder.js';
import { Gate } from '../flow/gate.js';
import type { Bar } from '../market/bar.js';
import { syntheticBars } from '../sources/syntheticBars.js';
import { type BadRow, type ReplayBarsConfig, replayFile } from './replayFile.js';

const SP500 = 'node_modules/vega-datasets/data/sp500-2000.csv';
const SP500_CONFIG = {
  columns: { ts: 'date' },
  defaults: { vendor: 'vega', symbol: 'SPX', timeframe: '1d' },
} satisfies ReplayBarsConfig;

const HEADER = 'vendor,symbol,timeframe,ts,open,high,low,close,volume';
const START = Date.UTC(2024, 0, 2);
const row = (n: number) => `acme,SPY,1m,${START + n * 60_000},1${n},2${n},0.5,1${n},${n}00`;
const csv = (...rows: string[]) => [HEADER, ...rows].join('\n');

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder.remove());

/** Everything that a file gives, and everything that is wrong with it. */
async function replay(path: string, config: ReplayBarsConfig = {}) {
  const bad: BadRow[] = [];
  const seen = observe(replayFile(path, { onBadRow: (row) => bad.push(row), ...config }));
  await seen.ended;
  return { items: seen.items, end: seen.end, bad, account: seen.monitor.account() };
}

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

  it('replays at real time times a factor', async () => {
    const path = folder.write('day.csv', csv(row(0), row(1), row(1), row(4), row(3), row(5)));
    const scheduler = new VirtualTimeScheduler();
    const at: [number, number][] = [];
    const seen = observe(
      replayFile(path, { speed: 60, scheduler }).pipe(tap((bar) => at.push([scheduler.now(), bar.ts - START]))),
    );
    await seen.count(1);
    await playOut(scheduler, seen);
    // A minute of the file is a second here; what comes out of order comes at once.
    expect(at).toEqual([
      [0, 0],
      [1_000, 60_000],
      [1_000, 60_000],
      [4_000, 240_000],
      [4_000, 180_000],
      [5_000, 300_000],
    ]);
  });

  it('lets the clock of speed stand still while the gate is closed', async () => {
    const path = folder.write('pause.csv', csv(row(0), row(1), row(2)));
    const scheduler = new VirtualTimeScheduler();
    const gate = new Gate();
    const at: number[] = [];
    const seen = observe(replayFile(path, { speed: 60, scheduler }).pipe(tap(() => at.push(scheduler.now()))), gate);
    scheduler.schedule(() => gate.close(), 500);
    scheduler.schedule(() => gate.open(), 7_000);
    await seen.count(1);
    await playOut(scheduler, seen);
    expect(at).toEqual([0, 7_000, 8_000]);
  });

  it('waits longer than a timer can', async () => {
    const path = folder.write('rare.csv', csv(row(0), row(60_000)));
    const scheduler = new VirtualTimeScheduler();
    const delays: number[] = [];
    const recording = {
      now: () => scheduler.now(),
      schedule: ((work, delay = 0, state) => {
        delays.push(delay);
        return scheduler.schedule(work, delay, state);
      }) as typeof scheduler.schedule,
    };
    const seen = observe(replayFile(path, { speed: 1, scheduler: recording }));
    await seen.count(1);
    await playOut(scheduler, seen);
    expect(scheduler.now()).toBe(3_600_000_000);
    expect(delays).toEqual([2 ** 31 - 1, 3_600_000_000 - (2 ** 31 - 1)]);
  });

  it('replays items of any kind by their timeOf, and refuses one that gives none', async () => {
    const path = folder.write('ticks.ndjson', '{"at":5}\n{"at":8}\n{"at":null}');
    const scheduler = new VirtualTimeScheduler();
    const seen = observe(
      replayFile(path, {
        toItem: (record) => record.at as number,
        timeOf: (at) => at ?? Number.NaN,
        speed: 1,
        scheduler,
      }),
    );
    await seen.count(1);
    await playOut(scheduler, seen);
    expect(seen.items).toEqual([5, 8]);
    expect(seen.end).toMatchObject({ error: { message: 'replayFile: timeOf must give a finite number, got NaN' } });
  });

  it('completes for an empty NDJSON file', async () => {
    expect(await replay(folder.write('empty.ndjson', ''))).toMatchObject({ items: [], end: { kind: 'complete' } });
  });

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
      const ndjson = folder.write('other.ndjson', '{"a":1}\n{"b":2}');
      expect((await replay(ndjson)).end).toMatchObject({ error: { column: 'vendor', columns: ['a'] } });
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

    it('for a file that is no gzip in spite of its name', async () => {
      const path = folder.write('plain.csv.gz', Buffer.from(csv(row(1))));
      expect((await replay(path)).end).toMatchObject({
        error: { message: expect.stringContaining('not a gzip file') },
      });
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
      ['an empty price', 'acme,SPY,1m,0,,2,0.5,1,100', 'open', 'expected a finite number, got ""'],
      ['a hexadecimal price', 'acme,SPY,1m,0,0x10,20,0.5,1,100', 'open', 'expected a finite number, got "0x10"'],
      ['an infinite price', 'acme,SPY,1m,0,1,1e999,0.5,1,100', 'high', 'expected a finite number, got Infinity'],
      [
        'a date of another country',
        'acme,SPY,1m,31/12/2020,1,2,0.5,1,100',
        'ts',
        'expected a date, or a time in ms since 1970, got "31/12/2020"',
      ],
      [
        'a date that does not exist',
        'acme,SPY,1m,2023-02-29,1,2,0.5,1,100',
        'ts',
        /^expected a date.*got "2023-02-29"$/,
      ],
      [
        'a high below the low',
        'acme,SPY,1m,0,1,0.25,0.5,1,100',
        'high',
        'expected a high that is not below the low of 0.5, got 0.25',
      ],
      ['a negative volume', 'acme,SPY,1m,0,1,2,0.5,1,-1', 'volume', 'expected a finite number of at least 0, got -1'],
      [
        'a lower-case symbol',
        'acme,spy,1m,0,1,2,0.5,1,100',
        'symbol',
        'expected an upper-case symbol without spaces, got "spy"',
      ],
      ['too few fields', 'acme,SPY,1m', undefined, 'has 3 fields where the header has 9'],
      ['too many fields', `${row(5)},1`, undefined, 'has 10 fields where the header has 9'],
      ['an open quote', '"acme,SPY,1m,0,1,2,0.5,1,100', undefined, /^a quote is not closed on its line/],
      ['text behind a quote', '"acme"x,SPY,1m,0,1,2,0.5,1,100', undefined, /Invalid Closing Quote/],
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
        [3, undefined, 'is not a JSON object'],
        [4, undefined, 'is not a JSON object'],
        [5, 'symbol', 'expected an upper-case symbol without sp'],
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

/** Lets virtual time run to the end of a source whose input comes in real time. */
async function playOut(scheduler: VirtualTimeScheduler, seen: { readonly end: unknown }): Promise<void> {
  while (!seen.end) {
    await settled(2);
    scheduler.flush();
  }
}
