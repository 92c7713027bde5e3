import type { Pool } from 'pg';
import type { Bar } from '../../src/model/bar.js';
import type { Fundamentals } from '../../src/model/fundamentals.js';
import type { NewsItem } from '../../src/model/newsItem.js';
import type { OptionSnapshot } from '../../src/model/optionSnapshot.js';

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

/** What the tables hold, as items again, in the order of their keys. */
export async function storedBars(pool: Pool): Promise<Bar[]> {
  const { rows } = await pool.query(
    `SELECT 'bar' AS kind, vendor, symbol, timeframe, ${micros('ts')}, open, high, low, close, volume, seq
       FROM bars ORDER BY vendor, symbol, timeframe, ts`,
  );
  return rows.map(withNumbers<Bar>('ts'));
}

export async function storedOptions(pool: Pool): Promise<OptionSnapshot[]> {
  const { rows } = await pool.query(
    `SELECT 'option' AS kind, vendor, symbol, expiry::text AS expiry, option_type AS "optionType", strike, ${micros('ts')},
            bid, ask, last, iv, delta, gamma, theta, vega, open_interest AS "openInterest", volume,
            underlying_price AS "underlyingPrice", seq
       FROM options_snap ORDER BY vendor, symbol, expiry, option_type, strike, ts`,
  );
  return rows.map(withNumbers<OptionSnapshot>('ts'));
}

export async function storedNews(pool: Pool): Promise<NewsItem[]> {
  const { rows } = await pool.query(
    `SELECT 'news' AS kind, vendor, id, ${micros('published_at', 'publishedAt')}, title, url, symbols, sentiment, seq
       FROM news ORDER BY vendor, id`,
  );
  return rows.map(withNumbers<NewsItem>('publishedAt'));
}

export async function storedFundamentals(pool: Pool): Promise<Fundamentals[]> {
  const { rows } = await pool.query(
    `SELECT 'fundamental' AS kind, vendor, symbol, period_end::text AS "periodEnd", timeframe, metric, value, unit,
            filing_date::text AS "filingDate", seq
       FROM fundamentals ORDER BY vendor, symbol, period_end, timeframe, metric`,
  );
  return rows.map(withNumbers<Fundamentals>());
}

/** Microseconds of the epoch, as text: the driver does not take the risk of a number. */
function micros(column: string, name = column): string {
  return `(extract(epoch FROM ${column}) * 1000000)::bigint AS "${name}"`;
}

function withNumbers<T>(time?: keyof T & string): (row: Record<string, unknown>) => T {
  return (row) => {
    const item = { ...row, seq: Number(row.seq) };
    return (time === undefined ? item : { ...item, [time]: Number(row[time]) / 1000 }) as T;
  };
}
