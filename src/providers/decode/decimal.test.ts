import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decimal, wholeNumber } from './decimal.js';

it.each([
  ['0', 0],
  ['93000.10', 93000.1],
  ['0.00000001', 1e-8],
  ['-37.63', -37.63],
  ['007', 7],
])('reads %j', (text, value) => {
  expect(decimal(text)).toBe(value);
});

it('refuses texts that are no plain decimals, and what is no text', () => {
  const texts = [
    '',
    ' 1',
    '1 ',
    '1.',
    '.5',
    '1.2.3',
    '-',
    '--1',
    '+1',
    '1e5',
    '0x10',
    'Infinity',
    'NaN',
    '1,000',
    '１',
  ];
  const others = [1, 0, 1n, null, undefined, true, {}, [], ['1'], '1'.repeat(65)];
  for (const value of [...texts, ...others]) expect(decimal(value), String(value)).toBeNaN();
});

it('agrees with Number on plain decimals, and refuses all other texts', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('0', '1', '9', '.', '-', '+', 'e', ' '), maxLength: 8 }), (text) => {
      const isPlain = /^-?\d+(?:\.\d+)?$/.test(text);
      expect(decimal(text)).toBe(isPlain ? Number(text) : Number.NaN);
    }),
  );
});

it('gives the double nearest to the decimal, as Number does, with few digits and with many', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat({ max: 12 }), fc.nat(), (whole, zeros, fraction) => {
      const text = `${whole}.${'0'.repeat(zeros)}${fraction}`;
      expect(decimal(text)).toBe(Number(text));
      expect(decimal(`-${text}`)).toBe(-Number(text));
    }),
  );
});

it('reads whole numbers that a double holds', () => {
  expect(['0', '007', '999999999999999'].map(wholeNumber)).toEqual([0, 7, 999_999_999_999_999]);
  const others = ['', '-1', '1.0', '1e3', ' 1', '1x', '1'.repeat(16), 1, null, undefined];
  expect(others.map(wholeNumber)).toEqual(others.map(() => Number.NaN));
});
