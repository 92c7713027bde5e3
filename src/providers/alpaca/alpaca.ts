import type { SharedPacer } from '../../policies/sharedPacer.js';
import { having, integer, type OptionsOf, oneOf, readOptions, reject, text } from '../../primitives/options.js';
import { defineProvider } from '../defineProvider.js';
import type { HistoryRange, Provider, ProviderPacing } from '../provider.js';
import { PROVIDER_STREAM, type ProviderStreamConfig, streamOptionsOf } from '../streamConfig.js';
import { webSocketConnect } from '../webSocketConnect.js';
import { VENDOR } from './alpacaErrors.js';
import { type AlpacaFeed, FEED_PATHS, FEEDS, silenceOf } from './channels.js';
import { type AlpacaEncoding, CONTENT_TYPES } from './frames.js';
import { alpacaHistory } from './history.js';
import { normalise } from './normalise.js';
import { alpacaPacing } from './pacing.js';
import { AlpacaSession } from './session.js';

export interface AlpacaConfig extends ProviderStreamConfig {
  /** The key of the account: `APCA-API-KEY-ID`. */
  readonly key: string;
  /** Its secret: `APCA-API-SECRET-KEY`. No output shows it. */
  readonly secret: string;
  /**
   * `iex` (default, of free plans), `sip`, `delayed_sip`, `boats`, `overnight`; `crypto`; or `test`, on which the symbol
   * `FAKEPACA` trades round the clock.
   */
  readonly feed?: AlpacaFeed;
  /** How frames are written: `json` (default) or `msgpack`, which is smaller. */
  readonly encoding?: AlpacaEncoding;
  /** The stream's server. One without a path gets that of the feed. Default `wss://stream.data.alpaca.markets`. */
  readonly url?: string;
  /** The server of history. Default `https://data.alpaca.markets`; with a `url` of one's own, the same host as that. */
  readonly restUrl?: string;
  /** The plan's limit of requests for history. Integer of at least 1, default 200, that of free plans. */
  readonly requestsPerMinute?: number;
  /**
   * What keeps the limit of requests for history, where several providers share the account: made with `new SharedPacer({ profile })`,
   * and its profile counts in place of `requestsPerMinute`. Default: one of this provider's own.
   */
  readonly pacer?: SharedPacer<HistoryRange>;
}

const STREAM_URL = 'wss://stream.data.alpaca.markets';
const REST_URL = 'https://data.alpaca.markets';

const OPTIONS = {
  ...PROVIDER_STREAM,
  key: text().required(),
  secret: text().required(),
  feed: oneOf(FEEDS).default('iex'),
  encoding: oneOf(['json', 'msgpack']).default('json'),
  url: text().default(STREAM_URL),
  restUrl: text(),
  requestsPerMinute: integer({ min: 1 }).default(200),
  pacer: having('turn', 'coolDown'),
} satisfies OptionsOf<AlpacaConfig>;

/**
 * Trades, quotes and bars of US stocks and crypto from Alpaca, behind a key: live over its WebSocket, and the past over REST.
 *
 * - Kinds: `trade`, `quote`, and `bar` of `1m` and `1d`. A bar of a minute comes again, with a higher `seq`, when a late trade
 *   changes it; a daily bar comes every minute, and is not final. The symbol `*` stands for all.
 * - A wrong key and a plan without the feed end the stream with `BadCredentials` or `NotEntitled`. A second connection of the account is a
 *   `QuotaExceeded`, and is tried again after a minute.
 * - A corrected trade replaces the original by a higher `seq`. A cancelled one stays: there is no record of a cancellation.
 * - `calendar` is by default that of US equities: regular hours (`iex`) or extended ones (`sip`, `delayed_sip`); always open (`crypto`,
 *   `test`). `staleAfterMs` is a day (`crypto` and `test` six hours) divided by the number of symbols, and at least 5 minutes: 15
 *   more for `delayed_sip`. Neither has a default for `boats` and `overnight`.
 * - Delivery, gaps and slow readers are those of all providers.
 *
 * The protocol is that of https://docs.alpaca.markets/docs/streaming-market-data, read 2026-01. Throws a `RangeError` that quotes
 * an option that is wrong.
 *
 * @example
 * ```ts
 * import { alpaca } from 'sluice/providers/alpaca';
 *
 * const provider = alpaca({ key: process.env.APCA_API_KEY_ID ?? '', secret: process.env.APCA_API_SECRET_KEY ?? '' });
 * provider.stream({ kinds: ['trade', 'bar'], symbols: ['AAPL', 'SPY'] }).subscribe((record) => console.log(record));
 * ```
 */
export function alpaca(config: AlpacaConfig): Provider {
  const owner = 'alpaca';
  const options = readOptions(owner, config, OPTIONS);
  const { key, secret, feed, encoding, requestsPerMinute, scheduler } = options;
  const url = urlOf(owner, options.url, feed);
  const secrets = [key, secret];
  const pacing: ProviderPacing = { requests: config.pacer?.profile ?? alpacaPacing(requestsPerMinute) };
  const silence = silenceOf(feed);
  const history = alpacaHistory({
    key,
    secret,
    feed,
    restUrl: options.restUrl ?? restUrlOf(url),
    pacing: pacing.requests,
    ...(config.pacer && { pacer: config.pacer }),
    scheduler,
    ...(config.onRejected && { onRejected: config.onRejected }),
  });
  return defineProvider(
    {
      name: VENDOR,
      kinds: ['bar', 'trade', 'quote'],
      timeframes: feed === 'test' ? ['1m'] : ['1m', '1d'],
      pacing,
      session: () => new AlpacaSession({ key, secret, feed, encoding }),
      normalise,
      connect: webSocketConnect({
        name: VENDOR,
        url: url.href,
        headers: { 'Content-Type': CONTENT_TYPES[encoding] },
        secrets,
      }),
      ...(history && { history }),
      ...(silence && { silence }),
      secrets,
    },
    streamOptionsOf(config),
  );
}

function urlOf(owner: string, given: string, feed: AlpacaFeed): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !/^wss?:$/.test(url.protocol)) reject(owner, 'url', 'a ws:// or wss:// address', given);
  if (url.pathname === '/') url.pathname = FEED_PATHS[feed];
  return url;
}

/** A key for a server of one's own is not sent to Alpaca. */
function restUrlOf({ protocol, host, origin }: URL): string {
  if (origin === new URL(STREAM_URL).origin) return REST_URL;
  return `${protocol === 'ws:' ? 'http:' : 'https:'}//${host}`;
}
