import { describe, expect, it } from 'vitest';
import { reasons } from '../../test/support/reasons.js';
import { marketEventCodec } from './codecs.js';
import type { MarketEvent } from './recordKinds.js';

const EVENTS: readonly MarketEvent[] = [
  { kind: 'bar', vendor: 'v', symbol: 'A', timeframe: '1m', ts: 0, open: 1, high: 2, low: 1, close: 2, volume: 0 },
  { kind: 'option', vendor: 'v', symbol: 'A', expiry: '2024-06-21', optionType: 'C', strike: 1, ts: 0, iv: null },
  { kind: 'news', vendor: 'v', id: '1', publishedAt: 0, title: 't', url: 'http://a.b', symbols: [] },
  {
    kind: 'fundamental',
    vendor: 'v',
    symbol: 'A',
    periodEnd: '2024-03-31',
    timeframe: 'ttm',
    metric: 'm',
    value: 1,
    unit: 'u',
  },
  { kind: 'trade', vendor: 'v', symbol: 'TpC', ts: 0, price: 1, size: 0.5, id: '1' },
  { kind: 'quote', vendor: 'v', symbol: 'BRK B', ts: 0, bid: 1, bidSize: 2, ask: null, askSize: null, id: '1' },
  { kind: 'gap', vendor: 'v', symbol: '*', of: 'x', from: 0, to: 0, cause: 'stale', state: 'open', seq: 0 },
];

describe('marketEventCodec', () => {
  it.each(EVENTS)('takes a $kind', (event) => {
    expect(marketEventCodec.decode({ ...event, extra: 1 })).toEqual({ _tag: 'Right', right: event });
    expect(marketEventCodec.is(event)).toBe(true);
    expect(marketEventCodec.encode(event)).toBe(event);
  });

  it('refuses by the codec of the kind, so that a reason is about that kind alone', () => {
    const broken = EVENTS.map((event) => ({ ...event, vendor: '' }));
    for (const event of broken) {
      expect(reasons(marketEventCodec, event)).toEqual(['vendor: expected a name, got ""']);
      expect(marketEventCodec.is(event)).toBe(false);
    }
  });

  it.each([
    [
      { ...EVENTS[0], kind: 'dividend' },
      'kind: expected "bar", "option", "news", "fundamental", "trade", "quote" or "gap", got "dividend"',
    ],
    [{}, 'kind: expected "bar", "option", "news", "fundamental", "trade", "quote" or "gap", got undefined'],
    // A name that every object has.
    [
      { kind: 'constructor' },
      'kind: expected "bar", "option", "news", "fundamental", "trade", "quote" or "gap", got "constructor"',
    ],
    [
      { kind: ['bar'] },
      'kind: expected "bar", "option", "news", "fundamental", "trade", "quote" or "gap", got an array of 1',
    ],
    [null, ': expected MarketEvent, got null'],
    ['bar', ': expected MarketEvent, got "bar"'],
  ])('refuses %j', (input, reason) => {
    expect(reasons(marketEventCodec, input)).toEqual([reason]);
    expect(marketEventCodec.is(input)).toBe(false);
  });
});
