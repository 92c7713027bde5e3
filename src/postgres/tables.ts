import type { Bar } from '../market/bar.js';
import type { Fundamentals } from '../market/fundamentals.js';
import type { NewsItem } from '../market/newsItem.js';
import type { OptionSnapshot } from '../market/optionSnapshot.js';

export type ColumnType = 'text' | 'timestamptz' | 'float8' | 'int8' | 'date' | 'text[]';

export type ColumnValue = string | number | readonly string[] | null | undefined;

export interface Column<T> {
  readonly name: string;
  /** `timestamptz` takes epoch milliseconds, `int8` a safe integer, `date` a text as `2024-06-21`. */
  readonly type: ColumnType;
  /** Whether the column takes `undefined` and `null`, which are stored as null. Default false. */
  readonly nullable?: boolean;
  /** The value of an item; `seq` is its version, numbered by the sink where the item has none. */
  readonly of: (item: T, seq: number) => ColumnValue;
}

/** All that the writer knows of a table: a further table is a further description. */
export interface Table<T> {
  readonly name: string;
  readonly columns: readonly Column<T>[];
  /** The columns of the primary key: of any type but text[], none nullable. */
  readonly key: readonly string[];
  /** The int8 column that guards the order: a row is never overwritten by one with the same or a lower value. */
  readonly version: string;
  /** The version that an item brings along, if it does. */
  readonly versionOf: (item: T) => number | undefined;
  /** The item with a version. */
  readonly numbered: (item: T, seq: number) => T;
}

/** One row a vendor, symbol, timeframe and start. */
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
    { name: 'seq', type: 'int8', of: (_bar, seq) => seq },
  ],
  key: ['vendor', 'symbol', 'timeframe', 'ts'],
  version: 'seq',
  versionOf: (bar) => bar.seq,
  numbered: (bar, seq) => ({ ...bar, seq }),
};

/** One row a vendor, contract and moment. */
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
    { name: 'seq', type: 'int8', of: (_option, seq) => seq },
  ],
  key: ['vendor', 'symbol', 'expiry', 'option_type', 'strike', 'ts'],
  version: 'seq',
  versionOf: (option) => option.seq,
  numbered: (option, seq) => ({ ...option, seq }),
};

/** One row a vendor and id. */
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
    { name: 'seq', type: 'int8', of: (_item, seq) => seq },
  ],
  key: ['vendor', 'id'],
  version: 'seq',
  versionOf: (item) => item.seq,
  numbered: (item, seq) => ({ ...item, seq }),
};

/** One row a vendor, symbol, period and metric. */
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
    { name: 'seq', type: 'int8', of: (_figure, seq) => seq },
  ],
  key: ['vendor', 'symbol', 'period_end', 'timeframe', 'metric'],
  version: 'seq',
  versionOf: (figure) => figure.seq,
  numbered: (figure, seq) => ({ ...figure, seq }),
};
