import { StoreError } from './storeError.js';
import type { Column, ColumnType } from './tables.js';

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

/** Object ids of the types, fixed in the catalogue `pg_type`. */
const OID: Record<ColumnType, number> = { text: 25, timestamptz: 1184, float8: 701, int8: 20 };

/** Postgres counts microseconds from the year 2000. */
const EPOCH_MICROS = 946_684_800_000_000;

const TWO_TO_32 = 4_294_967_296;

/** Epoch milliseconds to the microseconds of Postgres, which are what tells two keys apart. */
export function toMicros(epochMs: number): number {
  return Math.round(epochMs * 1000) - EPOCH_MICROS;
}

/** A growing piece of memory with both views of it. */
class Bytes {
  buffer: Buffer;
  view: DataView;
  at = 0;

  constructor(size: number) {
    this.buffer = Buffer.allocUnsafeSlow(size);
    this.view = viewOf(this.buffer);
  }

  /** Makes room for `size` bytes more. */
  reserve(size: number): void {
    if (this.at + size <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.at + size));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
    this.view = viewOf(larger);
  }

  int32(value: number): void {
    this.view.setInt32(this.at, value);
    this.at += 4;
  }

  /** An int8 field with its length before it. */
  int8(value: number): void {
    const { view, at } = this;
    view.setInt32(at, 8);
    view.setInt32(at + 4, Math.floor(value / TWO_TO_32));
    view.setUint32(at + 8, value);
    this.at = at + 12;
  }

  float8(value: number): void {
    const { view, at } = this;
    view.setInt32(at, 8);
    view.setFloat64(at + 4, value);
    this.at = at + 12;
  }

  /** Returns how many bytes the text takes: as many as it has letters where it is plain ASCII. */
  text(value: string): number {
    const start = this.at + 4;
    const { length } = value;
    const { buffer } = this;
    let written = length;
    if (length > 64) {
      written = buffer.write(value, start);
    } else {
      // For a few letters a loop is faster than the call out of JavaScript.
      for (let i = 0; i < length; i++) {
        const unit = value.charCodeAt(i);
        if (unit > 127) {
          written = buffer.write(value, start);
          break;
        }
        buffer[start + i] = unit;
      }
    }
    this.view.setInt32(this.at, written);
    this.at = start + written;
    return written;
  }

  done(): Buffer {
    return this.buffer.subarray(0, this.at);
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
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
      if (bytes.text(value) !== value.length) requireWellFormed(value, column.name);
      return;
  }
  if (!(column.nullable && (value === null || value === undefined))) {
    throw badValue(column.name, column.type === 'text' ? 'a string' : 'a number', value, '22P02');
  }
  bytes.int32(-1);
}

/** Years beyond 2255 are beyond the integers that a double holds. */
function microsOf(epochMs: number, name: string): number {
  const micros = toMicros(epochMs);
  if (!Number.isSafeInteger(micros)) throw badValue(name, 'a time in epoch milliseconds', epochMs, '22008');
  return micros;
}

/** The most letters of a text that an error quotes. */
const LONGEST_QUOTE = 80;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Half a character cannot be stored, and would be stored as another: it must not pass silently. */
function requireWellFormed(text: string, name: string): void {
  if (LONE_SURROGATE.test(text)) throw badValue(name, 'well-formed Unicode', text, '22021');
}

export function badValue(name: string, expected: string, value: unknown, sqlState: string): StoreError {
  const shown = typeof value === 'string' ? quoteClipped(value) : String(value);
  return new StoreError('SLUICE_STORE_VALUE', `${name} must be ${expected}, got ${shown}`, { sqlState });
}

/** A text may be of any length, and an error is read by a person. */
function quoteClipped(text: string): string {
  return text.length <= LONGEST_QUOTE ? JSON.stringify(text) : `${JSON.stringify(text.slice(0, LONGEST_QUOTE))}…`;
}

/** Whatever fails while rows are read or encoded is a fault of the rows, and not of the connection. */
export function readRows<R>(read: () => R): R {
  try {
    return read();
  } catch (error) {
    if (error instanceof StoreError) throw error;
    const said = error instanceof Error ? error.message : String(error);
    throw new StoreError('SLUICE_STORE_VALUE', `a row of the batch cannot be read (${said})`, { cause: error });
  }
}

/** The most bytes that a value takes, with its length. */
function roomFor<T>(column: Column<T>, item: T, seq: number): number {
  if (column.type !== 'text') return 12;
  const value = column.of(item, seq);
  return typeof value === 'string' ? 4 + value.length * 3 : 4;
}

/** One parameter a column, for `unnest($1::text[], …)`. */
export function encodeArrays<T>(columns: readonly Column<T>[], { items, seqs }: Rows<T>): Buffer[] {
  const count = items.length;
  return columns.map((column) => {
    const isText = column.type === 'text';
    const bytes = new Bytes(20 + count * (isText ? 16 : 12));
    bytes.int32(1);
    bytes.int32(column.nullable ? 1 : 0);
    bytes.int32(OID[column.type]);
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
  const texts = columns.filter(({ type }) => type === 'text');
  const fixed = 4 + 12 * (width - texts.length);
  for (let i = 0; i < count; i++) {
    const item = items[i]!;
    const seq = seqs[i]!;
    let room = fixed;
    for (let c = 0; c < texts.length; c++) room += roomFor(texts[c]!, item, seq);
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
