import { afterEach, describe, expect, it } from 'vitest';
import { observe } from '../../../test/support/collect.js';
import type { Bar } from '../../market/bar.js';
import type { MarketEvent, RecordKind } from '../../market/recordKinds.js';
import { VirtualClock } from '../../testing/conformance/virtualClock.js';
import type { FakeGateway, FakeGatewayOptions } from '../../testing/venues/ibkr/fakeGateway.js';
import { startFakeGateway } from '../../testing/venues/ibkr/startFakeGateway.js';
import type { IbkrConfig } from './config.js';
import { ibkr } from './ibkr.js';

const TS = Date.UTC(2026, 0, 5, 14, 30);
const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** A stream over the client of IBKR to a fake gateway. Sockets are real; time moves only when the test says so. */
async function streaming(
  request: { kinds?: readonly RecordKind[]; symbols?: readonly string[]; timeframe?: string } = {},
  options: FakeGatewayOptions = {},
  config: IbkrConfig = {},
) {
  const clock = new VirtualClock();
  const gateway = await startFakeGateway({ now: () => clock.now(), ...options });
  open.push(() => gateway.close());
  const told: string[] = [];
  const provider = ibkr({
    url: gateway.url,
    scheduler: clock,
    random: () => 0.5,
    jitter: 'none',
    onNotice: (notice) => told.push(notice),
    onRetry: ({ error }) => told.push(`retry: ${(error as Error).message}`),
    onRefused: ({ error }) => told.push(`refused: ${error.message}`),
    onRejected: ({ reason }) => told.push(`rejected: ${reason}`),
    ...config,
  });
  const { kinds = ['trade'], symbols = ['AAPL'], timeframe = '5s' } = request;
  const seen = observe(provider.stream({ kinds, symbols, ...(kinds.includes('bar') && { timeframe }) }));
  open.push(() => seen.unsubscribe());
  /** Lets the clock move from timer to timer until something is so. */
  const until = async (isSo: () => boolean, withinMs = 120_000) => {
    const end = clock.now() + withinMs;
    for (let rest = 0; !isSo(); rest += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (rest > 5_000) throw new Error(`waited in vain; told: ${told.join(' | ')}`);
      if (rest % 40 === 39 && (clock.nextAt ?? Number.POSITIVE_INFINITY) <= end) clock.moveTo(clock.nextAt!);
    }
  };
  const isHeld =
    (count = kinds.length * symbols.length) =>
    () =>
      gateway.subscriptions.length === count;
  return { gateway, clock, seen, told, until, isHeld };
}

const trade = (ts: number, price: number): MarketEvent => ({
  kind: 'trade',
  vendor: 'ibkr',
  symbol: 'AAPL',
  ts,
  price,
  size: 1,
  id: '0',
});
const bar = (ts: number, over: Partial<Bar> = {}): Bar => ({
  kind: 'bar',
  vendor: 'ibkr',
  symbol: 'AAPL',
  timeframe: '5s',
  ts,
  open: 1,
  high: 3,
  low: 0.5,
  close: 2,
  volume: 100,
  trades: 4,
  vwap: 1.5,
  ...over,
});
const gapsOf = (items: readonly MarketEvent[]) => items.filter(({ kind }) => kind === 'gap');

const publishAndWait = async (
  gateway: FakeGateway,
  seen: { count(n: number): Promise<void> },
  records: readonly MarketEvent[],
  count: number,
) => {
  gateway.publish(records);
  await seen.count(count);
};

describe('over the client of IBKR', () => {
  it('streams bars, trades and quotes, also where every byte comes by itself', async () => {
    const { gateway, seen, until, isHeld } = await streaming({ kinds: ['bar', 'trade', 'quote'] }, { splitEvery: 1 });
    await until(isHeld());
    const quote: MarketEvent = {
      kind: 'quote',
      vendor: 'ibkr',
      symbol: 'AAPL',
      ts: TS,
      bid: 190,
      bidSize: 3,
      ask: null,
      askSize: null,
      id: '0',
    };
    await publishAndWait(gateway, seen, [bar(TS), trade(TS, 190.5), quote], 3);
    expect(seen.items).toEqual([
      { ...bar(TS), isFinal: true },
      { ...trade(TS, 190.5), venue: null, conditions: null },
      quote,
    ]);
  });

  it('gives options the size and price of their bid, which the client half loses, and greeks', async () => {
    const { gateway, seen, until, isHeld } = await streaming({ kinds: ['option'], symbols: ['AAPL 20260116 C 150'] });
    await until(isHeld());
    gateway.publish([
      {
        kind: 'option',
        vendor: 'ibkr',
        symbol: 'AAPL',
        expiry: '2026-01-16',
        optionType: 'C',
        strike: 150,
        ts: TS,
        bid: 4.5,
        ask: 4.75,
        iv: 0.25,
        delta: 0.6,
        gamma: 0.02,
        theta: -0.1,
        vega: 0.3,
        openInterest: 99,
        volume: 7,
        underlyingPrice: 151,
      },
    ]);
    await until(() => seen.items.length > 0 && (seen.items.at(-1) as { delta?: number }).delta === 0.6);
    expect(seen.items.at(-1)).toMatchObject({
      symbol: 'AAPL',
      bid: 4.5,
      ask: 4.75,
      last: null,
      iv: 0.25,
      openInterest: 99,
      volume: 7,
      underlyingPrice: 151,
    });
  });

  it('streams news and figures', async () => {
    const { gateway, seen, until, isHeld } = await streaming({ kinds: ['news'] });
    await until(isHeld());
    gateway.publish([
      {
        kind: 'news',
        vendor: 'ibkr',
        id: 'FAKE$1',
        publishedAt: TS,
        title: 'Up',
        url: 'https://x.test',
        symbols: ['AAPL'],
      },
    ]);
    await seen.count(1);
    expect(seen.items).toMatchObject([
      { id: 'FAKE$1', publishedAt: TS, title: 'Up', url: 'https://ibkr.invalid/news/FAKE/FAKE%241' },
    ]);
  });

  it('passes on duplicates and bars out of order, each under its own key', async () => {
    const { gateway, seen, until, isHeld } = await streaming({ kinds: ['bar'] });
    await until(isHeld());
    await publishAndWait(gateway, seen, [bar(TS + 5_000), bar(TS), bar(TS), bar(TS + 10_000)], 4);
    expect(seen.items.map((item) => (item as Bar).ts - TS)).toEqual([5_000, 0, 0, 10_000]);
    expect(gapsOf(seen.items)).toEqual([]);
  });

  it('goes on with the numbers of a second after a reconnect within it, and history has that second whole', async () => {
    const { gateway, seen, until, isHeld } = await streaming();
    const second = [190, 190.5, 190.5, 191].map((price, index) => ({ ...trade(TS, price), id: String(index) }));
    await until(isHeld());
    await publishAndWait(gateway, seen, second.slice(0, 2), 2);
    gateway.reset();
    await until(() => gateway.accepted.length === 2);
    await until(isHeld());
    await until(() => gapsOf(seen.items).length === 1);
    await publishAndWait(gateway, seen, second.slice(3), 4);
    // The numbers go on, so nothing is overwritten; the gap covers the trade that was missed.
    const ids = (items: readonly MarketEvent[]) => items.flatMap((item) => (item.kind === 'trade' ? [item.id] : []));
    expect(ids(seen.items)).toEqual(['0', '1', '2']);
    expect(gapsOf(seen.items)[0]).toMatchObject({ from: TS });
    gateway.setHistory(second);
    const past: MarketEvent[] = [];
    const range = { of: 'trade', symbol: 'AAPL', from: TS, to: TS + 1_000 } as const;
    for await (const page of ibkr({ url: gateway.url }).history!(range)) past.push(...page);
    expect(past).toMatchObject(second);
  });

  it('counts a message that the client does not know, and goes on', async () => {
    const { gateway, seen, told, until, isHeld } = await streaming();
    await until(isHeld());
    gateway.sendFields([200, 'who knows']);
    await publishAndWait(gateway, seen, [trade(TS, 190)], 1);
    // The client reports it twice: that it does not know it, and that something is left of it.
    expect(told).toHaveLength(2);
    for (const text of told) expect(text).toMatch(/^rejected: TWS or its client says: .*\(code 505\)$/);
    expect(gateway.accepted).toHaveLength(1);
  });
});

describe('when TWS', () => {
  it('loses its servers and has kept the data, there is a gap and no new request', async () => {
    const { gateway, seen, until, isHeld } = await streaming();
    await until(isHeld());
    await publishAndWait(gateway, seen, [trade(TS, 190)], 1);
    gateway.loseServers();
    gateway.publish([trade(TS + 60_000, 191)]);
    gateway.restore(true);
    await publishAndWait(gateway, seen, [trade(TS + 120_000, 192)], 3);
    expect(gapsOf(seen.items)).toMatchObject([
      { of: 'trade', from: TS, to: TS + 120_000, cause: 'stale', state: 'open' },
    ]);
    expect(gateway.requests.ticks).toBe(1);
  });

  it('has lost the data, everything is asked for again', async () => {
    const { gateway, seen, until, isHeld } = await streaming({ kinds: ['bar'] });
    await until(isHeld());
    await publishAndWait(gateway, seen, [bar(TS)], 1);
    gateway.loseServers();
    gateway.restore(false);
    expect(gateway.subscriptions).toEqual([]);
    await until(isHeld());
    await publishAndWait(gateway, seen, [bar(TS + 60_000)], 3);
    expect(gapsOf(seen.items)).toMatchObject([{ of: 'bar', timeframe: '5s', from: TS, to: TS + 60_000 }]);
    expect([gateway.requests.bars, gateway.accepted.length]).toEqual([2, 1]);
  });

  it('refuses real-time bars for a while, or stops them after a bust, they are asked for again', async () => {
    const { gateway, seen, told, until, isHeld } = await streaming({ kinds: ['bar'] });
    gateway.failNext('bars', 420, 'Invalid Real-time Query:Historical data request pacing violation', 2);
    await until(isHeld());
    expect(gateway.requests.bars).toBe(3);
    expect(told.filter((text) => text.includes('(code 420)'))).toHaveLength(2);
    await publishAndWait(gateway, seen, [bar(TS)], 1);
    gateway.error(10225, 'Bust event occurred, current subscription is deactivated.', 'AAPL');
    await until(() => gateway.requests.bars === 4);
  });

  it.each([99, 250])('speaks version %i, the stream ends and says so', async (serverVersion) => {
    const { seen, until } = await streaming({}, { serverVersion });
    await until(() => seen.end !== undefined);
    expect(seen.end).toMatchObject({
      error: {
        code: 'SLUICE_CONNECTION_LOST',
        retryable: false,
        message: expect.stringContaining(`Unsupported Version ${serverVersion}`),
      },
    });
  });

  it('never gives an order id, nothing is sent, and what to look at is said', async () => {
    const { gateway, told, until } = await streaming({}, { withholdsOrderId: true });
    await until(() => told.length > 0);
    expect(told[0]).toMatch(/no next order id; in TWS or IB Gateway see Configure/);
    expect(Object.keys(gateway.requests)).toEqual(['start']);
  });

  it('has broken farms, it is waited for them, and they are named', async () => {
    const { gateway, told, until, isHeld } = await streaming({}, { farms: 'broken' });
    await until(isHeld());
    expect(told).toEqual([
      'Market data farm connection is broken:usfarm',
      'not heard of after 3000 ms: farms of market',
    ]);
    gateway.error(2104, 'Market data farm connection is OK:usfarm');
    await until(() => told.length === 3);
  });

  it('has given the client id to another, the next of the list is used, and after the last one it is waited', async () => {
    const first = await streaming({}, {}, { clientId: 5 });
    await first.until(first.isHeld());
    const { url } = first.gateway;
    const told: string[] = [];
    const onRetry = ({ error, delayMs }: { error: unknown; delayMs: number }) =>
      void told.push(`${(error as Error).message} ${delayMs}`);
    const second = await streaming({}, {}, { url, clientId: [5, 6], onRetry });
    await second.until(() => first.gateway.clientIds.includes(6));
    expect(told).toEqual([expect.stringMatching(/\(code 326\): the next attempt is made as client 6 1000$/)]);
    const third = await streaming({}, {}, { url, clientId: [5, 6], onRetry });
    await third.until(() => told.length === 3, 500_000);
    expect(told[2]).toMatch(/already in use.* 60000$/);
  });

  it('is gone in the middle of everything, it connects again and says what is missing', async () => {
    const { gateway, seen, until, isHeld, clock } = await streaming();
    await until(isHeld());
    await publishAndWait(gateway, seen, [trade(TS, 190)], 1);
    gateway.reset();
    await until(() => gateway.accepted.length === 2);
    await until(() => gapsOf(seen.items).length === 1);
    expect(gapsOf(seen.items)[0]).toMatchObject({ cause: 'reconnect', from: TS });
    expect(clock.now()).toBeLessThan(TS + 60_000);
  });

  it('is half-open, the silence is noticed after 25 seconds', async () => {
    const { gateway, told, until, isHeld, seen } = await streaming();
    await until(isHeld());
    await publishAndWait(gateway, seen, [trade(TS, 190)], 1);
    gateway.mute(true);
    await until(() => told.length > 0);
    expect(told[0]).toMatch(/^retry: ibkr: TWS has sent nothing for 2\d{4} ms/);
  });
});

describe('the options', () => {
  it.each([
    [{ port: 0 }, 'ibkr: port must be an integer from 1 to 65535, got 0'],
    [
      { url: 'http://localhost' },
      'ibkr: url must be an address such as "tcp://127.0.0.1:4002", got "http://localhost"',
    ],
    [{ clientId: -1 }, 'ibkr: clientId must be an integer from 0 to 2147483647, got -1'],
    [
      { contracts: { es: {} } },
      'ibkr: contracts["es"] must be a contract with a conId, a symbol or a localSymbol, got an object',
    ],
    [{ whatToShow: 'ALL' as never }, /whatToShow must be/],
  ])('%j are wrong', (config, message) => {
    expect(() => ibkr(config as IbkrConfig)).toThrow(message);
  });
});
