import type { Pool } from 'pg';
import { type Bar, barKey } from '../../src/market/bar.js';
import { type Fundamentals, fundamentalsKey } from '../../src/market/fundamentals.js';
import { type Gap, gapKey } from '../../src/market/gap.js';
import { type NewsItem, newsKey } from '../../src/market/newsItem.js';
import { type OptionSnapshot, optionKey } from '../../src/market/optionSnapshot.js';
import { type Quote, quoteKey } from '../../src/market/quote.js';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import { type Trade, tradeKey } from '../../src/market/trade.js';

/** One item of each kind; what differs from the template is given. */
export function option(fields: Partial<OptionSnapshot> = {}): OptionSnapshot {
  return {
    kind: 'option',
    vendor: 'test',
    symbol: 'ACME',
    expiry: '2024-06-21',
    optionType: 'C',
    strike: 100,
    ts: Date.UTC(2024, 0, 2, 14, 30),
    bid: 1.5,
    ask: 1.75,
    last: 1.625,
    iv: 0.25,
    delta: 0.5,
    gamma: 0.125,
    theta: -0.0625,
    vega: 0.375,
    openInterest: 1200,
    volume: 30,
    underlyingPrice: 99.5,
    seq: 1,
    ...fields,
  };
}

export function newsItem(fields: Partial<NewsItem> = {}): NewsItem {
  return {
    kind: 'news',
    vendor: 'test',
    id: 'n1',
    publishedAt: Date.UTC(2024, 0, 2, 14, 30),
    title: 'Acme beats',
    url: 'https://example.com/n1',
    symbols: ['ACME', 'BRK.B'],
    sentiment: 0.5,
    seq: 1,
    ...fields,
  };
}

export function figure(fields: Partial<Fundamentals> = {}): Fundamentals {
  return {
    kind: 'fundamental',
    vendor: 'test',
    symbol: 'ACME',
    periodEnd: '2024-03-31',
    timeframe: 'quarterly',
    metric: 'revenues',
    value: 1.25e9,
    unit: 'USD',
    filingDate: '2024-05-02',
    seq: 1,
    ...fields,
  };
}

export function trade(fields: Partial<Trade> = {}): Trade {
  return {
    kind: 'trade',
    vendor: 'test',
    symbol: 'ACME',
    ts: Date.UTC(2024, 0, 2, 14, 30) + 0.125,
    price: 99.5,
    size: 0.25,
    id: 't1',
    venue: 'XNAS',
    side: 'buy',
    conditions: ['@', 'I'],
    seq: 1,
    ...fields,
  };
}

export function quote(fields: Partial<Quote> = {}): Quote {
  return {
    kind: 'quote',
    vendor: 'test',
    symbol: 'ACME',
    ts: Date.UTC(2024, 0, 2, 14, 30) + 0.125,
    bid: 99.5,
    bidSize: 100,
    ask: 99.75,
    askSize: 300,
    id: 'q1',
    bidVenue: 'XNAS',
    askVenue: 'ARCX',
    seq: 1,
    ...fields,
  };
}

export function gap(fields: Partial<Gap> = {}): Gap {
  return {
    kind: 'gap',
    vendor: 'test',
    symbol: 'ACME',
    of: 'bar',
    timeframe: '1m',
    from: Date.UTC(2024, 0, 2, 14, 30),
    to: Date.UTC(2024, 0, 2, 14, 35) + 0.125,
    cause: 'reconnect',
    state: 'open',
    rows: 3,
    reason: 'not asked yet',
    seq: 1,
    ...fields,
  };
}

type Kind = MarketEvent['kind'];

/** How the rows of each kind become items again, in the order of their keys. */
const SELECTS: Readonly<Record<Kind, string>> = {
  bar: `SELECT 'bar' AS kind, vendor, symbol, timeframe, ${micros('ts')}, open, high, low, close, volume,
               is_final AS "isFinal", is_complete AS "isComplete", trades::float8 AS trades, vwap, seq
          FROM bars ORDER BY vendor, symbol, timeframe, ts`,
  option: `SELECT 'option' AS kind, vendor, symbol, expiry::text AS expiry, option_type AS "optionType", strike, ${micros('ts')},
                  bid, ask, last, iv, delta, gamma, theta, vega, open_interest AS "openInterest", volume,
                  underlying_price AS "underlyingPrice", seq
             FROM options_snap ORDER BY vendor, symbol, expiry, option_type, strike, ts`,
  news: `SELECT 'news' AS kind, vendor, id, ${micros('published_at', 'publishedAt')}, title, url, symbols, sentiment, seq
           FROM news ORDER BY vendor, id`,
  fundamental: `SELECT 'fundamental' AS kind, vendor, symbol, period_end::text AS "periodEnd", timeframe, metric, value, unit,
                       filing_date::text AS "filingDate", seq
                  FROM fundamentals ORDER BY vendor, symbol, period_end, timeframe, metric`,
  trade: `SELECT 'trade' AS kind, vendor, symbol, ${micros('ts')}, id, price, size, venue, side, conditions, seq
            FROM trades ORDER BY vendor, symbol, ts, id`,
  quote: `SELECT 'quote' AS kind, vendor, symbol, ${micros('ts')}, id, bid, bid_size AS "bidSize", ask, ask_size AS "askSize",
                 bid_venue AS "bidVenue", ask_venue AS "askVenue", seq
            FROM quotes ORDER BY vendor, symbol, ts, id`,
  gap: `SELECT 'gap' AS kind, vendor, symbol, of_kind AS of, nullif(timeframe, '') AS timeframe, ${micros('from_ts', 'from')},
               ${micros('to_ts', 'to')}, cause, state, rows::float8 AS rows, reason, seq
          FROM gaps ORDER BY vendor, symbol, of_kind, timeframe, from_ts, to_ts`,
};

/** The fields that hold a time. */
const TIMES: Readonly<Record<Kind, readonly string[]>> = {
  bar: ['ts'],
  option: ['ts'],
  news: ['publishedAt'],
  fundamental: [],
  trade: ['ts'],
  quote: ['ts'],
  gap: ['from', 'to'],
};

/** The fields that the items of the tests leave out rather than say null for. */
const LEFT_OUT: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  bar: ['isFinal', 'isComplete', 'trades', 'vwap'],
  gap: ['timeframe'],
};

async function stored<T extends MarketEvent>(pool: Pool, kind: T['kind']): Promise<T[]> {
  const { rows } = await pool.query(SELECTS[kind]);
  return rows.map(itemOf<T>(kind));
}

/** What makes two records the same. */
export function eventKey(event: MarketEvent): string {
  switch (event.kind) {
    case 'bar':
      return barKey(event);
    case 'option':
      return optionKey(event);
    case 'news':
      return newsKey(event);
    case 'fundamental':
      return fundamentalsKey(event);
    case 'trade':
      return tradeKey(event);
    case 'quote':
      return quoteKey(event);
    case 'gap':
      return gapKey(event);
  }
}

/** What a table must hold: of each key the highest version. Written down here, apart from the code under test. */
export function foldEvents(events: Iterable<MarketEvent>): Map<string, MarketEvent> {
  const newest = new Map<string, MarketEvent>();
  for (const event of events) {
    const key = eventKey(event);
    const held = newest.get(key);
    if (held === undefined || event.seq! > held.seq!) newest.set(key, event);
  }
  return newest;
}

/** What the tables hold, as items again, in the order of their keys. */
export const storedBars = (pool: Pool): Promise<Bar[]> => stored(pool, 'bar');
export const storedOptions = (pool: Pool): Promise<OptionSnapshot[]> => stored(pool, 'option');
export const storedNews = (pool: Pool): Promise<NewsItem[]> => stored(pool, 'news');
export const storedFundamentals = (pool: Pool): Promise<Fundamentals[]> => stored(pool, 'fundamental');
export const storedTrades = (pool: Pool): Promise<Trade[]> => stored(pool, 'trade');
export const storedQuotes = (pool: Pool): Promise<Quote[]> => stored(pool, 'quote');
export const storedGaps = (pool: Pool): Promise<Gap[]> => stored(pool, 'gap');

/** The same a piece at a time, for tables that are not to be in memory at once. */
export async function* eachStored(pool: Pool, kind: Kind): AsyncGenerator<MarketEvent> {
  const client = await pool.connect();
  try {
    const toItem = itemOf<MarketEvent>(kind);
    await client.query('BEGIN');
    await client.query(`DECLARE stored CURSOR FOR ${SELECTS[kind]}`);
    for (;;) {
      const { rows } = await client.query('FETCH 10000 FROM stored');
      for (const row of rows) yield toItem(row);
      if (rows.length === 0) break;
    }
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
}

/** Microseconds of the epoch, as text: the driver does not take the risk of a number. */
function micros(column: string, name = column): string {
  return `(extract(epoch FROM ${column}) * 1000000)::bigint AS "${name}"`;
}

function itemOf<T>(kind: Kind): (row: Record<string, unknown>) => T {
  const { [kind]: times } = TIMES;
  const { [kind]: leftOut = [] } = LEFT_OUT;
  return (row) => {
    const item: Record<string, unknown> = { ...row, seq: Number(row.seq) };
    for (const time of times) item[time] = Number(row[time]) / 1000;
    for (const field of leftOut) if (item[field] === null) delete item[field];
    return item as T;
  };
}
