import { ConnectionState, IBApiNext, type IBApiNextError, type MarketDataUpdate, SecType } from '@stoqey/ib';
import { filter, firstValueFrom, map, type Observable, take, toArray } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import type { FakeGatewayOptions } from '../../src/testing/index.js';
import { startFakeGateway } from '../../src/testing/index.js';

/** The published client of IBKR, as its users use it: none of our code is on its side of the socket. */
const AAPL = { symbol: 'AAPL', secType: SecType.STK, exchange: 'SMART', currency: 'USD' };
const TS = Date.parse('2026-01-05T14:30:00Z');

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function connected(options: FakeGatewayOptions = {}) {
  const gateway = await startFakeGateway(options);
  open.push(() => gateway.close());
  const client = new IBApiNext({ host: '127.0.0.1', port: gateway.port, maxReqPerSec: 1_000, logger: silent });
  open.push(() => void client.disconnect());
  const errors: IBApiNextError[] = [];
  client.errorSubject.subscribe((error) => errors.push(error));
  client.connect(7);
  await gateway.until((venue) => venue.logins === 1);
  return { gateway, client, errors };
}

/** Copies: the client emits one object again and again. */
const first = <T>(source: Observable<T>, count: number) =>
  firstValueFrom(
    source.pipe(
      map((item) => (typeof item === 'object' ? { ...item } : item)),
      take(count),
      toArray(),
    ),
  );

describe("the fake gateway, to the vendor's client", () => {
  it('logs in as whom it says, and tells the time', async () => {
    const { gateway, client } = await connected({ now: () => TS });
    expect(gateway.clientIds).toEqual([7]);
    expect(await client.getCurrentTime()).toBe(TS / 1_000);
    expect(await first(client.connectionState, 1)).toEqual([ConnectionState.Connected]);
  });

  it.each([1, 7])('is understood when its messages come in pieces of %i bytes', async (splitEvery) => {
    const { client } = await connected({ splitEvery, now: () => TS });
    const [found] = await client.getContractDetails(AAPL);
    expect(found).toMatchObject({
      contract: { symbol: 'AAPL', secType: 'STK', currency: 'USD' },
      minTick: 0.01,
      timeZoneId: 'US/Eastern',
    });
  });

  it('streams real-time bars, trades and quotes', async () => {
    const { gateway, client } = await connected();
    const bars = first(client.getRealTimeBars(AAPL, 'TRADES' as never, false), 1);
    const trades = first(client.getTickByTickAllLastDataUpdates(AAPL, 0, false), 2);
    await gateway.until((venue) => venue.subscriptions.length === 2);
    const common = { vendor: 'ibkr', symbol: 'AAPL', ts: TS };
    gateway.publish([
      {
        kind: 'bar',
        ...common,
        timeframe: '5s',
        open: 1,
        high: 3,
        low: 0.5,
        close: 2,
        volume: 100,
        trades: 4,
        vwap: 1.5,
      },
      { kind: 'trade', ...common, price: 190.5, size: 100, id: '0', venue: 'ARCA', conditions: ['T', 'I'] },
      { kind: 'trade', ...common, price: 190.25, size: 5, id: '1' },
    ]);
    expect(await bars).toEqual(
      [{ time: TS / 1_000, open: 1, high: 3, low: 0.5, close: 2, volume: 100, WAP: 1.5, count: 4 }].map((bar) =>
        expect.objectContaining({ ...bar, time: expect.anything() }),
      ),
    );
    expect(await trades).toMatchObject([
      { price: 190.5, size: 100, exchange: 'ARCA', specialConditions: 'T I' },
      { price: 190.25, size: 5 },
    ]);
  });

  it('answers history, and updates of the bar that is forming', async () => {
    const { gateway, client } = await connected({ now: () => TS + 600_000 });
    const bar = (ts: number, volume: number): MarketEvent => ({
      kind: 'bar',
      vendor: 'ibkr',
      symbol: 'AAPL',
      timeframe: '1m',
      ts,
      open: 1,
      high: 3,
      low: 0.5,
      close: 2,
      volume,
    });
    gateway.setHistory([bar(TS, 10), bar(TS + 60_000, 20)]);
    const past = await client.getHistoricalData(
      AAPL,
      '20260105-14:40:00',
      '3600 S',
      '1 min' as never,
      'TRADES' as never,
      0,
      2,
    );
    expect(past).toMatchObject([
      { time: String(TS / 1_000), volume: 10 },
      { time: String(TS / 1_000 + 60), volume: 20 },
    ]);
    const updates = first(client.getHistoricalDataUpdates(AAPL, '1 min' as never, 'TRADES' as never, 2), 1);
    await gateway.until((venue) => venue.subscriptions.length === 1);
    gateway.publish([bar(TS + 120_000, 30)]);
    expect(await updates).toMatchObject([{ volume: 30, close: 2, high: 3, low: 0.5 }]);
  });

  it('sends the ticks of an option, with greeks', async () => {
    const { gateway, client } = await connected();
    const contract = {
      ...AAPL,
      secType: SecType.OPT,
      lastTradeDateOrContractMonth: '20260116',
      strike: 150,
      right: 'C' as never,
    };
    const updates = firstValueFrom(
      (client.getMarketData(contract, '', false, false) as Observable<MarketDataUpdate>).pipe(
        filter(({ all }) => all.has(1) && all.has(2)),
      ),
    );
    await gateway.until((venue) => venue.subscriptions.length === 1);
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
        last: 4.6,
        iv: 0.25,
        delta: 0.6,
        underlyingPrice: 151,
      },
    ]);
    const { all } = await updates;
    expect([all.get(1)?.value, all.get(2)?.value]).toEqual([4.5, 4.75]);
  });

  it('refuses, limits and breaks connections as TWS does', async () => {
    const { gateway, client, errors } = await connected();
    gateway.refuseSymbol('NONE');
    await expect(client.getContractDetails({ ...AAPL, symbol: 'NONE' })).rejects.toMatchObject({ code: 200 });
    gateway.sendFields([200, 'a message that nobody knows']);
    expect(await client.getCurrentTime()).toBeGreaterThan(0);
    expect(errors.map(({ code }) => code)).toEqual(expect.arrayContaining([200, 505]));
    const second = new IBApiNext({ host: '127.0.0.1', port: gateway.port, logger: silent });
    open.push(() => void second.disconnect());
    second.connect(7);
    // 326, which the client takes for a notice, and the end.
    await gateway.until((venue) => venue.accepted.length === 2 && venue.connections === 1);
    expect(gateway.logins).toBe(1);
    gateway.reset();
    await gateway.until((venue) => venue.connections === 0);
  });

  it.each([99, 250])('of version %i is refused by the client', async (serverVersion) => {
    const gateway = await startFakeGateway({ serverVersion });
    open.push(() => gateway.close());
    const client = new IBApiNext({ host: '127.0.0.1', port: gateway.port, logger: silent });
    const refused = firstValueFrom(client.errorSubject);
    client.connect(7);
    expect(await refused).toMatchObject({ code: 506 });
  });
});
