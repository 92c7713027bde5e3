import { describe, expect, it } from 'vitest';
import { reasons } from '../../test/support/reasons.js';
import { gapCodec, quoteCodec, tradeCodec } from './codecs.js';
import type { Gap } from './gap.js';
import type { Quote } from './quote.js';
import type { Trade } from './trade.js';

const TRADE: Trade = {
  kind: 'trade',
  vendor: 'v',
  symbol: 'TpC',
  ts: 1_700_000_000_000.125,
  price: 1,
  size: 2,
  id: '7',
};

const QUOTE: Quote = {
  kind: 'quote',
  vendor: 'v',
  symbol: 'BRK B',
  ts: 1_700_000_000_000.125,
  bid: 1,
  bidSize: 2,
  ask: 3,
  askSize: 4,
  id: '7',
};

const GAP: Gap = {
  kind: 'gap',
  vendor: 'v',
  symbol: '*',
  of: 'trade',
  from: 1,
  to: 2,
  cause: 'reconnect',
  state: 'open',
  seq: 1,
};

describe('tradeCodec', () => {
  it.each<Partial<Trade>>([
    {},
    { price: -1.5, size: 0 },
    { size: 0.000_000_01 },
    { venue: 'O\'Neill "✓"', side: 'sell', conditions: ['', '@'].slice(1), seq: 0 },
    { venue: null, side: null, conditions: null },
    { conditions: [] },
  ])('takes %j', (fields) => {
    const trade = { ...TRADE, ...fields };
    expect(tradeCodec.decode({ ...trade, extra: 1 })).toEqual({ _tag: 'Right', right: trade });
  });

  it.each([
    [{ price: null }, 'price: expected a finite number, got null'],
    [{ price: '1' }, 'price: expected a finite number, got "1"'],
    [{ size: -1 }, 'size: expected a finite number of at least 0, got -1'],
    [{ id: '' }, 'id: expected a name, got ""'],
    [{ id: 7 }, 'id: expected a name, got 7'],
    [{ venue: '' }, 'venue: expected a name, or null, got ""'],
    [{ side: 'BUY' }, 'side: expected "buy" or "sell", or null, got "BUY"'],
    [{ conditions: '@' }, 'conditions: expected an array of conditions, or null, got "@"'],
    [{ conditions: ['@', 37] }, 'conditions[1]: expected a name, got 37'],
    [{ ts: Number.NaN }, 'ts: expected a time in Unix epoch milliseconds, got NaN'],
    [{ seq: -1 }, 'seq: expected a safe integer of at least 0, got -1'],
  ])('refuses %j in words', (wrong, reason) => {
    expect(reasons(tradeCodec, { ...TRADE, ...wrong })).toEqual([reason]);
  });
});

describe('quoteCodec', () => {
  it.each<Partial<Quote>>([
    {},
    { bid: null, bidSize: null },
    { bid: -2, ask: -1 },
    { bid: 5, ask: 4 },
    { bidSize: null },
    { bidVenue: 'X', askVenue: null, seq: 3 },
  ])('takes %j', (fields) => {
    const quote = { ...QUOTE, ...fields };
    expect(quoteCodec.decode({ ...quote, extra: 1 })).toEqual({ _tag: 'Right', right: quote });
  });

  it.each([
    [{ bid: undefined }, 'bid: expected a finite number, or null, got undefined'],
    [{ ask: Number.POSITIVE_INFINITY }, 'ask: expected a finite number, or null, got Infinity'],
    [{ bidSize: -1 }, 'bidSize: expected a finite number of at least 0, or null, got -1'],
    [{ askSize: '1' }, 'askSize: expected a finite number of at least 0, or null, got "1"'],
    [{ askVenue: 7 }, 'askVenue: expected a name, or null, got 7'],
    [{ id: undefined }, 'id: expected a name, got undefined'],
  ])('refuses %j in words', (wrong, reason) => {
    expect(reasons(quoteCodec, { ...QUOTE, ...wrong })).toEqual([reason]);
  });
});

describe('gapCodec', () => {
  it.each<Partial<Gap>>([
    {},
    { timeframe: '1m', rows: 0, reason: '' },
    { rows: null, reason: null },
    { from: 2, to: 2 },
    { state: 'abandoned', cause: 'overflow', reason: 'nobody has it: "gone" 🚀' },
  ])('takes %j', (fields) => {
    const gap = { ...GAP, ...fields };
    expect(gapCodec.decode({ ...gap, extra: 1 })).toEqual({ _tag: 'Right', right: gap });
  });

  it.each([
    [{ timeframe: '' }, 'timeframe: expected a name, got ""'],
    [{ timeframe: null }, 'timeframe: expected a name, got null'],
    [{ of: '' }, 'of: expected a name, got ""'],
    [{ to: 0.999 }, 'to: expected a time that is not before the from of 1, got 0.999'],
    [
      { cause: 'lost' },
      'cause: expected "reconnect", "sequence", "stale", "overflow", "restart" or "requested", got "lost"',
    ],
    [{ state: 'closed' }, 'state: expected "open", "filled", "empty" or "abandoned", got "closed"'],
    [{ rows: 1.5 }, 'rows: expected a safe integer of at least 0, or null, got 1.5'],
    [{ seq: undefined }, 'seq: expected a safe integer of at least 0, got undefined'],
  ])('refuses %j in words', (wrong, reason) => {
    expect(reasons(gapCodec, { ...GAP, ...wrong })).toEqual([reason]);
  });
});
