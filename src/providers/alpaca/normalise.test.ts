import { isRight } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { barKey, marketEventCodec, quoteKey, tradeKey } from '../../market/index.js';
import type { MarketEvent, RecordOf } from '../../market/recordKinds.js';
import { Unreadable } from '../session.js';
import { normalise } from './normalise.js';

const RECEIVED_AT = 1_767_623_460_250;
const TS = Date.parse('2026-01-05T14:30:12.083Z');

const TRADE = {
  T: 't',
  S: 'AAPL',
  i: 52_983_525,
  x: 'V',
  p: 227.05,
  s: 100,
  c: ['@', 'I'],
  z: 'C',
  t: '2026-01-05T14:30:12.083456789Z',
};
const QUOTE = {
  T: 'q',
  S: 'AAPL',
  bx: 'Q',
  bp: 227.04,
  bs: 300,
  ax: 'P',
  ap: 227.06,
  as: 200,
  c: ['R'],
  z: 'C',
  t: '2026-01-05T14:30:12.083456789Z',
};
const BAR = {
  T: 'b',
  S: 'AAPL',
  o: 227.05,
  h: 227.24,
  l: 227.01,
  c: 227.2,
  v: 18_250,
  n: 412,
  vw: 227.1183,
  t: '2026-01-05T14:30:00Z',
};
const CORRECTION = {
  T: 'c',
  S: 'AAPL',
  x: 'V',
  oi: 52_983_525,
  op: 227.05,
  os: 100,
  oc: ['@', 'I'],
  ci: 52_983_999,
  cp: 226.05,
  cs: 90,
  cc: ['@'],
  z: 'C',
  t: TRADE.t,
};

const recordOf = <K extends MarketEvent['kind']>(element: unknown, receivedAt = RECEIVED_AT): RecordOf<K> => {
  const record = normalise(element, receivedAt);
  expect(record).not.toBeInstanceOf(Unreadable);
  expect(isRight(marketEventCodec.decode(record))).toBe(true);
  return record as RecordOf<K>;
};

describe('normalise of alpaca', () => {
  it('reads a trade to the microsecond, with the exchange in its id', () => {
    expect(recordOf(TRADE)).toEqual({
      kind: 'trade',
      vendor: 'alpaca',
      symbol: 'AAPL',
      ts: TS + 0.456,
      price: 227.05,
      size: 100,
      id: 'V:52983525',
      venue: 'V',
      side: null,
      conditions: ['@', 'I'],
      seq: RECEIVED_AT * 1_000,
    });
  });

  it('keeps two trades of one id and instant on two exchanges apart', () => {
    const [one, other] = [recordOf<'trade'>(TRADE), recordOf<'trade'>({ ...TRADE, x: 'D' })];
    expect(tradeKey(one)).not.toBe(tradeKey(other));
  });

  it('reads a trade of crypto, whose id has more digits than a number and whose side is known', () => {
    const { x: _, c: __, z: ___, ...fields } = TRADE;
    const trade = { ...fields, S: 'AVAX/USD', i: '3447222699101865076', tks: 'S' };
    expect(recordOf(trade)).toMatchObject({ symbol: 'AVAX/USD', id: '3447222699101865076', side: 'sell', venue: null });
    expect(recordOf({ ...trade, i: 3_447_222_699_101_865_076n, tks: 'B' })).toMatchObject({
      id: '3447222699101865076',
      side: 'buy',
      conditions: null,
    });
  });

  it('reads a quote, and gives it the same id whenever it is asked', () => {
    const quote = recordOf<'quote'>(QUOTE);
    expect(quote).toEqual({
      kind: 'quote',
      vendor: 'alpaca',
      symbol: 'AAPL',
      ts: TS + 0.456,
      bid: 227.04,
      bidSize: 300,
      ask: 227.06,
      askSize: 200,
      id: 'Q227.04x300/P227.06x200',
      bidVenue: 'Q',
      askVenue: 'P',
      seq: RECEIVED_AT * 1_000,
    });
    expect(quoteKey(recordOf<'quote'>(QUOTE, RECEIVED_AT + 86_400_000))).toBe(quoteKey(quote));
  });

  it.each(['bp', 'bs', 'ap', 'as', 'bx', 'ax'] as const)(
    'keeps quotes of one instant that differ in %s apart',
    (field) => {
      const changed = { ...QUOTE, [field]: typeof QUOTE[field] === 'number' ? QUOTE[field] + 1 : 'Z' };
      expect(quoteKey(recordOf<'quote'>(changed))).not.toBe(quoteKey(recordOf<'quote'>(QUOTE)));
    },
  );

  it('reads a price of 0 in a quote as none', () => {
    expect(recordOf({ ...QUOTE, bp: 0, bs: 0, bx: ' ' })).toMatchObject({ bid: null, bidSize: null, bidVenue: null });
    expect(recordOf({ ...QUOTE, ap: 0, as: 0, ax: '' })).toMatchObject({ ask: null, askSize: null, askVenue: null });
  });

  it('reads minute bars, their revisions, and daily bars that are not final', () => {
    const bar = recordOf<'bar'>(BAR);
    expect(bar).toEqual({
      kind: 'bar',
      vendor: 'alpaca',
      symbol: 'AAPL',
      timeframe: '1m',
      ts: Date.parse('2026-01-05T14:30:00Z'),
      open: 227.05,
      high: 227.24,
      low: 227.01,
      close: 227.2,
      volume: 18_250,
      isFinal: true,
      trades: 412,
      vwap: 227.1183,
      seq: RECEIVED_AT * 1_000,
    });
    const revised = recordOf<'bar'>({ ...BAR, T: 'u', v: 18_300 });
    expect(barKey(revised)).toBe(barKey(bar));
    expect(revised.seq).toBeGreaterThan(bar.seq!);
    expect(recordOf({ ...BAR, T: 'd' })).toMatchObject({ timeframe: '1d', isFinal: false });
    const { n: _, vw: __, ...short } = BAR;
    expect(recordOf(short)).toMatchObject({ trades: null, vwap: null });
  });

  it('reads a correction as a newer version of the trade that it corrects', () => {
    const trade = recordOf<'trade'>(TRADE);
    const corrected = recordOf<'trade'>(CORRECTION, RECEIVED_AT);
    expect(tradeKey(corrected)).toBe(tradeKey(trade));
    expect(corrected).toMatchObject({ price: 226.05, size: 90, conditions: ['@'] });
    expect(corrected.seq).toBeGreaterThan(trade.seq!);
  });

  it.each(['x', 's', 'l', 'i', 'o', 'n'])('makes no record of a message of type %s', (type) => {
    expect(normalise({ T: type, S: 'AAPL' }, RECEIVED_AT)).toEqual([]);
  });

  it('reads integers of 64 bits, as MessagePack has them', () => {
    expect(recordOf({ ...TRADE, i: 52_983_525n, s: 100n })).toEqual(recordOf(TRADE));
    expect(recordOf({ ...BAR, v: 18_250n, n: 412n })).toEqual(recordOf(BAR));
  });

  it.each<[string, unknown, string]>([
    ['an element that is no object', 7, 'an element is not an object'],
    ['null', null, 'an element is not an object'],
    ['an array', [TRADE], 'an element is not an object'],
    ['an unknown type', { ...TRADE, T: 'zz' }, 'T must be a known type of message, got "zz"'],
    ['no type', { S: 'AAPL' }, 'T must be a known type of message, got undefined'],
    ['a price written as text', { ...TRADE, p: '227.05' }, 'the price must be a number above 0, got "227.05"'],
    ['no price', { ...TRADE, p: undefined }, 'the price must be a number above 0, got undefined'],
    ['a price that is not finite', { ...TRADE, p: Number.NaN }, 'the price must be a number above 0, got NaN'],
    ['a price of 0', { ...TRADE, p: 0 }, 'the price must be a number above 0, got 0'],
    ['a price below 0', { ...TRADE, p: -3 }, 'the price must be a number above 0, got -3'],
    [
      'a corrected price of 0',
      { ...TRADE, T: 'c', oi: 1, cp: 0, cs: 1, cc: ['@'] },
      'the price must be a number above 0, got 0',
    ],
    ['a bid below 0', { ...QUOTE, bp: -1 }, 'bp must be a number of at least 0, got -1'],
    ['an ask below 0', { ...QUOTE, ap: -1 }, 'ap must be a number of at least 0, got -1'],
    ['a low of 0', { ...BAR, l: 0 }, 'l must be a number above 0, got 0'],
    ['a size below 0', { ...TRADE, s: -1 }, 'the size must be a number of at least 0, got -1'],
    ['a fractional id', { ...TRADE, i: 1.5 }, 'the id must be an integer, got 1.5'],
    ['an id that was rounded', { ...TRADE, i: 2 ** 60 }, 'the id must be an integer, got 115292150460684'],
    ['an id of other characters', { ...TRADE, i: '12a' }, 'the id must be an integer, got "12a"'],
    ['no id', { ...TRADE, i: undefined }, 'the id must be an integer, got undefined'],
    ['a symbol that is none', { ...TRADE, S: ' ' }, 'S must be a symbol without blanks, got " "'],
    [
      'a time in nanoseconds',
      { ...TRADE, t: 1_767_623_412_083_456_800 },
      't must be a time of RFC 3339, got 1767623412083456800',
    ],
    ['a day that does not exist', { ...TRADE, t: '2026-02-30T14:30:00Z' }, 't must be a time of RFC 3339'],
    ['conditions that are none', { ...TRADE, c: ['@', 1n] }, 'the conditions must be an array of codes, got an array'],
    ['a quote without a size', { ...QUOTE, bs: undefined }, 'bs must be a number of at least 0, got undefined'],
    ['a quote with a price as text', { ...QUOTE, ap: '227.06' }, 'ap must be a number of at least 0, got "227.06"'],
    [
      'a bar whose high is too low',
      { ...BAR, h: 227.1 },
      'the prices of a bar contradict each other: o 227.05, h 227.1',
    ],
    ['a bar without a close', { ...BAR, c: null }, 'c must be a number, got null'],
    ['a bar with half a trade', { ...BAR, n: 0.5 }, 'n must be a count, got 0.5'],
    ['a bar without a volume', { ...BAR, v: {} }, 'v must be a number of at least 0, got an object'],
  ])('refuses %s', (_, element, reason) => {
    const unreadable = normalise(element, RECEIVED_AT);
    expect(unreadable).toBeInstanceOf(Unreadable);
    expect((unreadable as Unreadable).reason).toContain(reason);
  });

  it('quotes little of a value that is long', () => {
    const unreadable = normalise({ ...TRADE, p: 'x'.repeat(10_000) }, RECEIVED_AT) as Unreadable;
    expect(unreadable.reason.length).toBeLessThan(150);
  });
});
