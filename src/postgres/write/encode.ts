import { epochDay } from '../../primitives/calendarDate.js';
import { messageOf } from '../../primitives/messageOf.js';
import { StoreError } from '../storeError.js';
import { COLUMN_TYPES, type Column, type ColumnValue } from '../table.js';
import { Bytes } from './bytes.js';

/** The rows of a write: items, each with its version. */
export interface Rows<T> {
  readonly items: readonly T[];
  readonly seqs: Float64Array;
}

/**
 * Rows in the two binary forms that Postgres takes: arrays for `unnest` and the file format of `COPY` (PostgreSQL
 * manual, "COPY", section "Binary Format"; the element formats are those of the types' receive functions). All numbers
 * are big-endian.
 */

/** Postgres counts microseconds from the year 2000. */
const EPOCH_MICROS = 946_684_800_000_000;

const EPOCH_DAYS = 10_957;

/** Epoch milliseconds to the microseconds of Postgres, by which two keys differ. */
export function toMicros(epochMs: number): number {
  return Math.round(epochMs * 1000) - EPOCH_MICROS;
}

function put<T>(bytes: Bytes, column: Column<T>, item: T, seq: number): void {
  const value = column.of(item, seq);
  switch (column.type) {
    case 'float8':
      if (typeof value !== 'number') break;
      bytes.float8(value);
      return;
    case 'timestamptz':
      if (typeof value !== 'number') break;
      bytes.int8(microsOf(value, column.name));
      return;
    case 'int8':
      if (typeof value !== 'number') break;
      if (!Number.isSafeInteger(value)) throw badValue(column.name, 'a safe integer', value, '22003');
      bytes.int8(value);
      return;
    case 'text':
      if (typeof value !== 'string') break;
      if (!bytes.text(value)) requireStorable(value, column.name);
      return;
  }
  putOther(bytes, column, value);
}

/** Apart from the common types, so that `put` stays small enough for the compiler to inline it into its loops. */
function putOther<T>(bytes: Bytes, column: Column<T>, value: ColumnValue): void {
  const { name, type } = column;
  if (type === 'date' && typeof value === 'string') {
    bytes.date(daysOf(value, name));
  } else if (type === 'bool' && typeof value === 'boolean') {
    bytes.bool(value);
  } else if (type === 'text[]' && isTexts(value)) {
    putTexts(bytes, value, name);
  } else if (column.nullable && (value === null || value === undefined)) {
    bytes.int32(-1);
  } else {
    throw badValue(name, COLUMN_TYPES[type].expected, value, '22P02');
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

/** An array of one dimension; an empty array has none. */
function putTexts(bytes: Bytes, texts: readonly string[], name: string): void {
  const lengthAt = bytes.at;
  bytes.at += 4;
  bytes.int32(texts.length === 0 ? 0 : 1);
  bytes.int32(0);
  bytes.int32(COLUMN_TYPES.text.oid);
  if (texts.length > 0) {
    bytes.int32(texts.length);
    bytes.int32(1);
  }
  for (const text of texts) if (!bytes.text(text)) requireStorable(text, name);
  bytes.view.setInt32(lengthAt, bytes.at - lengthAt - 4);
}

function daysOf(date: string, name: string): number {
  const day = epochDay(date);
  if (Number.isNaN(day)) throw badValue(name, 'a date of the calendar as YYYY-MM-DD', date, '22008');
  return day - EPOCH_DAYS;
}

/** Microseconds after the year 2255 exceed the integers that a double holds exactly. */
function microsOf(epochMs: number, name: string): number {
  const micros = toMicros(epochMs);
  if (!Number.isSafeInteger(micros)) throw badValue(name, 'a time in epoch milliseconds', epochMs, '22008');
  return micros;
}

/** How many characters of a text an error quotes. */
const MAX_QUOTE = 80;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** The server refuses NUL. Half a surrogate pair would silently be stored as another character. */
function requireStorable(text: string, name: string): void {
  if (text.includes('\0')) throw badValue(name, 'text without NUL', text, '22021');
  if (LONE_SURROGATE.test(text)) throw badValue(name, 'well-formed Unicode', text, '22021');
}

export function badValue(name: string, expected: string, value: unknown, sqlState: string): StoreError {
  return new StoreError('SLUICE_STORE_VALUE', `${name} must be ${expected}, got ${describe(value)}`, {
    sqlState,
    field: name,
  });
}

function describe(value: unknown): string {
  if (typeof value === 'string') return quoteClipped(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** A text may have any length, and people read the message. */
function quoteClipped(text: string): string {
  return text.length <= MAX_QUOTE ? JSON.stringify(text) : `${JSON.stringify(text.slice(0, MAX_QUOTE))}…`;
}

/** Whatever fails while rows are read or encoded is a fault of the rows rather than of the connection. */
export function readRows<R>(read: () => R): R {
  try {
    return read();
  } catch (error) {
    if (error instanceof StoreError) throw error;
    const message = `a row of the batch cannot be read (${messageOf(error)})`;
    throw new StoreError('SLUICE_STORE_VALUE', message, { cause: error });
  }
}

/** The most bytes that a value of a sized column takes, with its length. */
function roomFor<T>(column: Column<T>, item: T, seq: number): number {
  const value = column.of(item, seq);
  if (typeof value === 'string') return 4 + value.length * 3;
  if (!isTexts(value)) return 4;
  return value.reduce((room, text) => room + 4 + text.length * 3, 4 + ARRAY_HEAD);
}

/** The bytes in front of the elements of an array. */
const ARRAY_HEAD = 20;

/** An array as Postgres writes it (PostgreSQL manual, "Array Value Input"): each text quoted, whatever is in it. */
function arrayLiteral(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

/** An array as the text of its literal, which the statement casts back. */
function asLiterals<T>(column: Column<T>): Column<T> {
  const { name, nullable = false, of } = column;
  const literal = (item: T, seq: number) => {
    const value = of(item, seq);
    if (isTexts(value)) return arrayLiteral(value);
    if (nullable && (value === null || value === undefined)) return null;
    throw badValue(name, COLUMN_TYPES['text[]'].expected, value, '22P02');
  };
  return { name, type: 'text', nullable, of: literal };
}

/** One parameter per column, for `unnest($1::text[], …)`. */
export function encodeArrays<T>(columns: readonly Column<T>[], { items, seqs }: Rows<T>): Buffer[] {
  const count = items.length;
  return columns.map((definition) => {
    const column = definition.type === 'text[]' ? asLiterals(definition) : definition;
    const isText = column.type === 'text';
    const bytes = new Bytes(ARRAY_HEAD + count * (isText ? 16 : 12));
    bytes.int32(1);
    bytes.int32(column.nullable ? 1 : 0);
    bytes.int32(COLUMN_TYPES[column.type].oid);
    bytes.int32(count);
    bytes.int32(1);
    for (let i = 0; i < count; i++) {
      const item = items[i]!;
      if (isText) bytes.reserve(roomFor(column, item, seqs[i]!));
      put(bytes, column, item, seqs[i]!);
    }
    return bytes.done();
  });
}

const COPY_HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');

/** The contents of a binary `COPY … FROM STDIN`. */
export function encodeCopy<T>(columns: readonly Column<T>[], { items, seqs }: Rows<T>): Buffer {
  const count = items.length;
  const width = columns.length;
  const bytes = new Bytes(COPY_HEADER.length + 2 + count * (2 + width * 14));
  COPY_HEADER.copy(bytes.buffer);
  bytes.at = COPY_HEADER.length;
  // Their values differ in size.
  const sized = columns.filter(({ type }) => type === 'text' || type === 'text[]');
  const fixed = 4 + 12 * (width - sized.length);
  for (let i = 0; i < count; i++) {
    const item = items[i]!;
    const seq = seqs[i]!;
    let room = fixed;
    for (let c = 0; c < sized.length; c++) room += roomFor(sized[c]!, item, seq);
    bytes.reserve(room);
    bytes.view.setInt16(bytes.at, width);
    bytes.at += 2;
    for (let c = 0; c < width; c++) put(bytes, columns[c]!, item, seq);
  }
  bytes.reserve(2);
  bytes.view.setInt16(bytes.at, -1);
  bytes.at += 2;
  return bytes.done();
}
