/**
 * The types of columns: the object id in the catalogue `pg_type`, what an item has to provide, and how `format_type` names the
 * types with the same binary form.
 */
export const COLUMN_TYPES = {
  text: { oid: 25, expected: 'a string', matches: /^(text|character varying(\(\d+\))?)$/ },
  // With fewer decimal places two keys could become one.
  timestamptz: { oid: 1184, expected: 'a number', matches: /^timestamp(\(6\))? with time zone$/ },
  float8: { oid: 701, expected: 'a number', matches: /^double precision$/ },
  int8: { oid: 20, expected: 'a number', matches: /^bigint$/ },
  bool: { oid: 16, expected: 'true or false', matches: /^boolean$/ },
  date: { oid: 1082, expected: 'a date as YYYY-MM-DD', matches: /^date$/ },
  // The binary form of an array names the type of its elements.
  'text[]': { oid: 1009, expected: 'an array of strings', matches: /^text\[\]$/ },
} as const;

/** The types that a {@link Column} can have in the database. */
export type ColumnType = keyof typeof COLUMN_TYPES;

/** What a {@link Column} can be given for a row. */
export type ColumnValue = string | number | boolean | readonly string[] | null | undefined;

/** A column of a {@link Table}. */
export interface Column<T> {
  readonly name: string;
  /** `timestamptz` takes epoch milliseconds, `int8` a safe integer, `bool` true or false, `date` a text such as `2024-06-21`. */
  readonly type: ColumnType;
  /** Whether the column takes `undefined` and `null`, which are stored as null. Default false. */
  readonly nullable?: boolean;
  /** The value of an item; `seq` is its version, assigned by the sink if the item has none. */
  readonly of: (item: T, seq: number) => ColumnValue;
}

/** All that the writer knows of a table: a further table is a further description. */
export interface Table<T> {
  readonly name: string;
  readonly columns: readonly Column<T>[];
  /** The columns of the primary key: of any type but bool and text[], none nullable. */
  readonly key: readonly string[];
  /**
   * Items with one such key are written in the order of their arrival. May be coarser than the table's key, which is cheaper:
   * the symbol of a bar.
   */
  readonly keyOf: (item: T) => string | number;
  /** The int8 column that guards the order: a row is never overwritten by one with the same or a lower value. */
  readonly version: string;
  /** The version that an item brings along, if any. */
  readonly versionOf: (item: T) => number | undefined;
  /** A copy of the item with a version. */
  readonly numbered: (item: T, seq: number) => T;
}

/** What a table looks like, whatever its items are. */
export type TableShape = Pick<Table<never>, 'name' | 'columns' | 'key'>;
