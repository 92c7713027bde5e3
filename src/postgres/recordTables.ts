import type { Bar } from '../market/bar.js';
import type { Fundamentals } from '../market/fundamentals.js';
import type { NewsItem } from '../market/newsItem.js';
import type { OptionSnapshot } from '../market/optionSnapshot.js';
import { KINDS, type RecordKind, type RecordOf } from '../market/recordKinds.js';
import type { MigrationName } from './migrate/migrations.js';
import type { Table } from './table.js';

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

/** How TimescaleDB keeps a table. */
export interface HypertableLayout {
  /** All columns of the key are in one or the other: an upsert then unpacks only the segments that may hold its rows. */
  readonly segmentBy: string;
  readonly orderBy: string;
}

export interface RecordTable<T> {
  readonly table: Table<T>;
  /** After this migration the table must be as its sink needs it, also if it existed before. */
  readonly migration: MigrationName;
  readonly hypertable?: HypertableLayout;
}

/** What the store knows of each kind of record. */
export const RECORD_TABLES = {
  bar: {
    table: barsTable,
    migration: '001_bars',
    hypertable: { segmentBy: 'vendor, symbol, timeframe', orderBy: 'ts' },
  },
  option: {
    table: optionsTable,
    migration: '002_options_snap',
    hypertable: { segmentBy: 'vendor, symbol', orderBy: 'expiry, option_type, strike, ts' },
  },
  news: { table: newsTable, migration: '003_news' },
  fundamental: { table: fundamentalsTable, migration: '004_fundamentals' },
} satisfies { readonly [K in RecordKind]: RecordTable<RecordOf<K>> };

export function tableOf<K extends RecordKind>(kind: K): Table<RecordOf<K>> {
  // RECORD_TABLES was checked to have this type, but an index that is a type parameter loses it.
  return (RECORD_TABLES[kind] as unknown as RecordTable<RecordOf<K>>).table;
}

/** The kind of the records that a table holds; `undefined` for a table of the user's. */
export function recordsOf(table: object): RecordKind | undefined {
  return KINDS.find((kind) => RECORD_TABLES[kind].table === table);
}
