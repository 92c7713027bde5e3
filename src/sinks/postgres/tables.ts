import type { Bar } from '../../model/bar.js';

export type ColumnType = 'text' | 'timestamptz' | 'float8' | 'int8';

export interface Column<T> {
  readonly name: string;
  /** `timestamptz` takes epoch milliseconds, `int8` a safe integer. */
  readonly type: ColumnType;
  /** Whether the column takes `undefined` and `null`, which are stored as null. Default false. */
  readonly nullable?: boolean;
  /** The value of an item; `seq` is its version, numbered by the sink where the item has none. */
  readonly of: (item: T, seq: number) => string | number | null | undefined;
}

/** All that the writer knows of a table: a further table is a further description. */
export interface Table<T> {
  readonly name: string;
  readonly columns: readonly Column<T>[];
  /** The columns of the primary key: text, timestamptz or int8, none nullable. */
  readonly key: readonly string[];
  /** The int8 column that guards the order: a row is never overwritten by one with the same or a lower value. */
  readonly version: string;
  /** The version that an item brings along, if it does. */
  readonly versionOf: (item: T) => number | undefined;
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
};
