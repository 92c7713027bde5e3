import { describe, expect, it } from 'vitest';
import { isNoFigure, isNoNumber, isNoValue } from './noValue.js';

describe('isNoValue', () => {
  it.each([
    undefined,
    null,
    '',
    '  ',
    '\u00a0',
    'null',
    ' NULL ',
    'nil',
    'None',
    'NaN',
    'nan',
    'N/A',
    'NA',
    'n/a',
    '#N/A',
    '<NA>',
    '-',
    '--',
    '\\N',
    Number.NaN,
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    Number.POSITIVE_INFINITY,
    2 ** 63,
    -(2 ** 63),
  ])('of %j', (value) => {
    expect(isNoValue(value)).toBe(true);
  });

  it.each([0, -1, '0', '1', 'x', 'nothing', '---', 'null '.repeat(1_000_000), {}, true, 2_147_483_647])(
    'not of %j'.slice(0, 20),
    (value) => {
      expect(isNoValue(value)).toBe(false);
    },
  );
});

describe('isNoNumber', () => {
  it.each([
    '1.7976931348623157e308',
    '-1.7976931348623157E+308',
    '1.79769e+308',
    '1.797693134862316e308',
    `1797693134862315${'7'.repeat(293)}`,
    '3.4028235e38',
    '3.40282346638529E+38',
    '-3.4028234663852886e+38',
    '3.40282347e+38',
    '3.40282e+38',
    '9223372036854775807',
    '-9223372036854775808',
    '9223372036854775808.00',
    '9.22337203685478E+18',
    '9.223372036854776e18',
    '9.22337e+18',
    '18446744073709551615',
    '1.84467440737096E+19',
  ])('knows %s', (text) => {
    expect(isNoNumber(Number(text))).toBe(true);
  });

  it.each([2_147_483_647, -2_147_483_648, 4_294_967_295, 9.1e18, 9.3e18, 1e19, 3.4e38, 1.7e308, 2 ** 53, -1, -2, 0])(
    'takes %d for a number',
    (value) => {
      expect(isNoNumber(value)).toBe(false);
    },
  );
});

describe('isNoFigure', () => {
  it('knows what TWS sends for an option of which it knows nothing', () => {
    for (const figure of ['bid', 'ask', 'last', 'iv', 'gamma', 'vega', 'underlyingPrice', 'volume'] as const) {
      expect([-1, -2, Number.MAX_VALUE, 0, 0.5].map((value) => isNoFigure(figure, value))).toEqual([
        true,
        true,
        true,
        false,
        false,
      ]);
    }
  });

  it('leaves a delta of -1 and a theta of -1 what they are', () => {
    for (const figure of ['delta', 'theta'] as const) {
      expect([-1, -2, Number.MAX_VALUE, -0.5].map((value) => isNoFigure(figure, value))).toEqual([
        false,
        true,
        true,
        false,
      ]);
    }
  });
});
