import { afterEach, beforeEach, expect, expectTypeOf, it } from 'vitest';
import { observe } from '../../test/support/collect.js';
import { Folder } from '../../test/support/folder.js';
import type { RecordKind } from '../market/recordKinds.js';
import type { Trade } from '../market/trade.js';
import { type BadRow, type ReplayRecordsConfig, replayFile } from './replayFile.js';

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder.remove());

async function read<K extends RecordKind>(name: string, content: string, config: ReplayRecordsConfig<K>) {
  const bad: BadRow[] = [];
  const seen = observe(replayFile(folder.write(name, content), { onBadRow: (row) => bad.push(row), ...config }));
  await seen.ended;
  return { items: seen.items, bad, end: seen.end };
}

it('reads trades by their shape, with columns, defaults and times of their own', async () => {
  const { items, bad } = await read(
    'trades.csv',
    'Ticker,Day,Clock,PRICE,size,id,conditions\nTpC,2024-01-02,09:30:00.000125,1.5,100,0017,"[""@"",""I""]"\nTPC,2024-01-02,9:31,1.5,1,2,\n',
    {
      kind: 'trade',
      columns: { symbol: 'Ticker', ts: ['Day', 'Clock'] },
      defaults: { vendor: 'x', venue: 'XNAS' },
      timeZone: 'America/New_York',
      seqFrom: 10,
    },
  );
  expect(bad).toEqual([]);
  expectTypeOf(items).toEqualTypeOf<Trade[]>();
  expect(items[0]).toStrictEqual({
    ...{ kind: 'trade', vendor: 'x', symbol: 'TpC', ts: Date.UTC(2024, 0, 2, 14, 30) + 0.125, price: 1.5, size: 100 },
    ...{ id: '0017', venue: 'XNAS', conditions: ['@', 'I'], seq: 12 },
  });
  expect(items[1]).not.toHaveProperty('conditions');
});

it('takes -1 and -2 of an option for no value where they cannot be one', async () => {
  const { items, bad } = await read(
    'options.csv',
    'symbol,expiry,option_type,strike,ts,bid,ask,iv,delta,theta,volume\nA,20240621,C,100,2024-01-02,-1,-2,-1,-1,-1,N/A\nA,2024-06-21,P,100,2024-01-02,1,2,0.2,-2,-2,5',
    { kind: 'option', defaults: { vendor: 'x' } },
  );
  expect(bad).toEqual([]);
  expect(items.map(({ bid, ask, iv, delta, theta, volume }) => [bid, ask, iv, delta, theta, volume])).toEqual([
    [null, null, null, -1, -1, null],
    [1, 2, 0.2, null, null, 5],
  ]);
  expect(items[0]).toMatchObject({ expiry: '2024-06-21', optionType: 'C' });
});

it('says what is wrong with a record, and in which column', async () => {
  const good = { kind: 'trade', vendor: 'x', symbol: 'A', ts: '2024-01-02T09:30:00Z', price: 1, size: 1, id: '1' };
  const { items, bad } = await read(
    'trades.ndjson',
    [
      { ...good, ts: '2024-01-02' },
      good,
      { ...good, price: null },
      { ...good, kind: 'quote' },
      { ...good, side: 'long' },
    ]
      .concat([{ ...good, conditions: ['a', 7] } as never, { status: 'ok' } as never, { ...good, ts: '2024-01-03' }])
      .map((one) => JSON.stringify(one))
      .join('\n'),
    { kind: 'trade' },
  );
  expect(items).toHaveLength(1);
  expect(bad.map(({ line, column, reason }) => `${line} ${column}: ${reason.slice(0, 60)}`)).toEqual([
    '1 ts: expected a date with a time of day for a trade, got "2024-01',
    '3 price: expected a finite number, got null, which stands for no valu',
    '4 kind: expected "trade", got "quote"',
    '5 side: expected "buy" or "sell", or null, got "long"',
    '6 conditions: expected a name, got 7',
    '7 undefined: lacks the properties vendor, symbol, ts, price, size, id: na',
    '8 ts: expected a date with a time of day for a trade, got "2024-01',
  ]);
});

it('needs the columns of the kind, and no other options', async () => {
  const { end } = await read('gaps.csv', 'vendor,symbol\nx,A', { kind: 'gap' });
  expect(end).toMatchObject({
    error: { name: 'MissingColumnError', column: 'of', message: expect.stringContaining("the gap's of in columns") },
  });
  expect(() => replayFile('a.csv', { kind: 'dividend' as never })).toThrow(
    'replayFile: kind must be one of bar, option, news, fundamental, trade, quote, gap, got "dividend"',
  );
  expect(() => replayFile('a.csv', { kind: 'trade', columns: { bid: 'b' } as never })).toThrow(
    /columns: unknown option "bid"/,
  );
  expect(() => replayFile('a.csv', { kind: 'trade', defaults: { ts: 1 } as never })).toThrow(
    /defaults: unknown option "ts"/,
  );
  expect(() => replayFile('a.csv', { kind: 'trade', ohlcTolerance: 1e-9 } as never)).toThrow(/unknown option/);
});

it('needs the version of a gap, which says more than which of two is newer', async () => {
  const columns = 'vendor,symbol,of,from,to,cause,state';
  const { end } = await read('unversioned.csv', `${columns}\nx,A,trade,0,1,stale,open`, { kind: 'gap' });
  expect(end).toMatchObject({ error: { name: 'MissingColumnError', column: 'seq' } });
});
