import { describe, expect, it } from 'vitest';
import { reasons } from '../../test/support/reasons.js';
import { optionCodec } from './codecs.js';
import type { OptionSnapshot } from './optionSnapshot.js';

const OPTION: OptionSnapshot = {
  kind: 'option',
  vendor: 'acme',
  symbol: 'SPY',
  expiry: '2024-02-29',
  optionType: 'P',
  strike: 470.5,
  ts: 1_704_205_800_000.125,
};

const KNOWN: Partial<OptionSnapshot> = {
  bid: 1.1,
  ask: 1.2,
  last: 1.15,
  iv: 0.25,
  delta: -0.4,
  gamma: 0.01,
  theta: -0.05,
  vega: 0.2,
  openInterest: 1200,
  volume: 0,
  underlyingPrice: 468.2,
  seq: 7,
};

const ABSENT = Object.fromEntries(Object.keys(KNOWN).flatMap((field) => (field === 'seq' ? [] : [[field, null]])));

describe('optionCodec', () => {
  it.each([
    ['nothing else known', OPTION],
    ['everything known', { ...OPTION, ...KNOWN }],
    ['null for what is not known', { ...OPTION, ...ABSENT }],
    ['a call', { ...OPTION, optionType: 'C' }],
    ['a bid above the ask', { ...OPTION, bid: 2, ask: 1 }],
    ['the deltas at the ends', { ...OPTION, delta: -1 }],
    ['an underlying below zero', { ...OPTION, underlyingPrice: -37.63 }],
  ])('takes a snapshot with %s as it is', (_what, option) => {
    expect(optionCodec.decode(option)).toEqual({ _tag: 'Right', right: option });
    expect(optionCodec.is(option)).toBe(true);
    expect(optionCodec.encode(option as OptionSnapshot)).toBe(option);
  });

  it('leaves out what a snapshot does not have, and what is undefined', () => {
    const decoded = optionCodec.decode({ ...OPTION, iv: undefined, exchange: 'CBOE', seq: 1 });
    expect(decoded._tag === 'Right' && Object.keys(decoded.right)).toEqual([...Object.keys(OPTION), 'seq']);
  });

  it.each([
    [{ kind: 'bar' }, 'kind: expected "option", got "bar"'],
    [{ vendor: 5 }, 'vendor: expected a name, got 5'],
    [
      { symbol: 'SPY\n' },
      'symbol: expected a symbol as the vendor spells it, without control characters or outer blanks, got "SPY\\n"',
    ],
    [
      { symbol: '' },
      'symbol: expected a symbol as the vendor spells it, without control characters or outer blanks, got ""',
    ],
    [{ expiry: '2023-02-29' }, 'expiry: expected a date of the calendar as YYYY-MM-DD, got "2023-02-29"'],
    [{ expiry: '2024-2-9' }, 'expiry: expected a date of the calendar as YYYY-MM-DD, got "2024-2-9"'],
    [{ expiry: '2024-13-01' }, 'expiry: expected a date of the calendar as YYYY-MM-DD, got "2024-13-01"'],
    [{ expiry: '20240621' }, 'expiry: expected a date of the calendar as YYYY-MM-DD, got "20240621"'],
    [{ expiry: '2024-06-21T00:00' }, 'expiry: expected a date of the calendar as YYYY-MM-DD, got "2024-06-21T00:00"'],
    [{ expiry: 20240621 }, 'expiry: expected a date of the calendar as YYYY-MM-DD, got 20240621'],
    [{ optionType: 'put' }, 'optionType: expected "C" or "P", got "put"'],
    [{ optionType: 'c' }, 'optionType: expected "C" or "P", got "c"'],
    [{ strike: 0 }, 'strike: expected a finite number above 0, got 0'],
    [{ strike: Number.POSITIVE_INFINITY }, 'strike: expected a finite number above 0, got Infinity'],
    [{ strike: '470' }, 'strike: expected a finite number above 0, got "470"'],
    [{ ts: Number.NaN }, 'ts: expected a time in Unix epoch milliseconds, got NaN'],
    [{ ts: null }, 'ts: expected a time in Unix epoch milliseconds, got null'],
    [{ bid: -0.01 }, 'bid: expected a finite number of at least 0, or null, got -0.01'],
    [{ ask: '1.2' }, 'ask: expected a finite number of at least 0, or null, got "1.2"'],
    [{ last: Number.NaN }, 'last: expected a finite number of at least 0, or null, got NaN'],
    [{ iv: -0.2 }, 'iv: expected a finite number of at least 0, or null, got -0.2'],
    [{ delta: 1.5 }, 'delta: expected a number from -1 to 1, or null, got 1.5'],
    [{ delta: Number.NaN }, 'delta: expected a number from -1 to 1, or null, got NaN'],
    [{ gamma: Number.NaN }, 'gamma: expected a finite number, or null, got NaN'],
    [{ theta: false }, 'theta: expected a finite number, or null, got false'],
    [{ vega: Number.NEGATIVE_INFINITY }, 'vega: expected a finite number, or null, got -Infinity'],
    [{ openInterest: -1 }, 'openInterest: expected a finite number of at least 0, or null, got -1'],
    [{ volume: -1 }, 'volume: expected a finite number of at least 0, or null, got -1'],
    [{ underlyingPrice: '468' }, 'underlyingPrice: expected a finite number, or null, got "468"'],
    [{ seq: null }, 'seq: expected a safe integer of at least 0, got null'],
    [{ seq: -1 }, 'seq: expected a safe integer of at least 0, got -1'],
  ])('refuses %j in words', (wrong, reason) => {
    expect(reasons(optionCodec, { ...OPTION, ...KNOWN, ...wrong })).toEqual([reason]);
    expect(optionCodec.is({ ...OPTION, ...KNOWN, ...wrong })).toBe(false);
  });

  it('names every field that is wrong', () => {
    expect(reasons(optionCodec, {}).map((reason) => reason.split(':')[0])).toEqual(Object.keys(OPTION));
    expect(reasons(optionCodec, 'option')).toEqual([': expected OptionSnapshot, got "option"']);
    expect(reasons(optionCodec, [OPTION])).toEqual([': expected OptionSnapshot, got an array of 1']);
  });
});
