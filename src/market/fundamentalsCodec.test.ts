import { describe, expect, it } from 'vitest';
import { reasons } from '../../test/support/reasons.js';
import { fundamentalsCodec } from './codecs.js';
import type { Fundamentals } from './fundamentals.js';

const FIGURE: Fundamentals = {
  kind: 'fundamental',
  vendor: 'acme',
  symbol: 'SPY',
  periodEnd: '2024-03-31',
  timeframe: 'quarterly',
  metric: 'netIncome',
  value: -1.5e9,
  unit: 'USD',
};

describe('fundamentalsCodec', () => {
  it.each([
    ['a filing date that is not known', FIGURE],
    ['a filing date of null', { ...FIGURE, filingDate: null }],
    ['a filing date and a seq', { ...FIGURE, filingDate: '2024-05-02', seq: 3 }],
    ['a timeframe of the vendor', { ...FIGURE, timeframe: 'semiannual' }],
  ])('takes a figure with %s as it is', (_what, figure) => {
    expect(fundamentalsCodec.decode(figure)).toEqual({ _tag: 'Right', right: figure });
    expect(fundamentalsCodec.is(figure)).toBe(true);
  });

  it('leaves out what a figure does not have', () => {
    const decoded = fundamentalsCodec.decode({ ...FIGURE, cik: 5, filingDate: undefined });
    expect(decoded._tag === 'Right' && Object.keys(decoded.right)).toEqual(Object.keys(FIGURE));
  });

  it.each([
    [{ kind: 'fundamentals' }, 'kind: expected "fundamental", got "fundamentals"'],
    [{ vendor: null }, 'vendor: expected a name, got null'],
    [
      { symbol: 'SPY ' },
      'symbol: expected a symbol as the vendor spells it, without control characters or outer blanks, got "SPY "',
    ],
    [{ periodEnd: '2024-06-31' }, 'periodEnd: expected a date of the calendar as YYYY-MM-DD, got "2024-06-31"'],
    [{ periodEnd: '2024-Q2' }, 'periodEnd: expected a date of the calendar as YYYY-MM-DD, got "2024-Q2"'],
    [{ timeframe: '' }, 'timeframe: expected a name, got ""'],
    [{ metric: undefined }, 'metric: expected a name, got undefined'],
    [{ value: null }, 'value: expected a finite number, got null'],
    [{ value: Number.NaN }, 'value: expected a finite number, got NaN'],
    [{ value: '1.5' }, 'value: expected a finite number, got "1.5"'],
    [{ unit: '' }, 'unit: expected a name, got ""'],
    [
      { filingDate: '02.05.2024' },
      'filingDate: expected a date of the calendar as YYYY-MM-DD, or null, got "02.05.2024"',
    ],
    [{ filingDate: '' }, 'filingDate: expected a date of the calendar as YYYY-MM-DD, or null, got ""'],
    [{ seq: 2 ** 53 }, 'seq: expected a safe integer of at least 0, got 9007199254740992'],
  ])('refuses %j in words', (wrong, reason) => {
    expect(reasons(fundamentalsCodec, { ...FIGURE, ...wrong })).toEqual([reason]);
    expect(fundamentalsCodec.is({ ...FIGURE, ...wrong })).toBe(false);
  });

  it('names every field that is wrong', () => {
    expect(reasons(fundamentalsCodec, {}).map((reason) => reason.split(':')[0])).toEqual(Object.keys(FIGURE));
  });
});
