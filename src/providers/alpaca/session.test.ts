import { decode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import {
  BadCredentials,
  ConnectionLost,
  NotEntitled,
  type ProviderError,
  QuotaExceeded,
  UnknownInstrument,
} from '../providerErrors.js';
import type { Frame, Series, SessionStep } from '../session.js';
import type { AlpacaFeed } from './channels.js';
import { AlpacaSession, ANSWER_WITHIN_MS } from './session.js';

const NOW = 1_767_623_400_000;
const KEY = 'PKTEST';
const SECRET = 'hush';

const trade = (symbol: string): Series => ({ of: 'trade', symbol });
const quote = (symbol: string): Series => ({ of: 'quote', symbol });
const bar = (symbol: string, timeframe?: string): Series => ({ of: 'bar', symbol, ...(timeframe && { timeframe }) });

const success = (msg: string) => JSON.stringify([{ T: 'success', msg }]);
const error = (code: number, msg: string) => JSON.stringify([{ T: 'error', code, msg }]);
const subscription = (set: object) => JSON.stringify([{ T: 'subscription', ...set }]);
const sent = (step: SessionStep) => (step.send ?? []).map((frame: Frame) => JSON.parse(String(frame)));

function greeted(feed: AlpacaFeed = 'iex'): AlpacaSession {
  const session = new AlpacaSession({ key: KEY, secret: SECRET, feed, encoding: 'json' });
  expect(session.opened()).toEqual({});
  expect(sent(session.frame(success('connected'), NOW))).toEqual([{ action: 'auth', key: KEY, secret: SECRET }]);
  return session;
}

function loggedIn(feed?: AlpacaFeed): AlpacaSession {
  const session = greeted(feed);
  expect(session.frame(success('authenticated'), NOW)).toEqual({ isReady: true });
  return session;
}

describe('the login', () => {
  it('waits for the greeting, and is ready when it is accepted', () => {
    loggedIn();
  });

  it('speaks MessagePack if the options say so', () => {
    const session = new AlpacaSession({ key: KEY, secret: SECRET, feed: 'sip', encoding: 'msgpack' });
    const { send = [] } = session.frame(success('connected'), NOW);
    expect(send.map((frame) => decode(frame as Uint8Array))).toEqual([{ action: 'auth', key: KEY, secret: SECRET }]);
  });

  it('does not log in twice when it is greeted twice', () => {
    expect(greeted().frame(success('connected'), NOW)).toEqual({});
  });

  it.each<[number, string, new (...args: never[]) => ProviderError, boolean, number | undefined]>([
    [400, 'invalid syntax', ConnectionLost, true, undefined],
    [401, 'not authenticated', ConnectionLost, true, undefined],
    [402, 'auth failed', BadCredentials, false, undefined],
    [404, 'auth timeout', ConnectionLost, true, undefined],
    [406, 'connection limit exceeded', QuotaExceeded, true, 60_000],
    [407, 'slow client', ConnectionLost, true, undefined],
    [408, 'v2 not enabled', NotEntitled, false, undefined],
    [409, 'insufficient subscription', NotEntitled, false, undefined],
    [500, 'internal error', ConnectionLost, true, undefined],
    [499, 'something new', ConnectionLost, true, undefined],
  ])('ends at error %i, %s, with its words', (code, msg, kind, retryable, retryAfterMs) => {
    const { fail } = greeted().frame(error(code, msg), NOW);
    expect(fail).toBeInstanceOf(kind);
    expect(fail).toMatchObject({ retryable, retryAfterMs, cause: { T: 'error', code, msg } });
    expect(fail?.message).toMatch(new RegExp(`^alpaca: (?!alpaca).*\\(${code}: ${msg}\\)$`));
  });

  it('goes on at error 403, already authenticated', () => {
    expect(loggedIn().frame(error(403, 'already authenticated'), NOW)).toEqual({});
  });

  it('never shows the key or the secret in what it finds', () => {
    for (const code of [400, 402, 404, 406, 409, 500]) {
      const { fail } = greeted().frame(error(code, 'no'), NOW);
      expect(`${fail?.message} ${JSON.stringify(fail?.cause)}`).not.toMatch(/PKTEST|hush/);
    }
  });
});

describe('subscriptions', () => {
  it('ask for each series in its channels, minute bars with their revisions', () => {
    const step = loggedIn().subscribe([trade('AAPL'), quote('BRK.B'), bar('*'), bar('SPY', '1d')], NOW);
    expect(sent(step)).toEqual([
      {
        action: 'subscribe',
        trades: ['AAPL'],
        quotes: ['BRK.B'],
        bars: ['*'],
        updatedBars: ['*'],
        dailyBars: ['SPY'],
      },
    ]);
    expect(step.wakeAt).toBe(NOW + ANSWER_WITHIN_MS);
  });

  it('are confirmed one by one by the whole set', () => {
    const session = loggedIn();
    session.subscribe([trade('AAPL'), quote('AAPL'), bar('MSFT')], NOW);
    const answer = { trades: ['AAPL'], quotes: ['AAPL', 'IBM'], bars: ['MSFT'], updatedBars: [] };
    expect(session.frame(subscription(answer), NOW)).toEqual({
      confirmed: [trade('AAPL'), quote('AAPL'), bar('MSFT')],
      wakeAt: Number.POSITIVE_INFINITY,
    });
  });

  it('are confirmed by the wildcard', () => {
    const session = loggedIn();
    session.subscribe([bar('AAPL')], NOW);
    expect(session.frame(subscription({ bars: ['*'] }), NOW).confirmed).toEqual([bar('AAPL')]);
  });

  it('are not confirmed if the answer does not have them, and may be asked again', () => {
    const session = loggedIn();
    session.subscribe([trade('AAPL'), trade('GONE')], NOW);
    const step = session.frame(subscription({ trades: ['AAPL'] }), NOW);
    expect([step.confirmed, step.refused]).toEqual([[trade('AAPL')], undefined]);
    expect(sent(session.subscribe([trade('GONE')], NOW))).toEqual([{ action: 'subscribe', trades: ['GONE'] }]);
  });

  it('are under way one at a time, because an error does not name its cause', () => {
    const session = loggedIn();
    expect(sent(session.subscribe([trade('A')], NOW))).toHaveLength(1);
    expect(session.subscribe([trade('B')], NOW)).toEqual({});
    expect(session.unsubscribe([trade('A')], NOW)).toEqual({});
    const second = session.frame(subscription({ trades: ['A'] }), NOW + 5);
    expect(sent(second)).toEqual([{ action: 'subscribe', trades: ['B'] }]);
    expect(second.wakeAt).toBe(NOW + 5 + ANSWER_WITHIN_MS);
    // No longer wanted.
    expect(second.confirmed).toBeUndefined();
    const third = session.frame(subscription({ trades: ['A', 'B'] }), NOW);
    expect([third.confirmed, sent(third)]).toEqual([[trade('B')], [{ action: 'unsubscribe', trades: ['A'] }]]);
    expect(session.frame(subscription({ trades: ['B'] }), NOW)).toEqual({ wakeAt: Number.POSITIVE_INFINITY });
  });

  it('leave alone what is subscribed, and what is not', () => {
    const session = loggedIn();
    session.subscribe([trade('A')], NOW);
    session.frame(subscription({ trades: ['A'] }), NOW);
    expect(session.subscribe([trade('A')], NOW)).toEqual({});
    expect(session.unsubscribe([trade('B')], NOW)).toEqual({});
  });

  it('of thousands are several messages', () => {
    const session = loggedIn();
    const all = Array.from({ length: 2_500 }, (_, i) => quote(`S${i}`));
    const lengths: number[] = [];
    const confirmed: Series[] = [];
    let step = session.subscribe(all, NOW);
    const current: string[] = [];
    for (let [message] = sent(step); message; [message] = sent(step)) {
      lengths.push(message.quotes.length);
      current.push(...message.quotes);
      step = session.frame(subscription({ quotes: current }), NOW);
      confirmed.push(...(step.confirmed ?? []));
    }
    expect(lengths).toEqual([1_000, 1_000, 500]);
    expect(confirmed).toEqual(all);
  });

  it('end the connection if they are not answered at all', () => {
    const session = loggedIn();
    session.subscribe([trade('A')], NOW);
    expect(session.timer().fail).toBeInstanceOf(ConnectionLost);
    session.frame(subscription({ trades: ['A'] }), NOW);
    expect(session.timer()).toEqual({});
  });

  it('refuse what Alpaca does not stream without asking', () => {
    const { send, refused = [] } = loggedIn().subscribe([bar('A', '5m'), { of: 'option', symbol: 'A' }], NOW);
    expect(send).toBeUndefined();
    expect(refused.map((one) => one.error.message)).toEqual([
      'alpaca: the feed iex streams trades, quotes and bars of 1m and 1d, not bars (5m) of A',
      'alpaca: the feed iex streams trades, quotes and bars of 1m and 1d, not options of A',
    ]);
    expect(sent(loggedIn('test').subscribe([bar('FAKEPACA')], NOW))).toEqual([
      { action: 'subscribe', bars: ['FAKEPACA'] },
    ]);
    expect(loggedIn('test').subscribe([bar('FAKEPACA', '1d')], NOW).refused).toHaveLength(1);
  });
});

/** Alpaca, as far as subscriptions go: answers what a session sends until it sends nothing more. */
function dialogue(
  series: readonly Series[],
  judge: (asked: Record<string, string[]>, held: number) => [number, string] | undefined,
) {
  const session = loggedIn();
  const held: Record<string, string[]> = {};
  const found = { confirmed: [] as Series[], refused: [] as string[], errors: [] as ProviderError[], messages: 0 };
  let step = session.subscribe(series, NOW);
  for (let [message] = sent(step); message; [message] = sent(step)) {
    found.messages += 1;
    const { action: _, ...asked } = message as { action: string } & Record<string, string[]>;
    const fault = judge(asked as Record<string, string[]>, Object.values(held).flat().length);
    if (!fault)
      for (const [channel, symbols] of Object.entries(asked)) held[channel] = [...(held[channel] ?? []), ...symbols];
    step = session.frame(fault ? error(...fault) : subscription(held), NOW);
    expect(step.fail).toBeUndefined();
    found.confirmed.push(...(step.confirmed ?? []));
    found.refused.push(...(step.refused ?? []).map((one) => one.series.symbol));
    found.errors.push(...(step.refused ?? []).map((one) => one.error));
  }
  return found;
}

describe('errors of subscriptions', () => {
  it('are traced to the symbol that is at fault, and its neighbours are subscribed', () => {
    const series = Array.from({ length: 64 }, (_, i) => trade(i === 41 ? 'B!D' : `S${i}`));
    const found = dialogue(series, ({ trades = [] }) => (trades.includes('B!D') ? [400, 'invalid syntax'] : undefined));
    expect(found.refused).toEqual(['B!D']);
    expect(found.errors[0]).toBeInstanceOf(UnknownInstrument);
    expect(found.errors[0]?.message).toBe(
      'alpaca: trades of B!D: the subscription is not valid; is the symbol spelled as Alpaca does? (400: invalid syntax)',
    );
    expect(found.confirmed).toHaveLength(63);
    expect(found.messages).toBeLessThan(15);
  });

  it('of the symbol limit leave as many as the plan allows, and ask no further than needed', () => {
    const series = [...Array.from({ length: 100 }, (_, i) => trade(`S${i}`)), bar('AAPL')];
    const found = dialogue(series, ({ trades = [] }, held) =>
      held + trades.length > 30 ? [405, 'symbol limit exceeded'] : undefined,
    );
    expect(found.confirmed).toHaveLength(31);
    expect(found.confirmed).toContainEqual(bar('AAPL'));
    expect(found.refused).toHaveLength(70);
    expect(found.errors.every((one) => one instanceof QuotaExceeded)).toBe(true);
    expect(found.messages).toBeLessThan(25);
  });

  it.each<[number, string, new (...args: never[]) => ProviderError]>([
    [409, 'insufficient subscription', NotEntitled],
    [410, 'invalid subscribe action for this feed', UnknownInstrument],
    [455, 'something new', UnknownInstrument],
  ])('%i refuse the series', (code, msg, kind) => {
    const found = dialogue([quote('A')], () => [code, msg]);
    expect(found.refused).toEqual(['A']);
    expect(found.errors[0]).toBeInstanceOf(kind);
  });

  it.each([
    [406, 'connection limit exceeded', QuotaExceeded],
    [407, 'slow client', ConnectionLost],
    [500, 'internal error', ConnectionLost],
  ] as const)('%i end the connection, and say so', (code, msg, kind) => {
    const session = loggedIn();
    session.subscribe([quote('A')], NOW);
    const { fail, notices = [], refused } = session.frame(error(code, msg), NOW);
    expect(fail).toBeInstanceOf(kind);
    expect(notices[0]).toContain(msg);
    expect(refused).toBeUndefined();
  });

  it('that nobody asked for are reported', () => {
    expect(loggedIn().frame(error(400, 'invalid syntax'), NOW)).toEqual({
      notices: ['the subscription is not valid; is the symbol spelled as Alpaca does? (400: invalid syntax)'],
    });
  });

  it('of an unsubscription are reported, and the next request follows', () => {
    const session = loggedIn();
    session.subscribe([trade('A')], NOW);
    session.frame(subscription({ trades: ['A'] }), NOW);
    session.unsubscribe([trade('A')], NOW);
    session.subscribe([trade('B')], NOW);
    const step = session.frame(error(400, 'invalid syntax'), NOW);
    expect([step.notices?.length, step.refused, sent(step)]).toEqual([
      1,
      undefined,
      [{ action: 'subscribe', trades: ['B'] }],
    ]);
  });
});

describe('frames', () => {
  it('give their data elements in order, whatever control messages are among them', () => {
    const session = loggedIn();
    session.subscribe([trade('A')], NOW);
    const frame = JSON.stringify([{ T: 't', S: 'A' }, 7, { T: 'subscription', trades: ['A'] }, { T: 'q' }]);
    expect(session.frame(frame, NOW)).toMatchObject({
      elements: [{ T: 't', S: 'A' }, 7, { T: 'q' }],
      confirmed: [trade('A')],
    });
  });

  it.each(['{"T":"t"}', 'nonsense', '', '3'])('that make no sense end the connection: %j', (frame) => {
    expect(loggedIn().frame(frame, NOW).fail).toBeInstanceOf(ConnectionLost);
  });

  it('keep the elements before an error that ends the connection', () => {
    const frame = JSON.stringify([
      { T: 't', S: 'A' },
      { T: 'error', code: 407, msg: 'slow client' },
    ]);
    const step = loggedIn().frame(frame, NOW);
    expect(step.elements).toEqual([{ T: 't', S: 'A' }]);
    expect(step.fail).toBeInstanceOf(ConnectionLost);
  });
});
