import { isObservable, map } from 'rxjs';
import { alwaysOpen } from '../../policies/calendars/alwaysOpen.js';
import type { SharedPacer } from '../../policies/sharedPacer.js';
import { having, type OptionsOf, readOptions, text } from '../../primitives/options.js';
import { defineProvider } from '../defineProvider.js';
import type { HistoryRange, Provider, ProviderPacing, SubscriptionRequest } from '../provider.js';
import { RestClient } from '../rest/restClient.js';
import { PROVIDER_STREAM, type ProviderStreamConfig, streamOptionsOf } from '../streamConfig.js';
import type { UsualSilence } from '../usualSilence.js';
import { webSocketConnect } from '../webSocketConnect.js';
import { coinbaseHistory } from './history.js';
import { COINBASE_TIMEFRAME, normaliseCoinbase } from './normalise.js';
import { COINBASE_PACING } from './pacing.js';
import { publicProduct } from './products.js';
import { coinbaseSession } from './session.js';

export interface CoinbaseConfig extends ProviderStreamConfig {
  /** Where the channels are. Default `wss://advanced-trade-ws.coinbase.com`. */
  readonly url?: string;
  /** Where requests for candles of the past go. Default `https://api.coinbase.com`; for any other `url` its host over HTTP. */
  readonly restUrl?: string;
  /**
   * What keeps the limit of requests for history, where several providers share the address: made with `new SharedPacer({ profile })`,
   * and its profile counts in place of eight per second. Default: one of this provider's own.
   */
  readonly pacer?: SharedPacer<HistoryRange>;
}

const URL_OF_VENDOR = 'wss://advanced-trade-ws.coinbase.com';

const OPTIONS = {
  ...PROVIDER_STREAM,
  url: text().default(URL_OF_VENDOR),
  restUrl: text(),
  pacer: having('turn', 'coolDown'),
} satisfies OptionsOf<CoinbaseConfig>;

/** Products that hardly trade are silent for hours. */
const SILENCE: UsualSilence = { calendar: alwaysOpen(), oneSymbolMs: 6 * 3_600_000 };

/**
 * Public market data of Coinbase's Advanced Trade: candles of five minutes, trades and best prices, live, and candles of the past.
 * No key is needed. `BTC-USDC` and its kin have no market of their own: they are subscribed and recorded as `BTC-USD`.
 *
 * The market never closes. `staleAfterMs` is by default six hours divided by the number of symbols, and at least 5 minutes.
 *
 * @example
 * ```ts
 * import { coinbase } from 'sluice/providers/coinbase';
 *
 * coinbase()
 *   .stream({ kinds: ['bar', 'trade', 'quote'], symbols: ['BTC-USD'] })
 *   .subscribe((record) => console.log(record));
 * ```
 */
export function coinbase(config: CoinbaseConfig = {}): Provider {
  const { url, restUrl, scheduler } = readOptions('coinbase', config, OPTIONS);
  const pacing: ProviderPacing = {
    ...COINBASE_PACING,
    ...(config.pacer?.profile && { requests: config.pacer.profile }),
  };
  const client = new RestClient({
    name: 'coinbase',
    baseUrl: restUrl ?? restUrlOf(url),
    pacing: pacing.requests,
    pacer: config.pacer,
    scheduler,
  });
  const provider = defineProvider(
    {
      name: 'coinbase',
      kinds: ['bar', 'trade', 'quote'],
      timeframes: [COINBASE_TIMEFRAME],
      pacing,
      session: coinbaseSession,
      normalise: normaliseCoinbase,
      connect: webSocketConnect({ name: 'coinbase', url }),
      history: (range) =>
        coinbaseHistory({ ...range, symbol: publicProduct(range.symbol) }, { client, now: () => scheduler.now() }),
      silence: SILENCE,
    },
    streamOptionsOf(config),
  );
  return { ...provider, stream: (request) => provider.stream(asPublic(request)) };
}

/** The symbols by the names under which their data come. */
function asPublic(request: SubscriptionRequest): SubscriptionRequest {
  const { symbols } = request;
  if (isObservable(symbols)) return { ...request, symbols: symbols.pipe(map(allPublic)) };
  return Array.isArray(symbols) ? { ...request, symbols: allPublic(symbols) } : request;
}

/** What is no text is left for the check of the request to name. */
function allPublic(symbols: readonly string[]): readonly string[] {
  if (!Array.isArray(symbols)) return symbols;
  return [...new Set(symbols.map((symbol) => (typeof symbol === 'string' ? publicProduct(symbol) : symbol)))];
}

function restUrlOf(url: string): string {
  if (url === URL_OF_VENDOR || !URL.canParse(url)) return 'https://api.coinbase.com';
  const { host, protocol } = new URL(url);
  return `${protocol === 'ws:' ? 'http' : 'https'}://${host}`;
}
