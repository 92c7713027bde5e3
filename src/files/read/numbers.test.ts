import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumberReader, type NumberReaderConfig } from './numbers.js';

const read = (text: string, config: NumberReaderConfig = {}) => new NumberReader(config).read(text);

describe('NumberReader', () => {
  it.each([
    ['1234.5', 1_234.5],
    ['-1234.5', -1_234.5],
    ['+0.5', 0.5],
    ['.5', 0.5],
    ['5.', 5],
    ['007', 7],
    ['1e-7', 1e-7],
    ['1.5E+3', 1_500],
    ['\u00a0 12\t', 12],
    ['1,234.50', 1_234.5],
    ['1,234,567', 1_234_567],
    ['-12,345,678.9', -12_345_678.9],
    ['1 234.5', 1_234.5],
    ['1\u00a0234.5', 1_234.5],
    ['1\u202f234\u202f567', 1_234_567],
    ["1'234.5", 1_234.5],
    ['1’234’567', 1_234_567],
  ])('reads %j', (text, number) => {
    for (const config of [{}, { decimal: '.' }] as const) {
      const reader = new NumberReader(config);
      expect(reader.read(text)).toBe(number);
      expect(reader.isAmbiguous).toBe(false);
      expect(reader.remedyFor(text)).toBe('');
    }
  });

  it.each([
    ['1.234,50', 1_234.5],
    ['1 234,50', 1_234.5],
    ['1\u00a0234,50', 1_234.5],
    ['1\u202f234,50', 1_234.5],
    ["1'234,50", 1_234.5],
    ['12.345', 12_345],
    ['1.234.567', 1_234_567],
    ['1234,5', 1_234.5],
    ['-0,25', -0.25],
    [',5', 0.5],
    ['1,5e3', 1_500],
    ['17', 17],
    ['1,234', 1.234],
  ])('reads %j with a decimal comma', (text, number) => {
    const reader = new NumberReader({ decimal: ',' });
    expect(reader.read(text)).toBe(number);
    expect(reader.isAmbiguous).toBe(false);
  });

  it.each([
    ...['', ' ', '+', '-', '.', ',', 'e5', '1e', '1e+', '--1', '1-', '1 2', '1..5', '1.2.3', '0x10', '1_000', '1n'],
    ...['Infinity', '-Infinity', 'inf', 'true', '$5', '5 €', '5%', '(5)', '١٢', '1,23', '1,2345', '1234,567', '1,,234'],
    ...['1,234,56', ',234', '1,', '1,234 567', "1'23", '12 34', '1,234e5', '0,123', '1.234,5', '1,234,567,'],
  ])('refuses %j', (text) => {
    expect(read(text)).toBeNaN();
    expect(read(text, { decimal: '.' })).toBeNaN();
  });

  it.each(['1.23', '1.2345', '.5', '1.5e3', '1,2,3', '1,234.5', '0.123', '1234.567', '1.234 567', '1.234,5.6'])(
    'refuses %j with a decimal comma: it does not guess',
    (text) => {
      expect(read(text, { decimal: ',' })).toBeNaN();
    },
  );

  it('tells a comma before three digits and nothing else to be ambiguous, unless the decimal mark is stated', () => {
    const reader = new NumberReader();
    for (const [text, number] of [
      ['1,234', 1_234],
      ['-12,345', -12_345],
      [' 999,000 ', 999_000],
    ] as const) {
      expect([reader.read(text), reader.isAmbiguous]).toEqual([number, true]);
      expect(reader.remedyFor(text)).toBe("give decimal: '.' or ','");
      const stated = new NumberReader({ decimal: '.' });
      expect([stated.read(text), stated.isAmbiguous]).toEqual([number, false]);
    }
    expect([reader.read('1.234'), reader.isAmbiguous]).toEqual([1.234, false]);
    expect([reader.read('x'), reader.isAmbiguous]).toEqual([Number.NaN, false]);
  });

  it('names the remedy for what is a number with the other decimal mark', () => {
    expect(new NumberReader().remedyFor('1.234,50')).toBe("give decimal: ','");
    expect(new NumberReader().remedyFor('1,5')).toBe("give decimal: ','");
    expect(new NumberReader({ decimal: ',' }).remedyFor('1.5')).toBe("give decimal: '.'");
    for (const value of ['x', '1_000', null, 5]) expect(new NumberReader().remedyFor(value)).toBe('');
  });

  it('reads no number where the value says that there is none, and tells that from what is wrong', () => {
    const reader = new NumberReader();
    const none = ['1.7976931348623157e308', '9223372036854775807', '9,223,372,036,854,775,807', 'N/A', ' null ', ''];
    for (const value of [...none, Number.MAX_VALUE, -(2 ** 63)]) {
      expect([value, reader.read(value), reader.isNoValue(value)]).toEqual([value, Number.NaN, true]);
    }
    for (const value of ['x', '1,23', '1', 7, true, {}]) expect(reader.isNoValue(value)).toBe(false);
    for (const value of [null, undefined]) expect(reader.isNoValue(value)).toBe(true);
    expect(new NumberReader({ decimal: ',' }).isNoValue('9.223.372.036.854.775.807')).toBe(true);
    expect(reader.read(2_147_483_647)).toBe(2_147_483_647);
    expect(reader.read('-2147483648')).toBe(-2_147_483_648);
  });

  it('reads a megabyte of whatever it is without delay', () => {
    for (const piece of ['9', ' ', '1,', ',234', '1e9', "'", '1 234 ', '-', '.']) {
      for (const end of ['', 'x']) {
        const text = `1${piece.repeat(1_000_000 / piece.length)}${end}`;
        for (const reader of [new NumberReader(), new NumberReader({ decimal: ',' })]) {
          reader.read(text);
          reader.isNoValue(text);
          reader.remedyFor(text);
        }
      }
    }
  });

  it('reads any number back, whichever marks it was written with', () => {
    const numbers = fc.double({ noNaN: true, min: -1e12, max: 1e12 }).map((number) => Number(number.toFixed(4)));
    fc.assert(
      fc.property(numbers, fc.constantFrom('', ' ', '\u00a0', '\u202f', "'", 'mark'), (number, group) => {
        for (const decimal of ['.', ','] as const) {
          const [whole = '', fraction] = number.toFixed(4).split('.');
          const between = group === 'mark' ? (decimal === '.' ? ',' : '.') : group;
          const text = `${whole.replace(/\B(?=(\d{3})+$)/g, between)}${decimal}${fraction}`;
          expect([text, read(text, { decimal }) + 0]).toEqual([text, number + 0]);
        }
      }),
      { seed: 20_261_128, numRuns: 500 },
    );
  });

  it('refuses another decimal mark', () => {
    expect(() => new NumberReader({ decimal: ';' as never })).toThrow(/NumberReader: decimal must be one of .*got ";"/);
  });
});
