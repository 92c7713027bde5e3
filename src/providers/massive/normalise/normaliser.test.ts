import { isRight } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { marketEventCodec } from '../../../market/codecs.js';
import { quoteKey, tradeKey } from '../../../market/index.js';
import type { Quote } from '../../../market/quote.js';
import type { MarketEvent } from '../../../market/recordKinds.js';
import type { Trade } from '../../../market/trade.js';
import { Unreadable } from '../../session.js';
import type { MassiveMarket } from '../markets.js';
import { massiveNormaliser } from './normaliser.js';

const RECEIVED_AT = 1_767_623_460_250;
const SEQ = RECEIVED_AT * 1_000;
const T = 1_767_623_412_083;

/** A time as the wire has it and `JSON.parse` reads it. */
const NS: number = JSON.parse('1767623412083456789');

const TRADE = {
  ev: 'T',
  sym: 'AAPL',
  x: 4,
  i: '71675577320245',
  z: 3,
  p: 227.05,
  s: 100,
  c: [14, 41],
  t: T,
  pt: T - 1,
  q: 1_061,
  trfi: 202,
  trft: T,
};
const QUOTE = {
  ev: 'Q',
  sym: 'AAPL',
  bx: 12,
  bp: 227.04,
  bs: 3,
  ax: 11,
  ap: 227.06,
  as: 2,
  c: 1,
  i: [604],
  t: T,
  q: 50_385_480,
  z: 3,
};
const BAR = {
  ev: 'AM',
  sym: 'AAPL',
  v: 18_250,
  av: 4_120_033,
  op: 226.4,
  vw: 227.1183,
  o: 227.05,
  c: 227.2,
  h: 227.24,
  l: 227.01,
  a: 226.9021,
  z: 74,
  s: 1_767_623_400_000,
  e: 1_767_623_460_000,
};
const CRYPTO_TRADE = {
  ev: 'XT',
  pair: 'BTC-USD',
  p: 93_000.1,
  s: 0.013,
  x: 1,
  i: '191450340',
  c: [2],
  t: T,
  r: T + 20,
};
const CRYPTO_QUOTE = { ev: 'XQ', pair: 'BTC-USD', bp: 93_000, bs: 1.5, ap: 93_001, as: 2, x: 1, t: T, r: T + 20 };
const CRYPTO_BAR = { ...BAR, ev: 'XA', sym: undefined, pair: 'BTC-USD', v: 12.5, z: 1 };
const FOREX_QUOTE = { ev: 'C', p: 'EUR/USD', x: 48, a: 1.1001, b: 1.0999, t: T };
const FOREX_BAR = { ev: 'CA', pair: 'EUR/USD', o: 1.1, h: 1.2, l: 1, c: 1.1, v: 27, s: BAR.s, e: BAR.e };

function made(element: unknown, market: MassiveMarket = 'stocks'): MarketEvent {
  const record = massiveNormaliser(market)(element, RECEIVED_AT);
  expect(record).not.toBeInstanceOf(Unreadable);
  expect(isRight(marketEventCodec.decode(record))).toBe(true);
  return record as MarketEvent;
}

function reasonFor(element: unknown, market: MassiveMarket = 'stocks'): string {
  const verdict = massiveNormaliser(market)(element, RECEIVED_AT);
  expect(verdict).toBeInstanceOf(Unreadable);
  return (verdict as Unreadable).reason;
}

describe('trades of massive', () => {
  it('have an id that carries the exchange and the reporting facility', () => {
    expect(made(TRADE)).toEqual({
      kind: 'trade',
      vendor: 'massive',
      symbol: 'AAPL',
      ts: T,
      price: 227.05,
      size: 100,
      id: '4:71675577320245:202',
      venue: '4',
      side: null,
      conditions: ['14', '41'],
      seq: SEQ,
    });
  });

  it('of one millisecond and one id on two exchanges, or two facilities of one, are different trades', () => {
    const trades = [TRADE, { ...TRADE, x: 11, trfi: undefined }, { ...TRADE, trfi: 201 }];
    expect(new Set(trades.map((trade) => tradeKey(made(trade) as Trade))).size).toBe(3);
  });

  it('of options have no id: the sequence number is one', () => {
    const { i: _, trfi: __, ...option } = { ...TRADE, sym: 'O:SPY261218C00600000', x: 302 };
    expect(made(option, 'options')).toMatchObject({ symbol: 'O:SPY261218C00600000', id: 'q1061', venue: '302' });
  });

  it('take the size from the text that has fractions of a share', () => {
    expect(made({ ...TRADE, s: 0, ds: '0.0375' })).toMatchObject({ size: 0.0375 });
    expect(made({ ...TRADE, s: undefined, ds: '3' })).toMatchObject({ size: 3 });
    expect(reasonFor({ ...TRADE, ds: '1e3' })).toBe('ds must be a size as text, got "1e3"');
  });

  it('take a number as an id where it is exact', () => {
    expect(made({ ...TRADE, i: 52, trfi: 0 })).toMatchObject({ id: '4:52' });
    expect(reasonFor(JSON.parse(JSON.stringify(TRADE).replace('"71675577320245"', '7167557732024512345')))).toContain(
      'i must be the id of a trade, got 71675577320245',
    );
  });

  it('of futures may have a negative price, and no others', () => {
    expect(made({ ...TRADE, sym: 'CLZ6', p: -37.63 }, 'futures')).toMatchObject({ price: -37.63 });
    expect(reasonFor({ ...TRADE, p: -37.63 })).toBe('p must be a price, got -37.63');
  });

  it('of crypto say who took the price', () => {
    expect(made(CRYPTO_TRADE, 'crypto')).toMatchObject({
      symbol: 'BTC-USD',
      id: '1:191450340',
      side: 'buy',
      size: 0.013,
    });
    expect(made({ ...CRYPTO_TRADE, c: [1] }, 'crypto')).toMatchObject({ side: 'sell', conditions: null });
    expect(made({ ...CRYPTO_TRADE, c: [0] }, 'crypto')).toMatchObject({ side: null });
  });

  it.each<[object, string]>([
    [{ sym: undefined }, 'sym must be a ticker, got nothing'],
    [{ sym: 'AA PL' }, 'sym must be a ticker, got "AA PL"'],
    [{ sym: 'AAPL\u2003' }, 'sym must be a ticker, got "AAPL\u2003"'],
    [{ sym: null }, 'sym must be a ticker, got null'],
    [{ t: NS }, 't must be a time in milliseconds, got 1767623412083456800'],
    [{ t: '1767623412083' }, 't must be a time in milliseconds, got "1767623412083"'],
    [{ t: undefined }, 't must be a time in milliseconds, got nothing'],
    [{ p: '227.05' }, 'p must be a price, got "227.05"'],
    [{ p: 0 }, 'p must be a price, got 0'],
    [{ p: null }, 'p must be a price, got null'],
    [{ s: '100' }, 's must be a size, got "100"'],
    [{ s: -1 }, 's must be a size, got -1'],
    [{ x: 'V' }, 'x must be the number of an exchange, got "V"'],
    [{ c: 14 }, 'c must be a list of conditions, got 14'],
    [{ c: ['@'] }, 'c must be a list of conditions, got ["@"]'],
    [{ i: {} }, 'i must be the id of a trade, got {}'],
    [{ i: undefined, q: undefined }, 'q must be the id of a trade, got nothing'],
  ])('with %j are not readable', (wrong, reason) => {
    expect(reasonFor({ ...TRADE, ...wrong })).toBe(reason);
  });
});

describe('quotes of massive', () => {
  it('are identified by their sequence number', () => {
    expect(made(QUOTE)).toEqual({
      kind: 'quote',
      vendor: 'massive',
      symbol: 'AAPL',
      ts: T,
      bid: 227.04,
      bidSize: 3,
      ask: 227.06,
      askSize: 2,
      id: '50385480',
      bidVenue: '12',
      askVenue: '11',
      seq: SEQ,
    });
  });

  it('have null where nobody is: no price, or one of 0', () => {
    expect(made({ ...QUOTE, bp: 0, bs: 0 })).toMatchObject({ bid: null, bidSize: null, ask: 227.06 });
    expect(made({ ...QUOTE, ap: undefined, as: undefined, ax: undefined })).toMatchObject({
      ask: null,
      askSize: null,
      askVenue: null,
    });
  });

  it('without a number are one only if they say the same', () => {
    const one = made(CRYPTO_QUOTE, 'crypto') as Quote;
    expect(one).toMatchObject({ id: '1:93000:1.5:1:93001:2', bidVenue: '1', askVenue: '1' });
    expect(quoteKey(made({ ...CRYPTO_QUOTE }, 'crypto') as Quote)).toBe(quoteKey(one));
    expect(quoteKey(made({ ...CRYPTO_QUOTE, bs: 1.6 }, 'crypto') as Quote)).not.toBe(quoteKey(one));
  });

  it('of currencies have no sizes, and their pair in p', () => {
    expect(made(FOREX_QUOTE, 'forex')).toMatchObject({
      symbol: 'EUR/USD',
      bid: 1.0999,
      bidSize: null,
      ask: 1.1001,
      id: '48:1.0999::48:1.1001:',
    });
  });

  it.each<[object, string]>([
    [{ sym: '' }, 'sym must be a ticker, got ""'],
    [{ t: 1_767_623_412 }, 't must be a time in milliseconds, got 1767623412'],
    [{ bp: undefined, ap: undefined }, 'bp must be a price, or ap, got nothing'],
    [{ bp: '227' }, 'bp must be a price, got "227"'],
    [{ ap: -1 }, 'ap must be a price, got -1'],
    [{ bs: '3' }, 'bs must be a size, got "3"'],
    [{ as: -3 }, 'as must be a size, got -3'],
    [{ bx: 1.5 }, 'bx must be the number of an exchange, got 1.5'],
    [{ ax: 'V' }, 'ax must be the number of an exchange, got "V"'],
    [{ q: '7' }, 'q must be a sequence number, got "7"'],
  ])('with %j are not readable', (wrong, reason) => {
    expect(reasonFor({ ...QUOTE, ...wrong })).toBe(reason);
  });
});

describe('bars of massive', () => {
  it('are final, and have the average price of their own window rather than of the day', () => {
    expect(made(BAR)).toEqual({
      kind: 'bar',
      vendor: 'massive',
      symbol: 'AAPL',
      timeframe: '1m',
      ts: BAR.s,
      open: 227.05,
      high: 227.24,
      low: 227.01,
      close: 227.2,
      volume: 18_250,
      isFinal: true,
      trades: null,
      vwap: 227.1183,
      seq: SEQ,
    });
    expect(made({ ...BAR, ev: 'A' })).toMatchObject({ timeframe: '1s' });
  });

  it('take the volume from the text that has fractions of a share', () => {
    expect(made({ ...BAR, dv: '18250.25' })).toMatchObject({ volume: 18_250.25 });
    expect(reasonFor({ ...BAR, dv: 'many' })).toBe('v must be a volume, got "many"');
  });

  it('of indices have no volume', () => {
    const { v: _, vw: __, ...index } = { ...BAR, sym: 'I:SPX' };
    expect(made(index, 'indices')).toMatchObject({ symbol: 'I:SPX', volume: 0, vwap: null });
    expect(reasonFor(index)).toBe('v must be a volume, got nothing');
  });

  it('of futures have a value in dv, and count their trades', () => {
    const future = { ...BAR, sym: 'CLZ6', l: -40, dv: 1_234_567.5, n: 12 };
    expect(made(future, 'futures')).toMatchObject({ volume: 18_250, trades: 12, low: -40 });
  });

  it('of crypto and currencies have a pair', () => {
    expect(made(CRYPTO_BAR, 'crypto')).toMatchObject({ symbol: 'BTC-USD', timeframe: '1m', volume: 12.5 });
    expect(made({ ...CRYPTO_BAR, ev: 'XAS' }, 'crypto')).toMatchObject({ timeframe: '1s' });
    expect(made(FOREX_BAR, 'forex')).toMatchObject({ symbol: 'EUR/USD', timeframe: '1m', volume: 27, vwap: null });
    expect(made({ ...FOREX_BAR, ev: 'CAS' }, 'forex')).toMatchObject({ timeframe: '1s' });
  });

  it.each<[object, string]>([
    [{ sym: 7 }, 'sym must be a ticker, got 7'],
    [{ v: '18250' }, 'v must be a volume, got "18250"'],
    [{ v: -1 }, 'v must be a volume, got -1'],
    [{ s: 1.5 }, 's must be a time in milliseconds, got 1.5'],
    [{ l: '227' }, 'l must be a price, got "227"'],
    [{ l: 0 }, 'l must be a price, got 0'],
    [{ l: -40 }, 'l must be a price, got -40'],
    [{ h: 227 }, 'h must be a price that is not below the low of 227.01, got 227'],
    [{ o: 300 }, 'o must be a price from 227.01 to 227.24, got 300'],
    [{ c: undefined }, 'c must be a price from 227.01 to 227.24, got nothing'],
    [{ vw: '227' }, 'vw must be a price, got "227"'],
    [{ n: 1.5 }, 'n must be a number of trades, got 1.5'],
  ])('with %j are not readable', (wrong, reason) => {
    expect(reasonFor({ ...BAR, ...wrong })).toBe(reason);
  });
});

describe('other elements of massive', () => {
  it.each([
    { ev: 'V', T: 'I:SPX', val: 6_000.12, t: T },
    { ev: 'LULD', T: 'AAPL', h: 240, l: 215, i: [7], z: 3, t: NS, q: 5 },
    { ev: 'NOI', T: 'AAPL', t: NS, at: 930, a: 'M', i: 44, x: 10, o: 480, p: 440, b: 25.03 },
    { ev: 'FMV', sym: 'AAPL', fmv: 227.1, t: NS },
  ])('$ev is known, and makes no record', (element) => {
    expect(massiveNormaliser('stocks')(element, RECEIVED_AT)).toEqual([]);
  });

  it.each<[unknown, string]>([
    [{ ev: 'ZZ', sym: 'AAPL' }, 'unknown event "ZZ"'],
    [{ sym: 'AAPL' }, 'unknown event without a name'],
    [{ ev: { toString: 1 } }, 'unknown event {"toString":1}'],
    [null, 'an event must be an object'],
    ['T', 'an event must be an object'],
    [7, 'an event must be an object'],
    [[], 'unknown event without a name'],
  ])('%j is not readable', (element, reason) => {
    expect(reasonFor(element)).toBe(reason);
  });

  it.each<[object, MassiveMarket, string]>([
    [{ ...CRYPTO_TRADE, pair: undefined }, 'crypto', 'pair must be a pair, got nothing'],
    [{ ...CRYPTO_TRADE, p: '9' }, 'crypto', 'p must be a price, got "9"'],
    [{ ...CRYPTO_TRADE, s: null }, 'crypto', 's must be a size, got null'],
    [{ ...CRYPTO_TRADE, i: undefined }, 'crypto', 'i must be the id of a trade, got nothing'],
    [{ ...CRYPTO_TRADE, t: undefined }, 'crypto', 't must be a time in milliseconds, got nothing'],
    [{ ...CRYPTO_QUOTE, bp: 'x' }, 'crypto', 'bp must be a price, got "x"'],
    [{ ...FOREX_QUOTE, p: 1.1 }, 'forex', 'p must be a pair, got 1.1'],
    [{ ...FOREX_QUOTE, t: '1' }, 'forex', 't must be a time in milliseconds, got "1"'],
    [{ ...FOREX_BAR, pair: undefined }, 'forex', 'sym must be a ticker, got nothing'],
  ])('%j of %s is not readable', (element, market, reason) => {
    expect(reasonFor(element, market)).toBe(reason);
  });
});
