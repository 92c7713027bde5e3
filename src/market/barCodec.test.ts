import { isRight } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { reasons } from '../../test/support/reasons.js';
import type { Bar } from './bar.js';
import { barCodec } from './codecs.js';

const BAR: Bar = {
  kind: 'bar',
  vendor: 'acme',
  symbol: 'BRK.B',
  timeframe: '1m',
  ts: 1_700_000_000_000.125,
  open: 1,
  high: 2,
  low: 0.5,
  close: 1.5,
  volume: 0,
};

const problems = (input: unknown) => reasons(barCodec, input);

describe('barCodec', () => {
  it('takes a bar, with a seq and without', () => {
    expect(barCodec.decode(BAR)).toEqual({ _tag: 'Right', right: BAR });
    expect(barCodec.decode({ ...BAR, seq: 0 })).toEqual({ _tag: 'Right', right: { ...BAR, seq: 0 } });
    expect(barCodec.is(BAR)).toBe(true);
    expect(barCodec.is({ ...BAR, close: '1' })).toBe(false);
    expect(barCodec.encode(BAR)).toBe(BAR);
  });

  it.each(['TpC', 'brk.b', 'BRK B', 'BTC-USD', 'ES=F', '^GSPC', 'Ж', '日経', '🚀', "O'N", 'O:SPY240621C00470000', '*'])(
    'keeps the symbol %s as it is spelled',
    (symbol) => {
      expect(barCodec.decode({ ...BAR, symbol })).toEqual({ _tag: 'Right', right: { ...BAR, symbol } });
    },
  );

  it('takes what few vendors say, and null for what they do not know', () => {
    const full = { ...BAR, isFinal: true, isComplete: false, trades: 17, vwap: -1.25 };
    expect(barCodec.decode(full)).toEqual({ _tag: 'Right', right: full });
    const unknown = { ...BAR, trades: null, vwap: null };
    expect(barCodec.decode(unknown)).toEqual({ _tag: 'Right', right: unknown });
  });

  it('leaves out what a bar does not have', () => {
    const decoded = barCodec.decode({ ...BAR, note: 'hello', seq: undefined });
    expect(isRight(decoded) && Object.keys(decoded.right)).toEqual(Object.keys(BAR));
  });

  it('takes an open and a close at the ends', () => {
    expect(problems({ ...BAR, open: 0.5, close: 2 })).toEqual([]);
    expect(problems({ ...BAR, open: 2, close: 0.5 })).toEqual([]);
  });

  it('takes prices that are negative, and a high that equals the low', () => {
    expect(problems({ ...BAR, open: -37.63, high: -37.63, low: -37.63, close: -37.63 })).toEqual([]);
  });

  it.each([
    [{ kind: 'quote' }, 'kind: expected "bar", got "quote"'],
    [{ vendor: '' }, 'vendor: expected a name, got ""'],
    [
      { symbol: '' },
      'symbol: expected a symbol as the vendor spells it, without control characters or outer blanks, got ""',
    ],
    [
      { symbol: ' ' },
      'symbol: expected a symbol as the vendor spells it, without control characters or outer blanks, got " "',
    ],
    [
      { symbol: ' BRK' },
      'symbol: expected a symbol as the vendor spells it, without control characters or outer blanks, got " BRK"',
    ],
    [
      { symbol: 'BRK\u00A0' },
      'symbol: expected a symbol as the vendor spells it, without control characters or outer blanks, got "BRK\u00A0"',
    ],
    [
      { symbol: 'BRK\tB' },
      'symbol: expected a symbol as the vendor spells it, without control characters or outer blanks, got "BRK\\tB"',
    ],
    [
      { symbol: 'BRK\uFFFD' },
      'symbol: expected a symbol as the vendor spells it, without control characters or outer blanks, got "BRK\\ufffd"',
    ],
    [
      { symbol: 5 },
      'symbol: expected a symbol as the vendor spells it, without control characters or outer blanks, got 5',
    ],
    [{ timeframe: undefined }, 'timeframe: expected a name, got undefined'],
    [{ ts: '2024-01-01' }, 'ts: expected a time in Unix epoch milliseconds, got "2024-01-01"'],
    [{ ts: 1e16 }, 'ts: expected a time in Unix epoch milliseconds, got 10000000000000000'],
    [{ open: Number.NaN }, 'open: expected a finite number, got NaN'],
    [{ high: Number.POSITIVE_INFINITY }, 'high: expected a finite number, got Infinity'],
    [{ low: '0.5' }, 'low: expected a finite number, got "0.5"'],
    [{ close: null }, 'close: expected a finite number, got null'],
    [{ volume: -1 }, 'volume: expected a finite number of at least 0, got -1'],
    [{ high: 0.25 }, 'high: expected a high that is not below the low of 0.5, got 0.25'],
    [{ open: 2.5 }, 'open: expected an open from the low of 0.5 to the high of 2, got 2.5'],
    [{ open: 0.25 }, 'open: expected an open from the low of 0.5 to the high of 2, got 0.25'],
    [{ close: 2.5 }, 'close: expected a close from the low of 0.5 to the high of 2, got 2.5'],
    [{ close: -1.5 }, 'close: expected a close from the low of 0.5 to the high of 2, got -1.5'],
    [{ seq: 1.5 }, 'seq: expected a safe integer of at least 0, got 1.5'],
    [{ isFinal: null }, 'isFinal: expected true or false, got null'],
    [{ isComplete: 'true' }, 'isComplete: expected true or false, got "true"'],
    [{ trades: 1.5 }, 'trades: expected a safe integer of at least 0, or null, got 1.5'],
    [{ vwap: Number.NaN }, 'vwap: expected a finite number, or null, got NaN'],
    [{ seq: null }, 'seq: expected a safe integer of at least 0, got null'],
  ])('refuses %j in words', (wrong, reason) => {
    expect(problems({ ...BAR, ...wrong })).toEqual([reason]);
  });

  it('names every field that is wrong', () => {
    expect(problems({})).toHaveLength(10);
    expect(problems({ ...BAR, open: 3, close: 0 })).toHaveLength(2);
    expect(problems({ ...BAR, volume: -1, seq: -1 })).toHaveLength(2);
    expect(problems('bar')).toHaveLength(1);
    expect(problems(null)).toHaveLength(1);
  });
});
