import { execFile } from 'node:child_process';
import { createWriteStream, writeFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { lastValueFrom, type Observable, toArray } from 'rxjs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Sink } from '../../src/contracts/sink.js';
import { replayFile } from '../../src/files/replayFile.js';
import type { Bar } from '../../src/market/bar.js';
import type { MarketEvent, RecordKind, RecordOf } from '../../src/market/recordKinds.js';
import { bars } from '../../src/postgres/read/bars.js';
import { gaps } from '../../src/postgres/read/gaps.js';
import { latest } from '../../src/postgres/read/latest.js';
import { tableOf } from '../../src/postgres/recordTables.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { fundamentalsSink } from '../../src/sinks/fundamentalsSink.js';
import { gapsSink } from '../../src/sinks/gapsSink.js';
import { newsSink } from '../../src/sinks/newsSink.js';
import { optionsSink } from '../../src/sinks/optionsSink.js';
import { quotesSink } from '../../src/sinks/quotesSink.js';
import { tradesSink } from '../../src/sinks/tradesSink.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { Folder } from '../support/folder.js';
import { write } from './bars.js';
import { figure, gap, newsItem, option, quote, trade } from './events.js';

const database = freshDatabase();
let pool: pg.Pool;
let folder: Folder;

beforeAll(() => {
  pool = database.pool({ max: 4 });
  folder = new Folder();
});

afterAll(() => folder.remove());

beforeEach(async () => {
  for (const kind of Object.keys(SINKS) as RecordKind[]) {
    const { name } = tableOf(kind);
    await pool.query(`DROP TABLE IF EXISTS ${name}, ${name}_again`);
  }
});

const all = <T>(source: Observable<T>) => lastValueFrom(source.pipe(toArray()));

/** Symbols that differ only in case, with blanks and marks in them, as vendors spell them. */
const SYMBOLS = ['BRK B', 'BRK.B', 'BF/B', 'TpC', 'TPC', 'rb2405', '^GSPC', 'ES=F', '#AAPL', 'A"B', "O'N", 'x,y', 'Ж'];

const START = Date.UTC(2024, 0, 2, 9, 30);
const bar = (fields: Partial<Bar>): Bar => ({
  ...{ kind: 'bar', vendor: 'acme', symbol: 'A', timeframe: '1m', ts: START, open: 1.1, high: 2.2, low: 0.3 },
  ...{ close: 1e-7, volume: 123_456_789.125, seq: 2 ** 53 - 1, low: -0.1 },
  ...fields,
});
const BARS: readonly Bar[] = [
  ...SYMBOLS.map((symbol) => bar({ symbol })),
  bar({
    vendor: 'Acme Inc.',
    ts: Date.UTC(2000, 0, 3) + 0.125,
    isFinal: true,
    isComplete: false,
    trades: 0,
    vwap: 1.5,
  }),
  bar({ ts: Date.UTC(1950, 5, 1), timeframe: '1d', isFinal: false, trades: 2 ** 52 }),
  bar({ ts: START + 0.001, vwap: -3.25 }),
];

const SINKS: { readonly [K in RecordKind]: (table: string) => Sink<RecordOf<K>> } = {
  bar: (table) => barsSink(pool, { table }),
  option: (table) => optionsSink(pool, { table }),
  news: (table) => newsSink(pool, { table }),
  fundamental: (table) => fundamentalsSink(pool, { table }),
  trade: (table) => tradesSink(pool, { table }),
  quote: (table) => quotesSink(pool, { table }),
  gap: (table) => gapsSink(pool, { table }),
};

const sinkOf = (kind: RecordKind, table: string) => SINKS[kind](table) as unknown as Sink<MarketEvent>;

const RECORDS: readonly (readonly [RecordKind, readonly MarketEvent[]])[] = [
  ['bar', BARS],
  [
    'trade',
    [
      ...SYMBOLS.map((symbol) => trade({ symbol, conditions: [symbol, ' ', 'NULL', '{}', '\\'] })),
      trade({ id: '0017', venue: undefined, side: undefined, conditions: undefined }),
      trade({ id: 'none', conditions: [], price: -37.63, size: 0 }),
    ],
  ],
  [
    'quote',
    [
      ...SYMBOLS.map((symbol) => quote({ symbol })),
      quote({
        id: 'empty',
        bid: null,
        bidSize: null,
        ask: null,
        askSize: null,
        bidVenue: undefined,
        askVenue: undefined,
      }),
      quote({ id: 'crossed', bid: 2, ask: 1 }),
    ],
  ],
  [
    'option',
    [
      ...SYMBOLS.map((symbol) => option({ symbol })),
      option({ strike: 102.5, optionType: 'P', delta: -1, theta: -1, bid: 0 }),
      option({ strike: 5, bid: null, ask: null, last: null, iv: null, delta: null, gamma: null, theta: null }),
    ],
  ],
  [
    'news',
    [
      newsItem({ symbols: SYMBOLS, title: ' "Acme", they say,\nbeats ' }),
      newsItem({ id: 'n2', symbols: [], sentiment: undefined }),
    ],
  ],
  [
    'fundamental',
    [...SYMBOLS.map((symbol) => figure({ symbol })), figure({ metric: 'eps', value: -1, filingDate: undefined })],
  ],
  [
    'gap',
    [
      ...SYMBOLS.map((symbol) => gap({ symbol })),
      gap({
        symbol: '*',
        of: 'trade',
        timeframe: undefined,
        rows: undefined,
        reason: undefined,
        state: 'empty',
        seq: 2 ** 52,
      }),
    ],
  ],
];

/** What `\copy table TO file CSV HEADER` writes in this time zone. */
async function exportCsv(table: string, timezone: string): Promise<string> {
  const path = folder.path(`${table}.csv`);
  const client = await pool.connect();
  try {
    await client.query(`SET timezone = '${timezone}'`);
    await pipeline(client.query(copyTo(`COPY ${table} TO STDOUT (FORMAT csv, HEADER)`)), createWriteStream(path));
  } finally {
    await client.query('RESET timezone');
    client.release();
  }
  return path;
}

const contentOf = async (table: string) =>
  (await pool.query<{ row: string }>(`SELECT t::text AS row FROM ${table} AS t ORDER BY 1`)).rows.map(({ row }) => row);

/** As the readers of the store give it: without what is not known, but for the sides of a quote. */
function known(event: MarketEvent): object {
  const keepsNull = event.kind === 'option' || event.kind === 'quote';
  return Object.fromEntries(
    Object.entries(event).filter(([, value]) => value !== undefined && (keepsNull || value !== null)),
  );
}

it.each(RECORDS)(
  'an export of %s is read back, equal in each field, and into a second table of equal contents',
  async (kind, records) => {
    const { name } = tableOf(kind);
    await write(sinkOf(kind, name), records);
    const written = await contentOf(name);
    expect(written).toHaveLength(records.length);
    for (const timezone of ['Asia/Kolkata', 'UTC', 'America/St_Johns']) {
      const path = await exportCsv(name, timezone);
      const bad: string[] = [];
      const onBadRow = ({ message }: { message: string }) => bad.push(message);
      const read = await all<MarketEvent>(
        kind === 'bar' ? replayFile(path, { onBadRow }) : replayFile(path, { kind, onBadRow }),
      );
      expect(bad).toEqual([]);
      const order = (events: readonly object[]) =>
        events.map((one) => JSON.stringify(one, Object.keys(one).sort())).sort();
      expect(order(read.map(known))).toEqual(order(records.map(known)));
      await pool.query(`DROP TABLE IF EXISTS ${name}_again`);
      await write(sinkOf(kind, `${name}_again`), read);
      expect(await contentOf(`${name}_again`)).toEqual(written);
    }
  },
);

it('what psql writes with \\copy is read back', async () => {
  await write(barsSink(pool), BARS);
  const path = folder.path('psql.csv');
  const psql = promisify(execFile)('psql', [
    ...[database.url, '-X', '-q', '-c', "SET timezone = 'Asia/Kolkata'"],
    ...['-c', `\\copy bars TO '${path}' CSV HEADER`],
  ]).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    // Without psql, what the server copies is the same.
    const exported = await exportCsv('bars', 'Asia/Kolkata');
    await promisify(execFile)('cp', [exported, path]);
  });
  await psql;
  const read = await all(replayFile(path));
  const byKey = (one: Bar, other: Bar) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1);
  expect(read.toSorted(byKey)).toEqual(
    [
      ...(await all(bars(pool, { symbols: [...SYMBOLS, 'A'], timeframe: '1m' }))),
      ...(await all(bars(pool, { symbols: ['A'], timeframe: '1d' }))),
    ].toSorted(byKey),
  );
});

it('a symbol goes from a file to the table and back as the vendor spells it', async () => {
  const path = folder.path('symbols.csv');
  const quoted = (symbol: string) => `"${symbol.replaceAll('"', '""')}"`;
  const rows = SYMBOLS.map((symbol, i) => `${quoted(` ${symbol} `)},2024-01-02 09:3${i % 10},1,2,1,2,${i}`);
  writeFileSync(path, ['Ticker,time,open,high,low,close,volume', ...rows].join('\n'));
  const config = { columns: { symbol: 'ticker', ts: 'time' }, defaults: { vendor: 'x', timeframe: '1m' } };
  await write(barsSink(pool), await all(replayFile(path, config)));
  for (const symbol of SYMBOLS) {
    expect(
      (await all(bars(pool, { vendor: 'x', symbols: [symbol], timeframe: '1m' }))).map((one) => one.symbol),
    ).toEqual([symbol]);
    expect((await all(latest(pool, { vendor: 'x', symbols: [symbol] }))).map((one) => one.symbol)).toEqual([symbol]);
  }
  await write(
    gapsSink(pool),
    SYMBOLS.map((symbol) => gap({ symbol })),
  );
  for (const symbol of SYMBOLS) {
    expect((await all(gaps(pool, { symbols: [symbol] }))).map((one) => one.symbol)).toEqual([symbol]);
  }
});
