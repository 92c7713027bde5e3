import type pg from 'pg';
import type { Sink } from 'sluice';
import { barsSink, fundamentalsSink, newsSink, optionsSink, quotesSink, tradesSink } from 'sluice/sinks';
import { syntheticBars, syntheticEvents } from 'sluice/sources';
import {
  barsTable,
  fundamentalsTable,
  newsTable,
  optionsTable,
  quotesTable,
  tradesTable,
} from '../../src/postgres/recordTables.js';
import type { Table } from '../../src/postgres/table.js';

export const SYMBOLS = 500;

/** A table, what is written to it, and how much. */
export interface Subject<T> {
  readonly table: Table<T>;
  readonly sink: (pool: pg.Pool) => Sink<T>;
  /** Makes items, each with its own key and a `seq`. */
  readonly items: (count: number) => T[];
  /** The same key with another value. */
  readonly changed: (item: T) => T;
  readonly rows: number;
  readonly turns: number;
}

const config = (count: number) => ({ symbols: SYMBOLS, count, seed: 7 });

/** Bars take half of the time, because theirs is the ratio to watch. */
const BARS = { rows: 400_000, turns: 5 };
const OTHERS = { rows: 150_000, turns: 3 };

const subject = <T>(one: Subject<T>): Subject<T> => one;

export const SUBJECTS = {
  bars: subject({
    table: barsTable,
    sink: (pool) => barsSink(pool),
    items: (count) => [...syntheticBars(config(count))],
    changed: (bar) => ({ ...bar, close: bar.close + 1 }),
    ...BARS,
  }),
  options_snap: subject({
    table: optionsTable,
    sink: (pool) => optionsSink(pool),
    items: (count) => [...syntheticEvents({ kinds: ['option'], ...config(count) })],
    changed: (option) => ({ ...option, bid: 1 + (option.bid ?? 0) }),
    ...OTHERS,
  }),
  news: subject({
    table: newsTable,
    sink: (pool) => newsSink(pool),
    items: (count) => [...syntheticEvents({ kinds: ['news'], ...config(count) })],
    changed: (item) => ({ ...item, title: `${item.title} (corrected)` }),
    ...OTHERS,
  }),
  fundamentals: subject({
    table: fundamentalsTable,
    sink: (pool) => fundamentalsSink(pool),
    items: (count) => [...syntheticEvents({ kinds: ['fundamental'], ...config(count) })],
    changed: (figure) => ({ ...figure, value: figure.value + 1 }),
    ...OTHERS,
  }),
  trades: subject({
    table: tradesTable,
    sink: (pool) => tradesSink(pool),
    items: (count) => [...syntheticEvents({ kinds: ['trade'], ...config(count) })],
    changed: (trade) => ({ ...trade, price: trade.price + 1 }),
    ...OTHERS,
  }),
  quotes: subject({
    table: quotesTable,
    sink: (pool) => quotesSink(pool),
    items: (count) => [...syntheticEvents({ kinds: ['quote'], ...config(count) })],
    changed: (quote) => ({ ...quote, bid: 1 + (quote.bid ?? 0) }),
    ...OTHERS,
  }),
};
