import { describe, expect, it } from 'vitest';
import { ConnectionLost, PacingViolation, ProviderSilent, UnknownInstrument } from '../providerErrors.js';
import type { Frame, Series, SessionStep } from '../session.js';
import type { CoinbaseElement } from './normalise.js';
import { coinbaseSession } from './session.js';

const NOW = 1_767_623_402_500;

const TRADES = { of: 'trade', symbol: 'BTC-USD' } as const;
const ETH = { of: 'trade', symbol: 'ETH-USD' } as const;
const QUOTES = { of: 'quote', symbol: 'BTC-USD' } as const;
const BARS = { of: 'bar', symbol: 'BTC-USD', timeframe: '5m' } as const;

function open() {
  const session = coinbaseSession();
  session.opened(NOW);
  return session;
}

function sent(frames: readonly Frame[] | undefined) {
  return (frames ?? []).map((frame) => JSON.parse(frame as string));
}

function message(channel: string, sequence_num: number, events: unknown, timestamp = '2026-01-05T14:30:02.5Z') {
  return JSON.stringify({ channel, timestamp, sequence_num, events });
}

function answer(sequence: number, subscriptions: Record<string, readonly string[]>) {
  return message('subscriptions', sequence, [{ subscriptions }]);
}

function trade(id: number, product_id = 'BTC-USD', time = '2026-01-05T14:30:02Z') {
  return { trade_id: String(id), product_id, price: '1', size: '2', side: 'BUY', time };
}

function candle(start: number, close = '1', product_id = 'BTC-USD') {
  return { start: String(start), high: '9', low: '1', open: '1', close, volume: '5', product_id };
}

function raws(step: SessionStep) {
  return (step.elements ?? []).map((element) => (element as CoinbaseElement).raw);
}

describe('subscriptions', () => {
  it('subscribes to heartbeats as soon as it is open, which is within the five seconds that the vendor waits', () => {
    const { send, isReady } = coinbaseSession().opened(NOW);
    expect(sent(send)).toEqual([{ type: 'subscribe', channel: 'heartbeats' }]);
    expect(isReady).toBe(true);
  });

  it('asks for one channel per message', () => {
    const { send } = open().subscribe([BARS, TRADES, QUOTES, ETH], NOW);
    expect(sent(send)).toEqual([
      { type: 'subscribe', channel: 'candles', product_ids: ['BTC-USD'] },
      { type: 'subscribe', channel: 'market_trades', product_ids: ['BTC-USD', 'ETH-USD'] },
      { type: 'subscribe', channel: 'ticker', product_ids: ['BTC-USD'] },
    ]);
  });

  it('confirms what an answer lists', () => {
    const session = open();
    session.subscribe([TRADES, ETH, QUOTES], NOW);
    expect(session.frame(answer(0, { heartbeats: ['heartbeats'] }), NOW)).toEqual({ confirmed: [], refused: [] });
    const trades = session.frame(answer(1, { market_trades: ['BTC-USD', 'ETH-USD'] }), NOW);
    expect(trades).toEqual({ confirmed: [TRADES, ETH], refused: [] });
    const all = session.frame(answer(2, { market_trades: ['BTC-USD', 'ETH-USD'], ticker: ['BTC-USD'] }), NOW);
    expect(all).toEqual({ confirmed: [QUOTES], refused: [] });
  });

  it('refuses a product that the answer leaves out: the vendor says no more about one that it does not know', () => {
    const session = open();
    const series = { of: 'trade', symbol: 'NO-SUCH' } as const;
    session.subscribe([TRADES, series], NOW);
    const { confirmed, refused = [] } = session.frame(answer(0, { market_trades: ['BTC-USD'] }), NOW);
    expect(confirmed).toEqual([TRADES]);
    expect(refused.map((one) => one.series)).toEqual([series]);
    expect(refused[0]?.error).toBeInstanceOf(UnknownInstrument);
    expect(refused[0]?.error.message).toMatch(/market_trades of NO-SUCH: it is missing in the list of subscriptions/);
  });

  it('takes BTC-USD for the confirmation of BTC-USDC, as the public channels name it', () => {
    const session = open();
    const usdc = { of: 'trade', symbol: 'BTC-USDC' } as const;
    session.subscribe([usdc], NOW);
    expect(session.frame(answer(0, { market_trades: ['BTC-USD'] }), NOW).confirmed).toEqual([usdc]);
  });

  it('unsubscribes per channel, and confirms nothing for it', () => {
    const session = open();
    session.subscribe([TRADES, QUOTES], NOW);
    const { send } = session.unsubscribe([TRADES, BARS], NOW);
    expect(sent(send)).toEqual([{ type: 'unsubscribe', channel: 'market_trades', product_ids: ['BTC-USD'] }]);
    expect(session.frame(answer(0, { ticker: ['BTC-USD'] }), NOW).confirmed).toEqual([QUOTES]);
  });

  it.each<[Series, RegExp]>([
    [{ of: 'bar', symbol: 'BTC-USD', timeframe: '1m' }, /candles are of 5m only, not of 1m/],
    [{ of: 'trade', symbol: 'btc-usd' }, /upper case: BTC-USD rather than btc-usd/],
    [{ of: 'trade', symbol: '*' }, /no product "\*"/],
    [{ of: 'news', symbol: 'BTC-USD' }, /no records of kind news/],
  ])('refuses %j without asking', (series, reason) => {
    const { send, refused = [] } = open().subscribe([series], NOW);
    expect(send).toEqual([]);
    expect(refused[0]?.error.message).toMatch(reason);
  });
});

describe('errors of the vendor', () => {
  const error = (words: string) => JSON.stringify({ type: 'error', message: words });

  it('belong to the oldest request without an answer', () => {
    const session = open();
    session.subscribe([TRADES], NOW);
    session.subscribe([QUOTES], NOW);
    const { refused = [] } = session.frame(error('authentication failure'), NOW);
    expect(refused.map(({ series }) => series)).toEqual([TRADES]);
    expect(refused[0]?.error.message).toMatch(/market_trades of BTC-USD: authentication failure/);
    expect(refused[0]?.error.cause).toBe('authentication failure');
  });

  it('lead to the product at fault by halves', () => {
    const session = open();
    const all = ['A-USD', 'BAD', 'B-USD', 'C-USD'].map((symbol) => ({ of: 'trade', symbol }) as const);
    const listed: string[] = [];
    const confirmed: Series[] = [];
    const refused: Series[] = [];
    const requests = sent(session.subscribe(all, NOW).send);
    for (const { product_ids } of requests) {
      const isBad = product_ids.includes('BAD');
      if (!isBad) listed.push(...product_ids);
      const step = session.frame(isBad ? error('no') : answer(requests.length, { market_trades: listed }), NOW);
      requests.push(...sent(step.send));
      confirmed.push(...(step.confirmed ?? []));
      refused.push(...(step.refused ?? []).map(({ series }) => series));
    }
    expect(refused).toEqual([all[1]]);
    expect(new Set(confirmed)).toEqual(new Set([all[0], all[2], all[3]]));
  });

  it('are a notice when nothing was asked', () => {
    expect(open().frame(error('hello'), NOW)).toEqual({ notices: ['error: hello'] });
  });

  it('say that it was asked too often', () => {
    expect(open().frame(error('rate limit exceeded'), NOW).fail).toBeInstanceOf(PacingViolation);
  });

  it.each([
    ['text that is not JSON', '{"channel"'],
    ['a number', '5'],
    ['an array', '[]'],
    ['null', 'null'],
    ['a message without a channel', '{"hello":"world"}'],
    ['bytes', new Uint8Array([1])],
  ])('fails at %s', (_, frame) => {
    expect(open().frame(frame, NOW).fail).toBeInstanceOf(ConnectionLost);
  });
});

describe('elements', () => {
  it('hands on each trade with its envelope, the oldest first', () => {
    const update = message('market_trades', 7, [{ type: 'update', trades: [trade(1), trade(2)] }]);
    expect(raws(open().frame(update, NOW))).toEqual([trade(1), trade(2)]);
    const snapshot = message('market_trades', 7, [{ type: 'snapshot', trades: [trade(3), trade(2), trade(1)] }]);
    expect(raws(open().frame(snapshot, NOW))).toEqual([trade(1), trade(2), trade(3)]);
  });

  it('numbers tickers by their message and their place in it', () => {
    const events = [
      { type: 'update', tickers: [{ product_id: 'BTC-USD' }, { product_id: 'ETH-USD' }] },
      { type: 'update', tickers: [{ product_id: 'SOL-USD' }] },
    ];
    const { elements = [] } = open().frame(message('ticker', 7, events), NOW);
    expect(elements.map((element) => (element as CoinbaseElement).id)).toEqual(['7', '7.1', '7.2']);
  });

  it.each([
    ['events that are no array', message('ticker', 1, 'x'), 'x'],
    ['an event without its list', message('ticker', 1, [{ type: 'update' }]), { type: 'update' }],
    ['an event that is null', message('market_trades', 1, [null]), null],
    ['a trade that is null', message('market_trades', 1, [{ trades: [null] }]), null],
    ['a candle that is a number', message('candles', 1, [{ candles: [5] }]), 5],
    ['a ticker that is null', message('ticker', 1, [{ tickers: [null] }]), null],
  ])('hands on what makes no sense, for it to be counted: %s', (_, frame, raw) => {
    expect(raws(open().frame(frame, NOW))).toEqual([raw]);
  });

  it('hands on a message of a channel that it does not know', () => {
    expect(open().frame(message('l2_data', 1, []), NOW).elements).toHaveLength(1);
  });
});

describe('candles', () => {
  const read = (session: ReturnType<typeof open>, sequence: number, candles: readonly unknown[]) => {
    const { elements = [] } = session.frame(message('candles', sequence, [{ type: 'update', candles }]), NOW);
    return elements.map((element) => {
      const { raw, isFinal } = element as CoinbaseElement;
      return [(raw as { start: string; close: string }).start, (raw as { close: string }).close, isFinal];
    });
  };

  it('are final once one with a later start appears, and what comes after that is a revision', () => {
    const session = open();
    expect(read(session, 0, [candle(1767623400, '2')])).toEqual([['1767623400', '2', false]]);
    expect(read(session, 1, [candle(1767623400, '3')])).toEqual([['1767623400', '3', false]]);
    expect(read(session, 2, [candle(1767623700, '4')])).toEqual([
      ['1767623400', '3', true],
      ['1767623700', '4', false],
    ]);
    expect(read(session, 3, [candle(1767623400, '5')])).toEqual([['1767623400', '5', true]]);
    expect(read(session, 4, [candle(1767623700, '6')])).toEqual([['1767623700', '6', false]]);
  });

  it('of a snapshot come oldest first, and all but the newest of each product are final', () => {
    const snapshot = [
      candle(1767624000),
      candle(1767623700),
      candle(1767623400),
      candle(1767623700, '1', 'ETH-USD'),
      candle(1767623400, '1', 'ETH-USD'),
    ];
    const { elements = [] } = open().frame(message('candles', 0, [{ type: 'snapshot', candles: snapshot }]), NOW);
    const of = (product: string) =>
      elements
        .map((element) => element as CoinbaseElement & { raw: { product_id: string; start: string } })
        .filter(({ raw }) => raw.product_id === product)
        .map(({ raw, isFinal }) => [raw.start, isFinal]);
    expect(of('BTC-USD')).toEqual([
      ['1767623400', true],
      ['1767623700', true],
      ['1767624000', false],
    ]);
    expect(of('ETH-USD')).toEqual([
      ['1767623400', true],
      ['1767623700', false],
    ]);
    expect(elements).toHaveLength(5);
  });

  it('that cannot be read are handed on once, and finish none', () => {
    const session = open();
    read(session, 0, [candle(1767623400, '2')]);
    expect(read(session, 1, [candle(1767623700, 'NaN'), candle(1767623400, '3')])).toEqual([
      ['1767623700', 'NaN', false],
      ['1767623400', '3', false],
    ]);
    expect(read(session, 2, [candle(1767623700, '4')])).toEqual([
      ['1767623400', '3', true],
      ['1767623700', '4', false],
    ]);
  });

  it('of one start that come twice in a message are both handed on', () => {
    const twice = [candle(1767623400, '2'), candle(1767623400, '3')];
    expect(read(open(), 0, twice)).toEqual([
      ['1767623400', '2', false],
      ['1767623400', '3', false],
    ]);
  });
});

describe('holes', () => {
  it('a jump of the sequence is a hole in every series, from its last record to the message after the jump', () => {
    const session = open();
    session.subscribe([TRADES, ETH, BARS], NOW);
    const all = { market_trades: ['BTC-USD', 'ETH-USD'], candles: ['BTC-USD'] };
    session.frame(message('subscriptions', 0, [{ subscriptions: all }], '2026-01-05T14:30:01Z'), NOW);
    const first = [{ trades: [trade(1, 'BTC-USD', '2026-01-05T14:30:02.25Z')] }];
    session.frame(message('market_trades', 1, first, '2026-01-05T14:30:02.5Z'), NOW);
    session.frame(message('candles', 2, [{ candles: [candle(1767623400)] }], '2026-01-05T14:30:03Z'), NOW);
    const { holes } = session.frame(message('heartbeats', 5, [], '2026-01-05T14:30:05Z'), NOW);
    const to = 1_767_623_405_000;
    expect(holes).toEqual([
      { series: BARS, from: 1_767_623_400_000, to },
      { series: TRADES, from: 1_767_623_402_250, to },
      // Nothing came for it yet: what was lost came after the message before the jump.
      { series: ETH, from: 1_767_623_403_000, to },
    ]);
  });

  it('there is none at the first message, at a duplicate or a late one, or for what is not subscribed', () => {
    const session = open();
    session.subscribe([TRADES], NOW);
    expect(session.frame(message('heartbeats', 5, []), NOW).holes).toBeUndefined();
    expect(session.frame(message('heartbeats', 9, []), NOW).holes).toEqual([]);
    session.frame(answer(10, { market_trades: ['BTC-USD'] }), NOW);
    for (const sequence of [11, 11, 8, 12]) {
      expect(session.frame(message('heartbeats', sequence, []), NOW).holes).toBeUndefined();
    }
    expect(session.frame(message('heartbeats', 14, []), NOW).holes).toHaveLength(1);
  });
});

describe('silence', () => {
  it('ends a connection without heartbeats', () => {
    const session = coinbaseSession();
    expect(session.opened(NOW).wakeAt).toBe(NOW + 10_000);
    session.frame(message('heartbeats', 0, []), NOW + 4_000);
    expect(session.timer(NOW + 10_000)).toEqual({ wakeAt: NOW + 14_000 });
    const { fail } = session.timer(NOW + 14_000);
    expect(fail).toBeInstanceOf(ProviderSilent);
    expect(fail?.message).toMatch(/no message for 10000 ms, though heartbeats come every second/);
  });

  it('is not found by a process that was too busy to read', () => {
    const session = open();
    expect(session.timer(NOW + 60_000)).toEqual({ wakeAt: NOW + 70_000 });
    expect(session.timer(NOW + 70_000).fail).toBeInstanceOf(ProviderSilent);
  });

  it('orders trades whose ids are too deep for the stack, or objects, as they came', () => {
    const session = coinbaseSession();
    session.opened(0);
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const trades = `[{"trade_id":${deep},"product_id":"BTC-USD"},{"trade_id":{"toString":1},"product_id":"BTC-USD"}]`;
    const message = `{"channel":"market_trades","sequence_num":1,"events":[{"type":"update","trades":${trades}}]}`;
    expect(session.frame(message, 0).elements).toHaveLength(2);
  });
});
