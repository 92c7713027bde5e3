import type { Bar } from '../../src/market/bar.js';
import type { Quote } from '../../src/market/quote.js';
import type { MarketEvent, RecordKind } from '../../src/market/recordKinds.js';
import type { Trade } from '../../src/market/trade.js';
import { startFakeAlpaca } from '../../src/testing/venues/alpaca/startFakeAlpaca.js';
import { startFakeBinance } from '../../src/testing/venues/binance/startFakeBinance.js';
import { startFakeCoinbase } from '../../src/testing/venues/coinbase/startFakeCoinbase.js';
import type { FakeVenue } from '../../src/testing/venues/fakeVenue.js';
import { startFakeGateway } from '../../src/testing/venues/ibkr/startFakeGateway.js';
import { startFakeMassive } from '../../src/testing/venues/massive/startFakeMassive.js';

/** Where no output may show any of it. */
export const SECRET = 'Zq7distinctiveSecret42xX';

/** A provider of the registry with the fake of its vendor. */
export interface RegisteredVenue {
  readonly name: string;
  readonly symbol: string;
  readonly kinds: readonly RecordKind[];
  readonly timeframe: string;
  readonly start: () => Promise<FakeVenue>;
  /** What a user sets in the environment. */
  readonly variables: Readonly<Record<string, string>>;
  /** How many subscriptions the fake has once all are made. */
  readonly subscriptions: number;
}

const KINDS = ['bar', 'trade', 'quote'] as const;

/** Every provider of the registry. */
export const VENUES: readonly RegisteredVenue[] = [
  {
    ...{ name: 'massive', symbol: 'AAPL', kinds: KINDS, timeframe: '1m', subscriptions: 3 },
    start: () => startFakeMassive({ key: SECRET }),
    variables: { MASSIVE_API_KEY: SECRET },
  },
  {
    ...{ name: 'ibkr', symbol: 'AAPL', kinds: KINDS, timeframe: '5s', subscriptions: 3 },
    start: () => startFakeGateway(),
    variables: {},
  },
  {
    ...{ name: 'binance', symbol: 'BTCUSDT', kinds: KINDS, timeframe: '1m', subscriptions: 3 },
    start: () => startFakeBinance(),
    variables: {},
  },
  {
    ...{ name: 'coinbase', symbol: 'BTC-USD', kinds: KINDS, timeframe: '5m', subscriptions: 4 },
    start: () => startFakeCoinbase(),
    variables: {},
  },
  {
    ...{ name: 'alpaca', symbol: 'AAPL', kinds: KINDS, timeframe: '1m', subscriptions: 3 },
    start: () => startFakeAlpaca({ key: `PK${SECRET}`, secret: SECRET }),
    variables: { ALPACA_KEY_ID: `PK${SECRET}`, ALPACA_SECRET_KEY: SECRET },
  },
];

const SPANS_MS: Readonly<Record<string, number>> = { '5s': 5_000, '1m': 60_000, '5m': 300_000 };
const T = Date.UTC(2026, 0, 5, 15, 0);

/** A trade, a quote and a bar of a venue, each with the number `n`. */
export function recordsOf({ name: vendor, symbol, timeframe }: RegisteredVenue, n: number): readonly MarketEvent[] {
  const ts = T + n * 1_000;
  const id = String(1_000 + n);
  const trade: Trade = { kind: 'trade', vendor, symbol, ts, price: 100 + n, size: 1 + n, id, side: 'buy', seq: n };
  const sides = { bid: 99 + n, bidSize: 2, ask: 101 + n, askSize: 3 };
  const quote: Quote = { kind: 'quote', vendor, symbol, ts, ...sides, id, seq: n };
  const prices = { open: 100, high: 200, low: 50, close: 100 + n, volume: 10 };
  const bar: Bar = {
    ...{ kind: 'bar', vendor, symbol, timeframe, ts: T + n * (SPANS_MS[timeframe] ?? 0), ...prices },
    seq: ts * 1_000,
  };
  return [trade, quote, bar];
}
