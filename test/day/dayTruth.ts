import type pg from 'pg';
import type { Bar } from '../../src/market/bar.js';
import { exchangeOf } from '../../src/testing/venues/massive/wire.js';
import { type MarketRecord, type Told, truthOf } from './dayMarket.js';
import { clockOf } from './dayScript.js';

/** A row of a table as it is compared. */
export interface Row {
  readonly of: 'bar' | 'trade' | 'quote';
  readonly vendor: string;
  readonly symbol: string;
  readonly ts: number;
  /** What tells it from others of its instant. */
  readonly id: string;
  /** What it says. */
  readonly value: string;
}

export const keyOf = ({ of, vendor, symbol, ts, id }: Row): string => `${vendor} ${of} ${symbol} ${clockOf(ts)} ${id}`;

const SECOND_MS = 1_000;

/** The bars of a vendor, or of a series that is made of several: the same of all. */
export function barsOf(told: readonly Told[], vendor: string): readonly Row[] {
  return [...truthOf(told, 'bar').values()].map((bar) => barRow(bar, vendor));
}

function barRow({ symbol, ts, open, high, low, close, volume, vwap }: Bar, vendor: string): Row {
  const value = [open, high, low, close, volume, vwap, true].join(' ');
  return { of: 'bar', vendor, symbol, ts, id: '1m', value };
}

/**
 * What bars said before they were corrected while `isAway` held for the preferred vendor, whose word no other can replace: as one
 * series, its last word stands.
 */
export function formerBars(told: readonly Told[], vendor: string, isAway: (when: number) => boolean): readonly Row[] {
  const last = new Map<string, Row>();
  const former: Row[] = [];
  for (const { at, record } of told) {
    if (record.kind !== 'bar') continue;
    const row = barRow(record, vendor);
    const before = last.get(keyOf(row));
    if (before && isAway(at)) former.push(before);
    last.set(keyOf(row), row);
  }
  return former;
}

/** The ticks of a day as Massive names them: whole milliseconds, and ids of its own. */
export function massiveTicks(told: readonly Told[]): readonly Row[] {
  const trades = [...truthOf(told, 'trade').values()].map(({ symbol, ts, price, size, id, venue }): Row => {
    return {
      ...tick('trade', 'massive', symbol, Math.floor(ts)),
      id: `${exchangeOf(venue)}:${id}`,
      value: `${price} ${size}`,
    };
  });
  const quotes = [...truthOf(told, 'quote').values()].map(({ symbol, ts, id, ...sides }): Row => {
    return { ...tick('quote', 'massive', symbol, Math.floor(ts)), id, value: quoteValue(sides) };
  });
  return [...trades, ...quotes];
}

/** The ticks of a day as IBKR has them: whole seconds, numbered within each in the order in which they are told. */
export function ibkrTicks(told: readonly Told[]): readonly Row[] {
  const counts = new Map<string, number>();
  return told.flatMap(({ record }): readonly Row[] => {
    if (record.kind === 'bar') return [];
    const { kind, symbol } = record;
    const ts = Math.floor(record.ts / SECOND_MS) * SECOND_MS;
    const second = `${kind} ${symbol} ${ts}`;
    const number = counts.get(second) ?? 0;
    counts.set(second, number + 1);
    const value = record.kind === 'trade' ? `${record.price} ${record.size}` : quoteValue(record);
    return [{ ...tick(kind, 'ibkr', symbol, ts), id: String(number), value }];
  });
}

function tick(of: 'trade' | 'quote', vendor: string, symbol: string, ts: number) {
  return { of, vendor, symbol, ts } as const;
}

type Sides = Pick<Extract<MarketRecord, { readonly kind: 'quote' }>, 'bid' | 'bidSize' | 'ask' | 'askSize'>;
const quoteValue = ({ bid, bidSize, ask, askSize }: Sides) => [bid, bidSize, ask, askSize].join(' ');

const MS = 'round(extract(epoch FROM ts) * 1000)::float8 AS ts';

interface StoredRow extends Pick<Row, 'vendor' | 'symbol' | 'id' | 'ts'> {
  readonly [column: string]: unknown;
}

/** All rows that the tables have. */
export async function storedRows(pool: pg.Pool): Promise<readonly Row[]> {
  const bars = await pool.query<StoredRow>(
    `SELECT vendor, symbol, timeframe AS id, ${MS}, open, high, low, close, volume, vwap, is_final FROM bars`,
  );
  const trades = await pool.query<StoredRow>(`SELECT vendor, symbol, id, ${MS}, price, size FROM trades`);
  const quotes = await pool.query<StoredRow>(
    `SELECT vendor, symbol, id, ${MS}, bid, bid_size, ask, ask_size FROM quotes`,
  );
  const rowOf = (of: Row['of']) => {
    return ({ vendor, symbol, id, ts, ...values }: StoredRow): Row => {
      return { of, vendor, symbol, id, ts, value: Object.values(values).join(' ') };
    };
  };
  return [...bars.rows.map(rowOf('bar')), ...trades.rows.map(rowOf('trade')), ...quotes.rows.map(rowOf('quote'))];
}

/** In what a table differs from what it should hold. */
export interface Difference {
  readonly missing: readonly Row[];
  /** Rows that are there with another value, and what they should say. */
  readonly wrong: readonly (readonly [there: Row, right: Row])[];
  readonly unknown: readonly Row[];
}

export function differenceOf(expected: readonly Row[], stored: readonly Row[]): Difference {
  const left = new Map(stored.map((row) => [keyOf(row), row]));
  const missing: Row[] = [];
  const wrong: (readonly [Row, Row])[] = [];
  for (const row of expected) {
    const there = left.get(keyOf(row));
    left.delete(keyOf(row));
    if (!there) missing.push(row);
    else if (there.value !== row.value) wrong.push([there, row]);
  }
  return { missing, wrong, unknown: [...left.values()] };
}
