import type { Bar } from '../market/bar.js';
import type { Fundamentals } from '../market/fundamentals.js';
import type { Gap } from '../market/gap.js';
import type { NewsItem } from '../market/newsItem.js';
import type { OptionSnapshot } from '../market/optionSnapshot.js';
import type { Quote } from '../market/quote.js';
import { KINDS, type RecordKind, type RecordOf } from '../market/recordKinds.js';
import type { Trade } from '../market/trade.js';
import type { MigrationName } from './migrate/migrations.js';
import type { Table, TableShape } from './table.js';

const SEQ = { name: 'seq', type: 'int8', of: (_item: unknown, seq: number) => seq } as const;

const BY_SEQ = {
  version: 'seq',
  versionOf: ({ seq }: { readonly seq?: number }) => seq,
  numbered: <T>(item: T, seq: number) => ({ ...item, seq }),
};

/** One row per vendor, symbol, timeframe and start. */
export const barsTable: Table<Bar> = {
  name: 'bars',
  columns: [
    { name: 'vendor', type: 'text', of: (bar) => bar.vendor },
    { name: 'symbol', type: 'text', of: (bar) => bar.symbol },
    { name: 'timeframe', type: 'text', of: (bar) => bar.timeframe },
    { name: 'ts', type: 'timestamptz', of: (bar) => bar.ts },
    { name: 'open', type: 'float8', of: (bar) => bar.open },
    { name: 'high', type: 'float8', of: (bar) => bar.high },
    { name: 'low', type: 'float8', of: (bar) => bar.low },
    { name: 'close', type: 'float8', of: (bar) => bar.close },
    { name: 'volume', type: 'float8', of: (bar) => bar.volume },
    SEQ,
    // In the order in which migrations add them.
    { name: 'is_final', type: 'bool', nullable: true, of: (bar) => bar.isFinal },
    { name: 'is_complete', type: 'bool', nullable: true, of: (bar) => bar.isComplete },
    { name: 'trades', type: 'int8', nullable: true, of: (bar) => bar.trades },
    { name: 'vwap', type: 'float8', nullable: true, of: (bar) => bar.vwap },
  ],
  key: ['vendor', 'symbol', 'timeframe', 'ts'],
  keyOf: (bar) => bar.symbol,
  ...BY_SEQ,
};

/** One row per vendor, contract and instant. */
export const optionsTable: Table<OptionSnapshot> = {
  name: 'options_snap',
  columns: [
    { name: 'vendor', type: 'text', of: (option) => option.vendor },
    { name: 'symbol', type: 'text', of: (option) => option.symbol },
    { name: 'expiry', type: 'date', of: (option) => option.expiry },
    { name: 'option_type', type: 'text', of: (option) => option.optionType },
    { name: 'strike', type: 'float8', of: (option) => option.strike },
    { name: 'ts', type: 'timestamptz', of: (option) => option.ts },
    { name: 'bid', type: 'float8', nullable: true, of: (option) => option.bid },
    { name: 'ask', type: 'float8', nullable: true, of: (option) => option.ask },
    { name: 'last', type: 'float8', nullable: true, of: (option) => option.last },
    { name: 'iv', type: 'float8', nullable: true, of: (option) => option.iv },
    { name: 'delta', type: 'float8', nullable: true, of: (option) => option.delta },
    { name: 'gamma', type: 'float8', nullable: true, of: (option) => option.gamma },
    { name: 'theta', type: 'float8', nullable: true, of: (option) => option.theta },
    { name: 'vega', type: 'float8', nullable: true, of: (option) => option.vega },
    { name: 'open_interest', type: 'float8', nullable: true, of: (option) => option.openInterest },
    { name: 'volume', type: 'float8', nullable: true, of: (option) => option.volume },
    { name: 'underlying_price', type: 'float8', nullable: true, of: (option) => option.underlyingPrice },
    SEQ,
  ],
  key: ['vendor', 'symbol', 'expiry', 'option_type', 'strike', 'ts'],
  keyOf: (option) => option.symbol,
  ...BY_SEQ,
};

/** One row per vendor and id. */
export const newsTable: Table<NewsItem> = {
  name: 'news',
  columns: [
    { name: 'vendor', type: 'text', of: (item) => item.vendor },
    { name: 'id', type: 'text', of: (item) => item.id },
    { name: 'published_at', type: 'timestamptz', of: (item) => item.publishedAt },
    { name: 'title', type: 'text', of: (item) => item.title },
    { name: 'url', type: 'text', of: (item) => item.url },
    { name: 'symbols', type: 'text[]', of: (item) => item.symbols },
    { name: 'sentiment', type: 'float8', nullable: true, of: (item) => item.sentiment },
    SEQ,
  ],
  key: ['vendor', 'id'],
  keyOf: (item) => item.id,
  ...BY_SEQ,
};

/** One row per vendor, symbol, period and metric. */
export const fundamentalsTable: Table<Fundamentals> = {
  name: 'fundamentals',
  columns: [
    { name: 'vendor', type: 'text', of: (figure) => figure.vendor },
    { name: 'symbol', type: 'text', of: (figure) => figure.symbol },
    { name: 'period_end', type: 'date', of: (figure) => figure.periodEnd },
    { name: 'timeframe', type: 'text', of: (figure) => figure.timeframe },
    { name: 'metric', type: 'text', of: (figure) => figure.metric },
    { name: 'value', type: 'float8', of: (figure) => figure.value },
    { name: 'unit', type: 'text', of: (figure) => figure.unit },
    { name: 'filing_date', type: 'date', nullable: true, of: (figure) => figure.filingDate },
    SEQ,
  ],
  key: ['vendor', 'symbol', 'period_end', 'timeframe', 'metric'],
  keyOf: (figure) => figure.symbol,
  ...BY_SEQ,
};

/** One row per vendor, symbol, instant and id. */
export const tradesTable: Table<Trade> = {
  name: 'trades',
  columns: [
    { name: 'vendor', type: 'text', of: (trade) => trade.vendor },
    { name: 'symbol', type: 'text', of: (trade) => trade.symbol },
    { name: 'ts', type: 'timestamptz', of: (trade) => trade.ts },
    { name: 'id', type: 'text', of: (trade) => trade.id },
    { name: 'price', type: 'float8', of: (trade) => trade.price },
    { name: 'size', type: 'float8', of: (trade) => trade.size },
    { name: 'venue', type: 'text', nullable: true, of: (trade) => trade.venue },
    { name: 'side', type: 'text', nullable: true, of: (trade) => trade.side },
    { name: 'conditions', type: 'text[]', nullable: true, of: (trade) => trade.conditions },
    SEQ,
  ],
  key: ['vendor', 'symbol', 'ts', 'id'],
  keyOf: (trade) => trade.symbol,
  ...BY_SEQ,
};

/** One row per vendor, symbol, instant and id. */
export const quotesTable: Table<Quote> = {
  name: 'quotes',
  columns: [
    { name: 'vendor', type: 'text', of: (quote) => quote.vendor },
    { name: 'symbol', type: 'text', of: (quote) => quote.symbol },
    { name: 'ts', type: 'timestamptz', of: (quote) => quote.ts },
    { name: 'id', type: 'text', of: (quote) => quote.id },
    { name: 'bid', type: 'float8', nullable: true, of: (quote) => quote.bid },
    { name: 'bid_size', type: 'float8', nullable: true, of: (quote) => quote.bidSize },
    { name: 'ask', type: 'float8', nullable: true, of: (quote) => quote.ask },
    { name: 'ask_size', type: 'float8', nullable: true, of: (quote) => quote.askSize },
    { name: 'bid_venue', type: 'text', nullable: true, of: (quote) => quote.bidVenue },
    { name: 'ask_venue', type: 'text', nullable: true, of: (quote) => quote.askVenue },
    SEQ,
  ],
  key: ['vendor', 'symbol', 'ts', 'id'],
  keyOf: (quote) => quote.symbol,
  ...BY_SEQ,
};

/** One row per series and span. A column of a key cannot be null, so a series without a timeframe has an empty one. */
export const gapsTable: Table<Gap> = {
  name: 'gaps',
  columns: [
    { name: 'vendor', type: 'text', of: (gap) => gap.vendor },
    { name: 'symbol', type: 'text', of: (gap) => gap.symbol },
    { name: 'of_kind', type: 'text', of: (gap) => gap.of },
    { name: 'timeframe', type: 'text', of: (gap) => gap.timeframe ?? '' },
    { name: 'from_ts', type: 'timestamptz', of: (gap) => gap.from },
    { name: 'to_ts', type: 'timestamptz', of: (gap) => gap.to },
    { name: 'cause', type: 'text', of: (gap) => gap.cause },
    { name: 'state', type: 'text', of: (gap) => gap.state },
    { name: 'rows', type: 'int8', nullable: true, of: (gap) => gap.rows },
    { name: 'reason', type: 'text', nullable: true, of: (gap) => gap.reason },
    SEQ,
  ],
  key: ['vendor', 'symbol', 'of_kind', 'timeframe', 'from_ts', 'to_ts'],
  keyOf: (gap) => gap.symbol,
  ...BY_SEQ,
};

/** How TimescaleDB keeps a table. */
export interface HypertableLayout {
  /** All columns of the key are in one or the other: an upsert then unpacks only the segments that may hold its rows. */
  readonly segmentBy: string;
  readonly orderBy: string;
}

export interface RecordTable<T> extends MadeTable {
  readonly table: Table<T>;
  readonly hypertable?: HypertableLayout;
}

/** A table and the migrations that make it. */
export interface MadeTable {
  readonly table: TableShape;
  /** This migration makes the table, unless it exists. */
  readonly migration: MigrationName;
  /** Later ones that add columns, and these. After each, what the table has by then must be as its sink needs it. */
  readonly additions?: Readonly<Partial<Record<MigrationName, readonly string[]>>>;
}

/** What the store knows of each kind of record. */
export const RECORD_TABLES = {
  bar: {
    table: barsTable,
    migration: '001_bars',
    additions: { '005_bar_details': ['is_final', 'is_complete', 'trades', 'vwap'] },
    hypertable: { segmentBy: 'vendor, symbol, timeframe', orderBy: 'ts' },
  },
  option: {
    table: optionsTable,
    migration: '002_options_snap',
    hypertable: { segmentBy: 'vendor, symbol', orderBy: 'expiry, option_type, strike, ts' },
  },
  news: { table: newsTable, migration: '003_news' },
  fundamental: { table: fundamentalsTable, migration: '004_fundamentals' },
  trade: {
    table: tradesTable,
    migration: '006_trades',
    hypertable: { segmentBy: 'vendor, symbol', orderBy: 'ts, id' },
  },
  quote: {
    table: quotesTable,
    migration: '007_quotes',
    hypertable: { segmentBy: 'vendor, symbol', orderBy: 'ts, id' },
  },
  gap: { table: gapsTable, migration: '008_gaps' },
} satisfies { readonly [K in RecordKind]: RecordTable<RecordOf<K>> };

export function tableOf<K extends RecordKind>(kind: K): Table<RecordOf<K>> {
  // RECORD_TABLES was checked to have this type, but an index that is a type parameter loses it.
  return (RECORD_TABLES[kind] as unknown as RecordTable<RecordOf<K>>).table;
}

/** The kind of the records that a table holds; `undefined` for a table of the user's. */
export function recordsOf(table: object): RecordKind | undefined {
  return KINDS.find((kind) => RECORD_TABLES[kind].table === table);
}
