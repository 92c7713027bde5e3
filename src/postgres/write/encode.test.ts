import { describe, expect, it } from 'vitest';
import type { Column, ColumnType, ColumnValue as Value } from '../table.js';
import { encodeArrays, encodeCopy } from './encode.js';

const column = (type: ColumnType, nullable = false): Column<readonly Value[]> => ({
  name: 'it',
  type,
  nullable,
  of: ([value]) => value,
});

const rowsOf = (...values: Value[]) => ({
  items: values.map((value) => [value]),
  seqs: new Float64Array(values.length),
});

const hex = (buffer: Buffer) => buffer.toString('hex');

/** The value of the only row, as it stands in an array: behind the head of 20 bytes and its length of four. */
const bytesOf = (type: ColumnType, value: Value) => hex(encodeArrays([column(type)], rowsOf(value))[0]!).slice(48);

describe('the binary encoders', () => {
  it('lay out an array', () => {
    expect(hex(encodeArrays([column('text')], rowsOf('ab', ''))[0]!)).toBe(
      ['00000001', '00000000', '00000019', '00000002', '00000001', '00000002', '6162', '00000000'].join(''),
    );
  });

  it('lay out the data of a COPY', () => {
    expect(hex(encodeCopy([column('text'), column('text')], rowsOf('ab')))).toBe(
      ['5047434f50590aff0d0a00', '00000000', '00000000', '0002', '00000002', '6162', '00000002', '6162', 'ffff'].join(
        '',
      ),
    );
  });

  it.each<[ColumnType, Value, string]>([
    ['float8', 1, '3ff0000000000000'],
    ['float8', -0, '8000000000000000'],
    ['float8', Infinity, '7ff0000000000000'],
    ['int8', 0, '0000000000000000'],
    ['int8', -1, 'ffffffffffffffff'],
    ['int8', 4_294_967_296, '0000000100000000'],
    ['int8', -4_294_967_297, 'fffffffeffffffff'],
    ['int8', Number.MAX_SAFE_INTEGER, '001fffffffffffff'],
    ['int8', Number.MIN_SAFE_INTEGER, 'ffe0000000000001'],
    ['timestamptz', Date.UTC(2000, 0, 1), '0000000000000000'],
    ['timestamptz', Date.UTC(2000, 0, 1) + 0.001, '0000000000000001'],
    ['timestamptz', Date.UTC(2000, 0, 1) - 0.001, 'ffffffffffffffff'],
    ['text', 'é', 'c3a9'],
    ['text', 'a'.repeat(65), '61'.repeat(65)],
    ['text', '😀', 'f09f9880'],
    ['text', '\x7f\x01', '7f01'],
    ['date', '2000-01-01', '00000000'],
    ['date', '2000-03-01', '0000003c'],
    ['date', '1999-12-31', 'ffffffff'],
    // As the letters of the literal, which the statement casts.
    ['text[]', [], hex(Buffer.from('{}'))],
    ['text[]', ['a', 'é', ''], hex(Buffer.from('{"a","é",""}'))],
    ['text[]', ['"', '\\', '{,}', 'NULL'], hex(Buffer.from('{"\\"","\\\\","{,}","NULL"}'))],
  ])('write %s %s', (type, value, bytes) => {
    expect(bytesOf(type, value)).toBe(bytes);
  });

  /** The only value of the only row in the data of a COPY: behind the head of 19 bytes and the count of fields. */
  const copied = (type: ColumnType, value: Value) => hex(encodeCopy([column(type)], rowsOf(value))).slice(42, -4);

  it('write an array with its dimension into a COPY, and an empty one without', () => {
    expect(copied('text[]', ['ab', ''])).toBe(
      ['0000001e', '00000001', '00000000', '00000019', '00000002', '00000001', '00000002', '6162', '00000000'].join(''),
    );
    expect(copied('text[]', [])).toBe(['0000000c', '00000000', '00000000', '00000019'].join(''));
    expect(copied('date', '2000-01-02')).toBe('0000000400000001');
  });

  it('make room for arrays of any size', () => {
    const lists = [Array.from({ length: 500 }, (_, i) => `東京${i}`), [], ['é'.repeat(5000)]];
    const data = encodeCopy([column('text[]')], rowsOf(...lists));
    let at = 19;
    for (const list of lists) {
      const bytes = list.reduce((sum, text) => sum + 4 + Buffer.byteLength(text), list.length > 0 ? 20 : 12);
      expect(data.readInt32BE(at + 2)).toBe(bytes);
      at += 2 + 4 + bytes;
    }
    expect(data.length).toBe(at + 2);
  });

  it('agree, also where texts outgrow what was reserved for them', () => {
    const texts = ['x', 'é'.repeat(500), '東京'.repeat(300), 'plain '.repeat(1000), ''];
    const array = encodeArrays([column('text')], rowsOf(...texts))[0]!.subarray(20);
    const copy = encodeCopy([column('text')], rowsOf(...texts)).subarray(19, -2);
    const read = (buffer: Buffer, head: number) => {
      const found: string[] = [];
      for (let at = 0; at < buffer.length; ) {
        const length = buffer.readInt32BE(at + head);
        found.push(buffer.toString('utf8', at + head + 4, at + head + 4 + length));
        at += head + 4 + length;
      }
      return found;
    };
    expect(read(array, 0)).toEqual(texts);
    expect(read(copy, 2)).toEqual(texts);
  });

  it('write null where the column takes it', () => {
    const bytes = hex(encodeArrays([column('float8', true)], rowsOf(undefined, 1, null))[0]!);
    expect(bytes.slice(8, 16)).toBe('00000001');
    expect(bytes.slice(40)).toBe('ffffffff000000083ff0000000000000ffffffff');
  });

  it.each<[ColumnType, string]>([
    ['date', 'ffffffff'],
    ['text[]', 'ffffffff'],
    ['text', 'ffffffff'],
  ])('write null for a %s that may be', (type, bytes) => {
    for (const value of [null, undefined]) {
      expect(hex(encodeArrays([column(type, true)], rowsOf(value))[0]!).slice(40)).toBe(bytes);
      expect(hex(encodeCopy([column(type, true)], rowsOf(value))).slice(42, -4)).toBe(bytes);
    }
  });

  it('say what they found where an array or object stands', () => {
    expect(() => encodeCopy([column('text')], rowsOf(['a', 'b']))).toThrow('it must be a string, got an array of 2');
    expect(() => encodeCopy([column('float8')], rowsOf({ a: 1 } as never))).toThrow(
      'it must be a number, got an object',
    );
  });

  it.each<[ColumnType, Value, string]>([
    ['text', undefined, '22P02'],
    ['text', 5, '22P02'],
    ['text', 'a\udc00b', '22021'],
    ['float8', '5', '22P02'],
    ['float8', null, '22P02'],
    ['int8', 0.5, '22003'],
    ['int8', 2 ** 53, '22003'],
    ['text', 'a\0b', '22021'],
    ['text', '\0', '22021'],
    ['text', `${'a'.repeat(70)}\0`, '22021'],
    ['text', 'é\0', '22021'],
    ['date', '2023-02-29', '22008'],
    ['date', '', '22008'],
    ['date', 19_782, '22P02'],
    ['date', null, '22P02'],
    ['text[]', 'a', '22P02'],
    ['text[]', undefined, '22P02'],
    ['text[]', ['a', null] as never, '22P02'],
    ['text[]', ['a', '\0'], '22021'],
    ['text[]', ['\ud800'], '22021'],
    ['timestamptz', Number.NaN, '22008'],
    ['timestamptz', 1e15, '22008'],
  ])('refuse %s %s', (type, value, sqlState) => {
    for (const encode of [encodeArrays, encodeCopy]) {
      expect(() => encode([column(type)], rowsOf(value))).toThrow(
        expect.objectContaining({
          code: 'SLUICE_STORE_VALUE',
          sqlState,
          field: 'it',
          message: expect.stringContaining('it must be'),
        }),
      );
    }
  });

  it('quote no more of a bad text than a person reads', () => {
    const text = `${'x'.repeat(1_000_000)}\ud800`;
    for (const encode of [encodeArrays, encodeCopy]) {
      expect(() => encode([column('text')], rowsOf(text))).toThrow(
        expect.objectContaining({ message: `it must be well-formed Unicode, got "${'x'.repeat(80)}"…` }),
      );
    }
  });
});
