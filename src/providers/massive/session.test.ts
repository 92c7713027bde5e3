import { describe, expect, it } from 'vitest';
import type { ProviderError } from '../providerErrors.js';
import type { ProviderSession, Series, SessionStep } from '../session.js';
import type { MassiveMarket } from './markets.js';
import { massiveNormaliser } from './normalise/normaliser.js';
import { MAX_SLOTS, MassiveSession } from './session.js';

const KEY = 'k3y';
const NOW = 1_767_623_460_250;
const CONFIRM_MS = 10_000;
/** The waits of a session with that patience. */
const SETTLE_MS = 1_500;
const SILENT_MS = 2_500;

const status = (name: string, message = '') => ({ ev: 'status', status: name, message });
const ack = (slot: string) => status('success', `subscribed to: ${slot}`);
const REFUSED = status('error', 'not authorized');
const trade = (symbol: string): Series => ({ of: 'trade', symbol });
const quote = (symbol: string): Series => ({ of: 'quote', symbol });
const bar = (symbol: string, timeframe = '1m'): Series => ({ of: 'bar', symbol, timeframe });

function say(session: ProviderSession, ...elements: unknown[]): SessionStep {
  return session.frame(JSON.stringify(elements), NOW);
}

function ready(market: MassiveMarket = 'stocks'): ProviderSession {
  const session = new MassiveSession({ key: KEY, market, confirmAfterMs: CONFIRM_MS });
  session.opened();
  say(session, status('connected', 'Connected Successfully'));
  say(session, status('auth_success', 'authenticated'));
  return session;
}

/** What a step sends: the action and the slots of each frame. */
function sent({ send = [] }: SessionStep): unknown[] {
  return send.map((frame) => {
    const { action, params } = JSON.parse(String(frame)) as { readonly action: string; readonly params: string };
    return `${action} ${params}`;
  });
}

function failure(step: SessionStep): Pick<ProviderError, 'code' | 'message' | 'retryable' | 'retryAfterMs' | 'cause'> {
  expect(step.fail).toBeDefined();
  const { code, message, retryable, retryAfterMs, cause } = step.fail!;
  return { code, message, retryable, retryAfterMs, cause };
}

const refusals = ({ refused = [] }: SessionStep) => refused.map(({ series, error }) => [series.symbol, error.code]);

describe('the login', () => {
  it('follows the greeting, and subscriptions follow it', () => {
    const session = new MassiveSession({ key: KEY, market: 'stocks', confirmAfterMs: CONFIRM_MS });
    expect(session.opened()).toEqual({});
    expect(say(session, status('connected', 'Connected Successfully'))).toEqual({
      send: ['{"action":"auth","params":"k3y"}'],
    });
    expect(say(session, status('auth_success', 'authenticated'))).toEqual({ isReady: true });
    expect(sent(session.subscribe([bar('AAPL')], NOW))).toEqual(['subscribe AM.AAPL']);
  });

  it('is not repeated when the greeting is', () => {
    expect(say(ready(), status('connected'))).toEqual({});
  });

  it.each<[string, string, object]>([
    [
      'auth_failed',
      'authentication failed',
      {
        code: 'SLUICE_BAD_CREDENTIALS',
        retryable: false,
        message: 'massive: the key was rejected: authentication failed',
        cause: 'authentication failed',
      },
    ],
    [
      'auth_failed',
      "Your plan doesn't include websocket access. Visit https://massive.com/pricing to upgrade.",
      {
        code: 'SLUICE_NOT_ENTITLED',
        retryable: false,
        cause: "Your plan doesn't include websocket access. Visit https://massive.com/pricing to upgrade.",
      },
    ],
    ['auth_timeout', 'No authentication request received.', { code: 'SLUICE_CONNECTION_LOST', retryable: true }],
    [
      'max_connections',
      'Maximum number of websocket connections exceeded.',
      { code: 'SLUICE_QUOTA_EXCEEDED', retryable: true, retryAfterMs: 60_000 },
    ],
  ])('fails at %s: %s', (name, words, expected) => {
    const session = new MassiveSession({ key: KEY, market: 'stocks', confirmAfterMs: CONFIRM_MS });
    expect(failure(say(session, status(name, words)))).toMatchObject(expected);
  });

  it('fails at max_connections also after it has subscribed, with the records of the same frame', () => {
    const session = ready();
    session.subscribe([trade('AAPL')], NOW);
    const step = say(session, ack('T.AAPL'), { ev: 'T' }, status('max_connections', 'Maximum number exceeded'));
    expect(step).toMatchObject({ elements: [{ ev: 'T' }], confirmed: [trade('AAPL')] });
    expect(failure(step).code).toBe('SLUICE_QUOTA_EXCEEDED');
  });
});

describe('frames', () => {
  it.each<[string | Uint8Array, string]>([
    ['', 'massive: a frame is not JSON: Unexpected end of JSON input'],
    ['[{"ev":"T"', 'massive: a frame is not JSON: '],
    ['{"ev":"status"}', 'massive: a frame is not an array'],
    ['null', 'massive: a frame is not an array'],
    [new Uint8Array([91, 93]), 'massive: a binary frame came, and the vendor sends text only'],
  ])('that are none, such as %j, end the connection', (frame, words) => {
    expect(failure(ready().frame(frame, NOW))).toMatchObject({
      code: 'SLUICE_CONNECTION_LOST',
      message: expect.stringContaining(words),
    });
  });

  it('hand on everything that is no status, whatever it is', () => {
    const others = [{ ev: 'T' }, null, 7, [], { ev: 'ZZ' }, { ev: { toString: 1, valueOf: 1 } }];
    expect(say(ready(), ...others)).toEqual({ elements: others });
    expect(say(ready(), null, status('warning', 'be kind'), { ev: 'Q' })).toEqual({
      elements: [null, { ev: 'Q' }],
      notices: ['warning: be kind'],
    });
  });

  it('give each bar a higher version, so that of two states in one frame the later one wins', () => {
    const state = { ev: 'AM', sym: 'AAPL', o: 1, h: 2, l: 1, c: 2, v: 10, s: 1_767_623_400_000 };
    const session = ready();
    const { elements } = say(session, state, { ...state, v: 11 });
    const later = say(session, { ...state, v: 12 });
    const records = [...elements!, ...later.elements!].map((one) => massiveNormaliser('stocks')(one, NOW));
    expect(records).toMatchObject([
      { volume: 10, seq: NOW * 1_000 },
      { volume: 11, seq: NOW * 1_000 + 1 },
      { volume: 12, seq: NOW * 1_000 + 2 },
    ]);
    // What is diverted is as it came.
    expect(JSON.stringify(elements![0])).toBe(JSON.stringify(state));
  });
});

describe('subscriptions', () => {
  it('are confirmed one by one, also several in a frame among data', () => {
    const session = ready();
    session.subscribe([trade('AAPL'), trade('BRK.B'), trade('*')], NOW);
    expect(say(session, ack('T.AAPL'), { ev: 'T', sym: 'AAPL' }, ack('T.BRK.B'))).toEqual({
      elements: [{ ev: 'T', sym: 'AAPL' }],
      confirmed: [trade('AAPL'), trade('BRK.B')],
      wakeAt: NOW + SILENT_MS,
    });
    expect(say(session, ack('T.*'))).toEqual({ confirmed: [trade('*')], wakeAt: Number.POSITIVE_INFINITY });
  });

  it('are asked a channel at a time, the next when the one before is answered', () => {
    const session = ready();
    const step = session.subscribe([bar('A'), bar('B', '1s'), trade('A'), bar('C')], NOW);
    expect([sent(step), step.wakeAt]).toEqual([['subscribe AM.A,AM.C'], NOW + SILENT_MS]);
    expect(sent(say(session, ack('AM.A')))).toEqual([]);
    expect(sent(say(session, ack('AM.C')))).toEqual(['subscribe A.B']);
    expect(sent(say(session, ack('A.B')))).toEqual(['subscribe T.A']);
  });

  it('of many symbols are several messages', () => {
    const session = ready();
    const symbols = Array.from({ length: MAX_SLOTS + 1 }, (_, i) => `S${i}`);
    const [first] = sent(session.subscribe(symbols.map(trade), NOW)) as [string];
    expect(first.split(',')).toHaveLength(MAX_SLOTS);
    const acks = symbols.slice(0, MAX_SLOTS).map((symbol) => ack(`T.${symbol}`));
    expect(sent(say(session, ...acks))).toEqual([`subscribe T.S${MAX_SLOTS}`]);
  });

  it('that are held are never asked again, because that is not answered', () => {
    const session = ready();
    session.subscribe([trade('A')], NOW);
    expect(sent(session.subscribe([trade('A')], NOW))).toEqual([]);
    expect(say(session, ack('T.A'))).toMatchObject({ confirmed: [trade('A')] });
    expect(sent(session.subscribe([trade('A'), trade('B')], NOW))).toEqual(['subscribe T.B']);
  });

  it('that are no longer wanted are taken back, those that still wait without a word', () => {
    const session = ready();
    session.subscribe([trade('A'), quote('A'), quote('B')], NOW);
    expect(sent(session.unsubscribe([trade('A'), quote('B'), quote('never asked')], NOW))).toEqual(['unsubscribe T.A']);
    expect(sent(say(session, ack('T.A')))).toEqual(['subscribe Q.A']);
    say(session, ack('Q.A'), status('success', 'unsubscribed to: T.A'));
    expect(sent(session.subscribe([trade('A')], NOW))).toEqual(['subscribe T.A']);
  });

  it.each<[MassiveMarket, Series, string]>([
    ['options', quote('O:SPY261218C00600000'), 'Q.O:SPY261218C00600000'],
    ['indices', bar('I:SPX'), 'AM.I:SPX'],
    ['forex', quote('EUR/USD'), 'C.EUR/USD'],
    ['forex', bar('EUR/USD'), 'CA.EUR/USD'],
    ['forex', bar('EUR/USD', '1s'), 'CAS.EUR/USD'],
    ['crypto', trade('BTC-USD'), 'XT.BTC-USD'],
    ['crypto', quote('BTC-USD'), 'XQ.BTC-USD'],
    ['crypto', bar('BTC-USD'), 'XA.BTC-USD'],
    ['crypto', bar('BTC-USD', '1s'), 'XAS.BTC-USD'],
    ['futures', trade('CLZ6'), 'T.CLZ6'],
  ])('of %s for %j are %s', (market, series, slot) => {
    const session = ready(market);
    expect(sent(session.subscribe([series], NOW))).toEqual([`subscribe ${slot}`]);
    expect(say(session, ack(slot.replace('/', '-')))).toMatchObject({ confirmed: [series] });
  });

  it.each<[MassiveMarket, Series, string]>([
    ['indices', trade('I:SPX'), 'the market indices has bar, and bars of 1m and 1s'],
    ['stocks', bar('AAPL', '5m'), 'the market stocks has bar, trade, quote, and bars of 1m and 1s'],
    ['stocks', { of: 'news', symbol: 'AAPL' }, 'the market stocks has bar, trade, quote'],
    ['stocks', trade('AAPL,MSFT'), 'a symbol must not contain blanks or commas'],
    ['options', quote('*'), 'the quotes of options have no wildcard: name up to 1000 contracts'],
    ['forex', quote('EUR-USD'), 'the records of a pair are spelled with a slash, as EUR/USD'],
    ['crypto', trade('X:BTCUSD'), 'the records of a pair are spelled with a dash, as BTC-USD'],
  ])('of %s for %j are refused before they are asked', (market, series, words) => {
    const step = ready(market).subscribe([series], NOW);
    expect(step.send).toBeUndefined();
    expect(step.refused).toMatchObject([{ series, error: { code: 'SLUICE_UNKNOWN_INSTRUMENT' } }]);
    expect(step.refused![0]!.error.message).toContain(words);
  });

  it('to quotes of options are 1,000 at most', () => {
    const session = ready('options');
    const series = Array.from({ length: 1_001 }, (_, i) => quote(`O:SPY261218C${String(i).padStart(8, '0')}`));
    expect(refusals(session.subscribe(series, NOW))).toEqual([['O:SPY261218C00001000', 'SLUICE_QUOTA_EXCEEDED']]);
    session.unsubscribe(series.slice(0, 1), NOW);
    expect(refusals(session.subscribe(series.slice(1_000), NOW))).toEqual([]);
  });
});

describe('a refusal, which names no slot', () => {
  it('is of the one slot that is asked', () => {
    const session = ready();
    session.subscribe([trade('A')], NOW);
    const step = say(session, REFUSED);
    expect(step.refused).toMatchObject([
      {
        series: trade('A'),
        error: {
          code: 'SLUICE_NOT_ENTITLED',
          retryable: false,
          message: 'massive: the subscription to T.A was refused: not authorized',
          cause: 'not authorized',
        },
      },
    ]);
  });

  it('is of what is left when all others are acknowledged, in any order', () => {
    const session = ready();
    session.subscribe([trade('A'), trade('B'), trade('C'), quote('A')], NOW);
    expect(say(session, ack('T.A'), REFUSED)).toEqual({ confirmed: [trade('A')], wakeAt: NOW + SETTLE_MS });
    const step = say(session, ack('T.C'));
    expect(refusals(step)).toEqual([['B', 'SLUICE_NOT_ENTITLED']]);
    expect(sent(step)).toEqual(['subscribe Q.A']);
  });

  it('stands for all slots of a request of which none was acknowledged', () => {
    const session = ready();
    session.subscribe([trade('A'), trade('B'), trade('C')], NOW);
    expect(refusals(say(session, REFUSED))).toEqual([]);
    expect(refusals(session.timer(NOW + SETTLE_MS))).toEqual([
      ['A', 'SLUICE_NOT_ENTITLED'],
      ['B', 'SLUICE_NOT_ENTITLED'],
      ['C', 'SLUICE_NOT_ENTITLED'],
    ]);
  });

  it('is asked again in halves where it may stand for several', () => {
    const session = ready();
    session.subscribe(['A', 'B', 'C', 'D'].map(trade), NOW);
    expect(say(session, ack('T.A'), REFUSED).wakeAt).toBe(NOW + SETTLE_MS);
    const first = session.timer(NOW + SETTLE_MS);
    expect([sent(first), first.confirmed]).toEqual([['subscribe T.B,T.C'], []]);
    // The acknowledgement of C was only late, and is not sent twice.
    expect(say(session, ack('T.C'))).toMatchObject({ confirmed: [trade('C')] });
    const second = say(session, REFUSED);
    expect([refusals(second), sent(second)]).toEqual([[['B', 'SLUICE_NOT_ENTITLED']], ['subscribe T.D']]);
    expect(refusals(say(session, REFUSED))).toEqual([['D', 'SLUICE_NOT_ENTITLED']]);
    // What was refused may be asked again.
    expect(sent(session.subscribe([trade('B')], NOW))).toEqual(['subscribe T.B']);
  });

  it('of something else than the entitlement is an unknown instrument, in the words of the vendor', () => {
    const session = ready();
    session.subscribe([trade('A')], NOW);
    expect(say(session, status('error', 'invalid params')).refused).toMatchObject([
      { error: { code: 'SLUICE_UNKNOWN_INSTRUMENT', cause: 'invalid params' } },
    ]);
  });

  it('is a notice while nothing is asked', () => {
    expect(say(ready(), REFUSED)).toEqual({ notices: ['error: not authorized'] });
  });

  it('of a slot that is no longer wanted is not blamed on another', () => {
    const session = ready();
    session.subscribe([trade('A'), trade('B')], NOW);
    session.unsubscribe([trade('B')], NOW);
    expect(refusals(say(session, REFUSED))).toEqual([]);
    expect(say(session, ack('T.A'))).toMatchObject({ confirmed: [trade('A')] });
  });
});

describe('silence', () => {
  it('after a request lets the next one be asked, and is the stream’s to judge', () => {
    const session = ready();
    session.subscribe([trade('A'), quote('A')], NOW);
    const step = session.timer(NOW + SILENT_MS);
    expect([sent(step), step.confirmed, step.refused]).toEqual([['subscribe Q.A'], [], undefined]);
    expect(say(session, ack('Q.A'))).toMatchObject({ confirmed: [quote('A')] });
    expect(say(session, ack('T.A'))).toMatchObject({ confirmed: [trade('A')] });
  });

  it('after the last request says nothing, so that the time for a confirmation passes', () => {
    const session = ready();
    session.subscribe([trade('A')], NOW);
    expect(session.timer(NOW + SILENT_MS)).toEqual({ wakeAt: Number.POSITIVE_INFINITY });
    expect(session.timer(NOW + SILENT_MS)).toEqual({});
  });

  it('makes a later error nobody’s: all that is open is asked again, each alone', () => {
    const session = ready();
    session.subscribe([trade('A'), trade('B'), quote('A')], NOW);
    session.timer(NOW + SILENT_MS);
    // Of T.A, whatever is asked now.
    expect(say(session, REFUSED)).toEqual({ wakeAt: NOW + SETTLE_MS });
    const acknowledged = say(session, ack('Q.A'));
    expect([acknowledged.confirmed, sent(acknowledged)]).toEqual([[quote('A')], ['subscribe T.A']]);
    const refused = say(session, REFUSED);
    expect([refusals(refused), sent(refused)]).toEqual([[['A', 'SLUICE_NOT_ENTITLED']], ['subscribe T.B']]);
    expect(say(session, ack('T.B')).confirmed).toEqual([trade('B')]);
  });

  it('and an error without an acknowledgement leave both open', () => {
    const session = ready();
    session.subscribe([trade('A'), quote('A')], NOW);
    session.timer(NOW + SILENT_MS);
    say(session, REFUSED);
    const step = session.timer(NOW + SILENT_MS + SETTLE_MS);
    expect([refusals(step), sent(step), step.confirmed]).toEqual([[], ['subscribe T.A'], []]);
    // What comes in the meantime is not asked again.
    expect(say(session, ack('Q.A')).confirmed).toEqual([quote('A')]);
    const refused = say(session, REFUSED);
    expect([refusals(refused), sent(refused)]).toEqual([[['A', 'SLUICE_NOT_ENTITLED']], []]);
  });

  it('that an error ends while nothing is asked makes it ask again, once', () => {
    const session = ready();
    session.subscribe([trade('A')], NOW);
    session.timer(NOW + SILENT_MS);
    const again = say(session, REFUSED);
    expect([refusals(again), sent(again)]).toEqual([[], ['subscribe T.A']]);
    session.timer(NOW + 2 * SILENT_MS);
    expect(refusals(say(session, REFUSED))).toEqual([['A', 'SLUICE_NOT_ENTITLED']]);
    expect(say(session, REFUSED)).toEqual({ notices: ['error: not authorized'] });
  });

  it('of a request that is never answered ends each slot’s questions after one more', () => {
    const session = ready();
    session.subscribe([trade('A'), quote('A')], NOW);
    session.timer(NOW + SILENT_MS);
    say(session, REFUSED);
    expect(sent(session.timer(NOW))).toEqual(['subscribe T.A']);
    expect(sent(session.timer(NOW))).toEqual(['subscribe Q.A']);
    say(session, REFUSED);
    const last = session.timer(NOW);
    expect([refusals(last), sent(last)]).toEqual([[['A', 'SLUICE_NOT_ENTITLED']], []]);
  });
});

describe('an acknowledgement after a refusal', () => {
  it('counts, whatever was said before', () => {
    const session = ready();
    session.subscribe([trade('A')], NOW);
    expect(refusals(say(session, REFUSED))).toEqual([['A', 'SLUICE_NOT_ENTITLED']]);
    expect(say(session, ack('T.A'))).toEqual({ confirmed: [trade('A')] });
    // It is held: it is not asked again, and is taken back.
    expect(sent(session.subscribe([trade('A')], NOW))).toEqual([]);
    expect(sent(session.unsubscribe([trade('A')], NOW))).toEqual(['unsubscribe T.A']);
  });

  it('of what is no longer wanted does not bring it back', () => {
    const session = ready();
    session.subscribe([trade('A')], NOW);
    say(session, REFUSED);
    session.unsubscribe([trade('A')], NOW);
    expect(say(session, ack('T.A')).confirmed).toBeUndefined();
  });
});
