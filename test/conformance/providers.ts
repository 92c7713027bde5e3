// Loaded before any rule runs: its provider loads it at the first connection, which a loaded machine keeps waiting.
import '@stoqey/ib';
import { alpaca } from '../../src/providers/alpaca/index.js';
import { binance } from '../../src/providers/binance/index.js';
import { coinbase } from '../../src/providers/coinbase/index.js';
import { ibkr } from '../../src/providers/ibkr/index.js';
import { massive } from '../../src/providers/massive/index.js';
import {
  type FakeVenue,
  type ProviderConformanceTest,
  type ProviderRuleId,
  type ProviderSubject,
  providerConformance,
  startFakeAlpaca,
  startFakeBinance,
  startFakeCoinbase,
  startFakeGateway,
  startFakeMassive,
} from '../../src/testing/index.js';

export interface ProviderTests {
  readonly name: string;
  readonly tests: readonly ProviderConformanceTest[];
}

function subject<V extends FakeVenue>(given: ProviderSubject<V, ProviderRuleId>): ProviderTests {
  return { name: given.name, tests: providerConformance(given) };
}

const ONE_CLOCK = 'a quote has the time of its message to the microsecond, which no other connection can repeat';
const KEYLESS = 'it has no login that could be rejected';
const NO_WORDS = 'the vendor leaves out a product that it does not know, without a word: see PR-6.2';
const NO_KEY = 'TWS has no key: a person logs it in';
const NO_EVICTION = 'TWS throws out no client: it refuses the newcomer';
const NO_REVISION = 'bars of five seconds are not revised';
const ONE_IN_15_S = {
  ms: 17_500,
  because: 'TWS takes one request for the ticks of an instrument in 15 s, on whichever connection',
};
const NO_HAND_OVER = 'the vendor ends connections without a word before';
const NO_QUOTA = 'the vendor limits how often an address connects, not how many connections an account has';

/** Venues that are not held to the rules yet. */
export const PENDING: readonly string[] = [];

/** Every folder of src/providers that is a venue, each held to the rules of all providers. */
export const providers: Readonly<Record<string, readonly ProviderTests[]>> = {
  alpaca: [
    subject({
      name: 'alpaca',
      open: ({ scheduler }) => startFakeAlpaca({ scheduler }),
      provider: (venue, settings) => alpaca({ ...settings, url: venue.url, key: venue.key, secret: venue.secret }),
      symbols: ['AAPL', 'BRK.B', 'TpC'],
      notApplicable: { 'PR-4.7': NO_HAND_OVER },
    }),
    subject({
      name: 'alpaca in MessagePack',
      open: ({ scheduler }) => startFakeAlpaca({ scheduler }),
      provider: (venue, settings) =>
        alpaca({ ...settings, url: venue.url, key: venue.key, secret: venue.secret, encoding: 'msgpack' }),
      symbols: ['AAPL', 'BRK.B', 'TpC'],
      notApplicable: { 'PR-4.7': NO_HAND_OVER },
    }),
  ],
  binance: [
    subject({
      name: 'binance',
      open: ({ scheduler }) => startFakeBinance({ scheduler }),
      provider: (venue, settings) => binance({ ...settings, url: venue.url }),
      symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'],
      notApplicable: { 'PR-3.8': NO_QUOTA, 'PR-3.9': NO_QUOTA, 'PR-6.4': KEYLESS },
    }),
  ],
  coinbase: [
    subject({
      name: 'coinbase',
      open: ({ scheduler }) => startFakeCoinbase({ scheduler }),
      provider: (venue, settings) => coinbase({ ...settings, url: venue.url }),
      symbols: ['BTC-USD', 'ETH-USD', 'SOL-USD'],
      notApplicable: {
        'PR-4.6': ONE_CLOCK,
        'PR-4.7': NO_HAND_OVER,
        'PR-3.8': NO_QUOTA,
        'PR-3.9': NO_QUOTA,
        'PR-6.3': NO_WORDS,
        'PR-6.4': KEYLESS,
        'PR-6.5': KEYLESS,
      },
    }),
  ],
  ibkr: [
    subject({
      name: 'ibkr',
      settle: ONE_IN_15_S,
      open: ({ scheduler }) => startFakeGateway({ now: () => scheduler.now() }),
      provider: (venue, settings) => ibkr({ ...settings, url: venue.url }),
      symbols: ['AAPL', 'BRK B', 'EUR.USD CASH'],
      timeframe: '5s',
      notApplicable: {
        'PR-3.9': NO_EVICTION,
        'PR-4.1': 'TWS sends no ids: a copy of a trade cannot be told from a second trade',
        'PR-4.2': NO_REVISION,
        'PR-4.7': NO_HAND_OVER,
        'PR-6.4': NO_KEY,
      },
    }),
    subject({
      name: 'ibkr: bars',
      open: ({ scheduler }) => startFakeGateway({ now: () => scheduler.now() }),
      provider: (venue, settings) => ibkr({ ...settings, url: venue.url }),
      symbols: ['AAPL', 'BRK B', 'EUR.USD CASH'],
      timeframe: '5s',
      kinds: ['bar'],
      notApplicable: {
        'PR-3.9': NO_EVICTION,
        'PR-4.2': NO_REVISION,
        'PR-4.7': NO_HAND_OVER,
        'PR-4.6': 'the instant of a bar is its key',
        'PR-5.3': 'it is tried with bars: see ibkr',
        'PR-5.4': 'it is tried with bars: see ibkr',
        'PR-6.4': NO_KEY,
      },
    }),
  ],
  massive: [
    subject({
      name: 'massive',
      open: ({ scheduler }) => startFakeMassive({ scheduler }),
      provider: (venue, settings) => massive({ ...settings, url: venue.url, key: venue.secret }),
      symbols: ['AAPL', 'BRK.B', 'TpC'],
      notApplicable: { 'PR-4.7': NO_HAND_OVER },
    }),
  ],
};
