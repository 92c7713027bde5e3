import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Bar } from '../../../market/bar.js';
import type { Quote } from '../../../market/quote.js';
import type { Trade } from '../../../market/trade.js';
import type { FakeMassive, FakeMassiveConfig } from './fakeMassive.js';
import { startFakeMassive } from './startFakeMassive.js';

const TS = Date.parse('2026-01-05T14:30:12.083Z') + 0.456;

const TRADE: Trade = {
  kind: 'trade',
  vendor: 'sim',
  symbol: 'AAPL',
  ts: TS,
  price: 227.05,
  size: 100,
  id: '4:71675577320245:202',
  conditions: ['14', '41'],
};
const QUOTE: Quote = {
  kind: 'quote',
  vendor: 'sim',
  symbol: 'AAPL',
  ts: TS,
  bid: 227.04,
  bidSize: 3,
  ask: null,
  askSize: null,
  id: '1061',
  bidVenue: '12',
};
const BAR: Bar = {
  kind: 'bar',
  vendor: 'sim',
  symbol: 'AAPL',
  timeframe: '1m',
  ts: Date.parse('2026-01-05T14:30:00Z'),
  open: 227,
  high: 228,
  low: 226.5,
  close: 227.5,
  volume: 1_200.5,
  vwap: 227.25,
};

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function start(config: FakeMassiveConfig = {}): Promise<FakeMassive> {
  const venue = await startFakeMassive(config);
  open.push(() => venue.close());
  return venue;
}

type Message = Readonly<Record<string, unknown>>;

/** A client after the vendor's documentation, which knows nothing of ours. It hears frames one by one. */
function client(venue: FakeMassive, cluster = 'stocks') {
  const socket = new WebSocket(`${venue.url}/${cluster}`);
  open.push(() => socket.terminate());
  const frames: (readonly Message[])[] = [];
  const waiting: (() => void)[] = [];
  const wake = () => {
    for (const one of waiting.splice(0)) one();
  };
  const state = { closed: undefined as number | undefined };
  socket.on('message', (data: Buffer) => {
    frames.push(JSON.parse(data.toString()) as readonly Message[]);
    wake();
  });
  socket.on('close', (code: number) => {
    state.closed = code;
    wake();
  });
  socket.on('error', () => {});
  const next = async (): Promise<readonly Message[] | undefined> => {
    while (frames.length === 0 && state.closed === undefined) await new Promise<void>((done) => waiting.push(done));
    return frames.shift();
  };
  const say = (action: string, params: string) => socket.send(JSON.stringify({ action, params }));
  return {
    next,
    state,
    say,
    raw: (text: string) => socket.send(text),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    ping: () => socket.ping(),
    pong: () => new Promise<void>((resolve) => socket.on('pong', () => resolve())),
    async login(key = venue.secret) {
      await next();
      say('auth', key);
      return next();
    },
  };
}

const ack = (slot: string) => ({ ev: 'status', status: 'success', message: `subscribed to: ${slot}` });
const refusal = { ev: 'status', status: 'error', message: 'not authorized' };

describe('the fake of Massive, to a client that is not ours', () => {
  it('greets, takes the key, and acknowledges each slot, several in a frame', async () => {
    const venue = await start({ acksPerFrame: 2 });
    const one = client(venue);
    expect(await one.next()).toEqual([{ ev: 'status', status: 'connected', message: 'Connected Successfully' }]);
    one.say('auth', venue.secret);
    expect(await one.next()).toEqual([{ ev: 'status', status: 'auth_success', message: 'authenticated' }]);
    one.say('subscribe', 'AM.AAPL,AM.*,T.BRK.B');
    expect([await one.next(), await one.next()]).toEqual([[ack('AM.AAPL'), ack('AM.*')], [ack('T.BRK.B')]]);
    one.say('unsubscribe', 'AM.*,T.never');
    expect(await one.next()).toEqual([{ ev: 'status', status: 'success', message: 'unsubscribed to: AM.*' }]);
    expect([venue.connections, venue.logins, venue.subscriptions]).toEqual([1, 1, ['AM.AAPL', 'T.BRK.B']]);
  });

  it('answers neither an unknown channel, nor a symbol that it ignores, nor what is held already', async () => {
    const venue = await start();
    venue.ignoreSymbol('IBM');
    const one = client(venue);
    await one.login();
    one.say('subscribe', 'ZZ.AAPL,XT.BTC-USD,T.IBM,T,T.AAPL');
    expect(await one.next()).toEqual([ack('T.AAPL')]);
    one.say('subscribe', 'T.AAPL');
    one.say('subscribe', 'Q.AAPL');
    expect(await one.next()).toEqual([ack('Q.AAPL')]);
  });

  it.each([
    ['perSlot', [ack('T.A'), refusal, ack('T.C'), refusal]],
    ['perRequest', [ack('T.A'), refusal, ack('T.C')]],
  ] as const)('refuses without naming a slot, %s, and serves the others', async (errors, expected) => {
    const venue = await start({ errors });
    venue.refuseSymbol('B');
    venue.refuseSlot('T.D');
    const one = client(venue);
    await one.login();
    one.say('subscribe', 'T.A,T.B,T.C,T.D');
    expect(await one.next()).toEqual(expected);
  });

  it('sends mixed channels in one frame, with times in milliseconds and fractions as texts', async () => {
    const venue = await start();
    const one = client(venue);
    await one.login();
    one.say('subscribe', 'AM.AAPL,T.AAPL,Q.AAPL');
    await one.next();
    venue.publish([BAR, { ...TRADE, size: 0.25 }, QUOTE, { ...QUOTE, symbol: 'MSFT' }]);
    const t = Math.floor(TS);
    expect(await one.next()).toMatchObject([
      { ev: 'AM', sym: 'AAPL', o: 227, h: 228, l: 226.5, c: 227.5, v: 1_200, dv: '1200.5', vw: 227.25, s: BAR.ts },
      { ev: 'T', sym: 'AAPL', x: 4, i: '71675577320245', trfi: 202, p: 227.05, s: 0, ds: '0.25', c: [14, 41], t },
      { ev: 'Q', sym: 'AAPL', bx: 12, bp: 227.04, bs: 3, ap: 0, as: 0, t, q: 1_061 },
    ]);
  });

  it('puts an element among others that it would never send, and a frame of any size', async () => {
    const venue = await start();
    const one = client(venue);
    await one.login();
    one.say('subscribe', 'T.AAPL');
    await one.next();
    venue.publishMalformed([TRADE, TRADE], 1);
    expect(await one.next()).toMatchObject([{ p: 227.05 }, { p: 'nonsense' }, { p: 227.05 }]);
    venue.publishMalformed([], 0);
    expect(await one.next()).toMatchObject([{ ev: 'ZZ' }]);
    venue.send(`[${JSON.stringify('x'.repeat(2_000_000))}]`);
    expect((await one.next())![0]).toHaveLength(2_000_000);
  });

  it.each([
    ['credentials', 'authentication failed'],
    ['entitlement', "Your plan doesn't include websocket access. Visit https://massive.com/pricing to upgrade."],
  ] as const)('rejects a login for %s, and ends without a close frame', async (why, message) => {
    const venue = await start();
    venue.rejectLogins(why);
    const one = client(venue);
    expect(await one.login()).toEqual([{ ev: 'status', status: 'auth_failed', message }]);
    expect(await one.next()).toBeUndefined();
    expect(one.state.closed).toBe(1006);
    venue.rejectLogins(undefined);
    expect((await client(venue).login('wrong'))![0]!.message).toBe('authentication failed');
  });

  it('waits for a login only so long, and takes nothing before it', async () => {
    const venue = await start({ authTimeoutMs: 30 });
    const one = client(venue);
    await one.next();
    one.say('subscribe', 'T.AAPL');
    one.raw('nonsense');
    expect(await one.next()).toMatchObject([{ status: 'error' }]);
    expect(await one.next()).toMatchObject([{ status: 'error' }]);
    expect(await one.next()).toMatchObject([
      { status: 'auth_timeout', message: 'No authentication request received.' },
    ]);
    expect(await one.next()).toBeUndefined();
    expect(venue.subscriptions).toEqual([]);
  });

  it.each(['login', 'subscription'] as const)(
    'lets one connection too many in, and refuses it after its %s, whatever its cluster',
    async (quotaAfter) => {
      const venue = await start({ quotaAfter });
      venue.limitConnections(1, 'newer');
      const first = client(venue);
      await first.login();
      const second = client(venue, 'crypto');
      expect(await second.login()).toMatchObject([{ status: 'auth_success' }]);
      if (quotaAfter === 'subscription') {
        second.say('subscribe', 'XT.BTC-USD');
        expect(await second.next()).toEqual([ack('XT.BTC-USD')]);
      }
      expect(await second.next()).toMatchObject([{ status: 'max_connections' }]);
      expect(await second.next()).toBeUndefined();
      expect(second.state.closed).toBe(1008);
      expect(first.state.closed).toBeUndefined();
    },
  );

  it('evicts the older connection for the newer one', async () => {
    const venue = await start();
    venue.limitConnections(1, 'older');
    const first = client(venue);
    await first.login();
    const second = client(venue);
    expect(await second.login()).toMatchObject([{ status: 'auth_success' }]);
    expect(await first.next()).toMatchObject([{ status: 'max_connections' }]);
    expect(await first.next()).toBeUndefined();
    expect(first.state.closed).toBe(1008);
  });

  it('kills a client that does not read, without a word', async () => {
    const venue = await start();
    venue.limitBuffer(1_000_000);
    const one = client(venue);
    await one.login();
    one.pause();
    for (let i = 0; i < 30; i += 1) venue.send(`[${JSON.stringify('x'.repeat(1_000_000))}]`);
    await venue.until(({ connections }) => connections === 0);
    one.resume();
    while ((await one.next()) !== undefined);
    expect(one.state.closed).toBe(1006);
  });

  it('answers pings until it is mute, and then nothing', async () => {
    const venue = await start();
    const one = client(venue);
    await one.login();
    one.ping();
    await one.pong();
    venue.mute(true);
    one.say('subscribe', 'T.AAPL');
    one.ping();
    venue.mute(false);
    const other = client(venue);
    await other.login();
    other.say('subscribe', 'Q.AAPL');
    expect(await other.next()).toEqual([ack('Q.AAPL')]);
    expect(venue.subscriptions).toEqual(['Q.AAPL']);
  });

  it('has 1,000 quotes of options per connection, no wildcard for them, and no other clusters', async () => {
    const venue = await start({ acksPerFrame: 2_000 });
    const one = client(venue, 'options');
    await one.login();
    one.say('subscribe', Array.from({ length: 1_001 }, (_, i) => `Q.O:A261218C${i}`).join());
    const answer = await one.next();
    expect([answer!.length, answer![1_000]]).toEqual([1_001, refusal]);
    one.say('subscribe', 'Q.*,T.*');
    expect(await one.next()).toEqual([refusal, ack('T.*')]);
    const bonds = client(venue, 'bonds');
    expect(await bonds.next()).toBeUndefined();
  });
});

describe('its REST side', () => {
  const ask = async (venue: FakeMassive, path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${venue.restUrl}${path}`, { headers });
    const text = await response.text();
    return { status: response.status, text, body: JSON.parse(text) as Record<string, unknown> };
  };

  it('takes the key in a header or in the address, and repeats it nowhere', async () => {
    const venue = await start();
    venue.limitPages(1);
    venue.remember([BAR, { ...BAR, ts: BAR.ts + 60_000 }]);
    const path = `/v2/aggs/ticker/AAPL/range/1/minute/${BAR.ts}/${BAR.ts + 3_600_000}`;
    const first = await ask(venue, `${path}?apiKey=${venue.secret}`);
    expect(first.body).toMatchObject({
      status: 'OK',
      ticker: 'AAPL',
      resultsCount: 1,
      results: [{ t: BAR.ts }],
    });
    expect(JSON.stringify([first.text, venue.requests])).not.toContain(venue.secret);
    const next = new URL(first.body.next_url as string);
    const second = await ask(venue, next.pathname + next.search, { authorization: `Bearer ${venue.secret}` });
    expect(second.body).toMatchObject({ results: [{ t: BAR.ts + 60_000 }] });
    expect(second.body).not.toHaveProperty('next_url');
    const empty = await ask(venue, `/v2/aggs/ticker/IBM/range/1/minute/0/1?apiKey=${venue.secret}`);
    expect(empty.body).toMatchObject({ resultsCount: 0 });
    expect(empty.body).not.toHaveProperty('results');
  });

  it('answers the sixth request of a minute with 429, a wrong key with 401, and other data with 403 or 404', async () => {
    const venue = await start();
    venue.refuseSymbol('IBM');
    const headers = { authorization: `Bearer ${venue.secret}` };
    expect(await ask(venue, '/v3/trades/AAPL')).toMatchObject({
      status: 401,
      body: { status: 'ERROR', error: 'Unknown API Key' },
    });
    expect(await ask(venue, '/v3/trades/IBM', headers)).toMatchObject({
      status: 403,
      body: { status: 'NOT_AUTHORIZED', message: 'You are not entitled to this data. Please upgrade your plan.' },
    });
    expect((await ask(venue, '/v9/other', headers)).status).toBe(404);
    for (let i = 0; i < 3; i += 1) expect((await ask(venue, '/v3/quotes/AAPL', headers)).status).toBe(200);
    const last = await ask(venue, '/v3/quotes/AAPL', headers);
    expect(last).toMatchObject({ status: 429, body: { status: 'ERROR' } });
    expect(last.body.error).toContain("You've exceeded the maximum requests per minute");
  });

  it('writes times in nanoseconds as numbers of 19 digits', async () => {
    const venue = await start();
    venue.publish([TRADE]);
    const { text } = await ask(venue, `/v3/trades/AAPL?apiKey=${venue.secret}`);
    expect(text).toMatch(/"sip_timestamp":1767623412083456\d{3}[,}]/);
  });
});
