import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replay } from '../../test/support/barFiles.js';
import { observe } from '../../test/support/collect.js';
import { Folder } from '../../test/support/folder.js';
import { type ReplayBarsConfig, replayFile } from './replayFile.js';

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder.remove());

const HEADER = 'ts,open,high,low,close,volume';
const DAILY = { vendor: 'x', symbol: 'A', timeframe: '1d' };
const MINUTES = { ...DAILY, timeframe: '5m' };

const file = (...rows: string[]) => folder.write('values.csv', [HEADER, ...rows].join('\n'));
const times = async (config: ReplayBarsConfig, ...written: string[]) => {
  const { items, bad } = await replay(file(...written.map((ts) => `${ts},1,2,1,2,5`)), config);
  return { times: items.map(({ ts }) => new Date(ts).toISOString()), bad };
};

describe('a time', () => {
  it('is in the zone that is given, with a rule for the hour that comes twice', async () => {
    const defaults = MINUTES;
    const timeZone = 'Europe/Berlin';
    const rows = ['2024-03-28 09:00', '2024-04-02 09:00', '2024-10-27 02:30', '2024-03-31 02:30'];
    const plain = await times({ defaults, timeZone }, ...rows);
    expect(plain.times).toEqual(['2024-03-28T08:00:00.000Z', '2024-04-02T07:00:00.000Z']);
    expect(plain.bad.map(({ line, column }) => [line, column])).toEqual([
      [4, 'ts'],
      [5, 'ts'],
    ]);
    expect(plain.bad[0]!.reason).toContain("give repeatedHour: 'first' or 'second'");
    const first = await times({ defaults, timeZone, repeatedHour: 'first' }, ...rows);
    expect(first.times[2]).toBe('2024-10-27T00:30:00.000Z');
    const second = await times({ defaults, timeZone, repeatedHour: 'second' }, ...rows);
    expect(second.times[2]).toBe('2024-10-27T01:30:00.000Z');
  });

  it('is a count where a unit is given, and may be a date where none is', async () => {
    expect((await times({ defaults: DAILY, timeUnit: 's' }, '20240102')).times).toEqual(['1970-08-23T06:15:02.000Z']);
    expect((await times({ defaults: DAILY }, '20240102', '202401020930')).times).toEqual([
      '2024-01-02T00:00:00.000Z',
      '2024-01-02T09:30:00.000Z',
    ]);
  });

  it('has the order that is given, and a year within bounds', async () => {
    expect((await times({ defaults: DAILY, dateOrder: 'DMY' }, '3/2/2024')).times).toEqual([
      '2024-02-03T00:00:00.000Z',
    ]);
    expect((await times({ defaults: DAILY, dateOrder: 'MDY' }, '3/2/2024')).times).toEqual([
      '2024-03-02T00:00:00.000Z',
    ]);
    const rows = ['1789-07-14', '2024-01-02', '9998-01-02'];
    expect((await times({ defaults: DAILY }, ...rows)).bad.map(({ line }) => line)).toEqual([2, 4]);
    expect((await times({ defaults: DAILY, minYear: 1700, maxYear: 9999 }, ...rows)).bad).toEqual([]);
  });

  it('of day is missing from a date, so a bar shorter than a day cannot have it', async () => {
    const none = await times({ defaults: MINUTES, columns: { ts: 'TS' } }, '2024-01-02', '2024-01-03');
    expect(none.times).toEqual([]);
    expect(none.bad[0]).toMatchObject({
      column: 'ts',
      reason:
        'expected a date with a time of day for a bar of 5m, got "2024-01-02": name the column of the time too in ' +
        "columns: { ts: ['ts', '…'] }, or give the timeframe of daily bars",
    });
    const daily = await times({ defaults: DAILY }, '2024-01-02');
    expect(daily.times).toEqual(['2024-01-02T00:00:00.000Z']);
  });

  it('of day is asked for in a row of a file whose others have one', async () => {
    const some = await times({ defaults: MINUTES }, '2024-01-02', '2024-01-02 23:55', '2024-01-03', '20240104');
    expect(some.times).toEqual(['2024-01-02T23:55:00.000Z']);
    expect(some.bad.map(({ line }) => line)).toEqual([2, 4, 5]);
  });

  it('is midnight where digits alone have lost its zeros, as others of the file show', async () => {
    const some = await times({ defaults: MINUTES }, '20240102', '202401022355', '20240103', '2024-01-04');
    expect(some.times).toEqual(['2024-01-02T23:55:00.000Z', '2024-01-03T00:00:00.000Z']);
    expect(some.bad.map(({ line }) => line)).toEqual([2, 5]);
  });

  it('is none where digits are a date in a form that is not read', async () => {
    const some = await times({ defaults: MINUTES }, '2024010209', '240102', '202401', '120000', '0');
    expect(some.times).toEqual(['1970-01-01T00:02:00.000Z', '1970-01-01T00:00:00.000Z']);
    expect(some.bad.map(({ line }) => line)).toEqual([2, 3, 4]);
  });

  it('is asked for by the row that lacks it, whatever timeframes a file mixes', async () => {
    const path = folder.write(
      'mixed.csv',
      `timeframe,${HEADER}\n1d,2024-01-02,1,2,1,2,5\n1h,2024-01-02,1,2,1,2,5\n1w,2024-01-01,1,2,1,2,5\n1h,2024-01-02,1,2,1,2,5`,
    );
    const { items, bad } = await replay(path, { defaults: { vendor: 'x', symbol: 'A' } });
    expect(items.map(({ timeframe }) => timeframe)).toEqual(['1d', '1w']);
    expect(bad.map(({ line }) => line)).toEqual([3, 5]);
  });

  it('of each subscription is read alone', async () => {
    const path = file('2024-01-02,1,2,1,2,5', '2024-01-02 09:30,1,2,1,2,5');
    const source = () => replay(path, { defaults: MINUTES });
    expect((await source()).bad).toHaveLength(1);
    expect((await source()).bad).toHaveLength(1);
    // After 93000, 1530 could be minutes and seconds; before it, it is not.
    const seen = replayFile(file('20240102 1530,1,2,1,2,5', '20240102 93000,1,2,1,2,5'), { defaults: MINUTES });
    for (let i = 0; i < 2; i++) {
      const { items, ended } = observe(seen);
      await ended;
      expect(items).toHaveLength(2);
    }
  });
});

describe('a number', () => {
  const prices = async (config: ReplayBarsConfig, ...rows: string[]) => {
    const { items, bad } = await replay(
      folder.write('prices.csv', [HEADER.replaceAll(',', ';'), ...rows.map((one) => `2024-01-02;${one}`)].join('\n')),
      { defaults: DAILY, delimiter: ';', ...config },
    );
    return { rows: items.map(({ open, high, low, close, volume }) => [open, high, low, close, volume]), bad };
  };

  it('may have a comma before its decimals, and marks between thousands', async () => {
    expect(await prices({ decimal: ',' }, '1.234,5;1.240;1.230,00;1 235,25;12.345')).toEqual({
      rows: [[1234.5, 1240, 1230, 1235.25, 12_345]],
      bad: [],
    });
    expect(await prices({}, "1,234.5;1'240;1 230;1235.25;12,345,678")).toEqual({
      rows: [[1234.5, 1240, 1230, 1235.25, 12_345_678]],
      bad: [],
    });
  });

  it('that could be another one is asked for, unless the row shows which mark is which', async () => {
    const unclear = await prices(
      {},
      '1,234;1,240;1,230;1,235;5',
      '1,234;1,240;1,230;1,235.5;5',
      '1,234;1,240;1,230;1,235;1,234,567',
    );
    expect(unclear.rows).toEqual([
      [1234, 1240, 1230, 1235.5, 5],
      [1234, 1240, 1230, 1235, 1_234_567],
    ]);
    expect(unclear.bad).toMatchObject([
      {
        line: 2,
        column: 'open',
        reason: "expected a number whose decimal mark is known, got \"1,234\": give decimal: '.' or ','",
      },
    ]);
    expect((await prices({ decimal: '.' }, '1,234;1,240;1,230;1,235;5')).rows).toEqual([[1234, 1240, 1230, 1235, 5]]);
    expect((await prices({}, '1234;1240;1230;1235;12,345')).rows).toEqual([[1234, 1240, 1230, 1235, 12_345]]);
  });

  it('that is written with the other mark names the remedy', async () => {
    const { bad } = await prices({}, '1234,5;1240;1230;1235;5');
    expect(bad).toMatchObject([
      { column: 'open', reason: 'expected a finite number, got "1234,5": give decimal: \',\'' },
    ]);
  });

  it.each(['1.7976931348623157e308', '-1.7976931348623157E+308', '9223372036854775807', 'null', 'N/A', 'NaN', '-', ''])(
    'that is %j is no price and no volume',
    async (text) => {
      const { rows, bad } = await prices({}, `${text};2;1;2;5`, `1;2;1;2;${text}`, '1;2;1;2;5');
      expect(rows).toEqual([[1, 2, 1, 2, 5]]);
      expect(bad.map(({ column }) => column)).toEqual(['open', 'volume']);
      for (const { reason } of bad) expect(reason).toContain('which stands for no value');
    },
  );

  it('that is not there is left out where it is optional', async () => {
    const header = `${HEADER},trades,vwap,is_final`;
    const path = folder.write(
      'details.csv',
      [
        header,
        ...['N/A,,null', '-1,1.7976931348623157e308,\\N', '3,1.5,f'].map((rest) => `2024-01-02,1,2,1,2,5,${rest}`),
      ].join('\n'),
    );
    const { items, bad } = await replay(path, { defaults: DAILY });
    expect(bad).toEqual([]);
    expect(items.map(({ trades, vwap, isFinal }) => [trades, vwap, isFinal])).toEqual([
      [undefined, undefined, undefined],
      [undefined, undefined, undefined],
      [3, 1.5, false],
    ]);
    const json = folder.write(
      'details.ndjson',
      JSON.stringify({
        ...DAILY,
        ts: 1.7e12,
        open: '1',
        high: 2,
        low: 1,
        close: 2,
        volume: 5,
        trades: null,
        vwap: null,
      }),
    );
    expect(Object.keys((await replay(json)).items[0]!)).not.toContain('vwap');
  });
});

it.each([
  [{ timeZone: 'Europe/Atlantis' }, /^replayFile: timeZone must be the IANA name .*, got "Europe\/Atlantis"$/],
  [{ dateOrder: 'YDM' }, /^replayFile: dateOrder must be one of/],
  [{ repeatedHour: 'third' }, /^replayFile: repeatedHour must be one of/],
  [{ minYear: 99 }, /^replayFile: minYear must be an integer from 100 to 9999/],
  [{ minYear: 2000, maxYear: 1999 }, /^replayFile: maxYear must be at least minYear, 2000, got 1999$/],
  [{ decimal: ';' }, /^replayFile: decimal must be one of ".", ",", got ";"$/],
  [{ timeUnit: 'h' }, /^replayFile: timeUnit must be one of/],
])('%j is refused when the source is made', (config, message) => {
  expect(() => replayFile('a.csv', config as never)).toThrow(RangeError);
  expect(() => replayFile('a.csv', config as never)).toThrow(message);
});
