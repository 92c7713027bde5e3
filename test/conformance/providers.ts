import { alpaca } from '../../src/providers/alpaca/index.js';
import { binance } from '../../src/providers/binance/index.js';
import { coinbase } from '../../src/providers/coinbase/index.js';
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
  startFakeMassive,
} from '../../src/testing/index.js';

export interface ProviderTests {
  readonly name: string;
  readonly tests: readonly ProviderConformanceTest[];
}

function subject<V extends FakeVenue>(given: ProviderSubject<V, ProviderRuleId>): ProviderTests {
  return { name: given.name, tests: providerConformance(given) };
}

const KEYLESS = 'it has no login that could be rejected';
const NO_WORDS = 'the vendor leaves out a product that it does not know, without a word: see PR-6.2';
const NO_QUOTA = 'the vendor limits how often an address connects, not how many connections an account has';

/** Venues that are not held to the rules yet. */
export const PENDING: readonly string[] = ['ibkr'];

/** Every folder of src/providers that is a venue, each held to the rules of all providers. */
export const providers: Readonly<Record<string, readonly ProviderTests[]>> = {
  alpaca: [
    subject({
      name: 'alpaca',
      open: ({ scheduler }) => startFakeAlpaca({ scheduler }),
      provider: (venue, settings) => alpaca({ ...settings, url: venue.url, key: venue.key, secret: venue.secret }),
      symbols: ['AAPL', 'BRK.B', 'TpC'],
    }),
    subject({
      name: 'alpaca in MessagePack',
      open: ({ scheduler }) => startFakeAlpaca({ scheduler }),
      provider: (venue, settings) =>
        alpaca({ ...settings, url: venue.url, key: venue.key, secret: venue.secret, encoding: 'msgpack' }),
      symbols: ['AAPL', 'BRK.B', 'TpC'],
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
        'PR-3.8': NO_QUOTA,
        'PR-3.9': NO_QUOTA,
        'PR-6.3': NO_WORDS,
        'PR-6.4': KEYLESS,
        'PR-6.5': KEYLESS,
      },
    }),
  ],
  massive: [
    subject({
      name: 'massive',
      open: ({ scheduler }) => startFakeMassive({ scheduler }),
      provider: (venue, settings) => massive({ ...settings, url: venue.url, key: venue.secret }),
      symbols: ['AAPL', 'BRK.B', 'TpC'],
    }),
  ],
};
