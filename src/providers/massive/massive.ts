import type { Fundamentals } from '../../market/fundamentals.js';
import type { NewsItem } from '../../market/newsItem.js';
import type { OptionSnapshot } from '../../market/optionSnapshot.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import type { SharedPacer } from '../../policies/sharedPacer.js';
import {
  boolean,
  having,
  integer,
  type OptionsOf,
  oneOf,
  type Read,
  readOptions,
  reject,
  text,
} from '../../primitives/options.js';
import { defineProvider } from '../defineProvider.js';
import type { Connect, HistoryRange, Provider, ProviderPacing, SubscriptionRequest } from '../provider.js';
import { UnknownInstrument } from '../providerErrors.js';
import { RestClient } from '../rest/restClient.js';
import { PROVIDER_STREAM, type ProviderStreamConfig, streamOptionsOf } from '../streamConfig.js';
import { webSocketConnect } from '../webSocketConnect.js';
import { isPolicyViolation, tooManyConnections } from './failures.js';
import { barHistory } from './history/bars.js';
import { fundamentals, type MassiveFundamentalsQuery } from './history/fundamentals.js';
import { parseLossless } from './history/losslessJson.js';
import { type MassiveNewsQuery, news } from './history/news.js';
import { type MassiveChainQuery, optionChain } from './history/optionChain.js';
import type { HistorySource } from './history/source.js';
import { quoteHistory, tradeHistory } from './history/ticks.js';
import { MARKET_NAMES, MARKETS, type MassiveMarket, silenceOf, TIMEFRAMES, VENDOR } from './markets.js';
import { massiveNormaliser } from './normalise/normaliser.js';
import { MASSIVE_PACING, type MassivePlan, WINDOW_MS } from './pacing.js';
import { MassiveSession } from './session.js';
import { MAX_OPTION_QUOTES, symbolProblem } from './slots.js';

export interface MassiveConfig extends ProviderStreamConfig {
  /** The key of the account. No output shows it. */
  readonly key: string;
  /**
   * `stocks`, `options`, `indices`, `forex`, `crypto` or `futures`: each is a cluster of the vendor with connections of its own.
   * Default: the one whose path the `url` ends with, else `stocks`.
   */
  readonly market?: MassiveMarket;
  /** Whether the stream is the one that is 15 minutes late, for plans without real-time data. Default `false`. */
  readonly delayed?: boolean;
  /**
   * The server of the stream. One without a path gets that of the market. Default `wss://socket.massive.com`, or
   * `wss://delayed.massive.com`.
   */
  readonly url?: string;
  /** The server of history. Default `https://api.massive.com`; with a `url` of one's own, the same host as that. */
  readonly restUrl?: string;
  /** The plan's limit of requests for history: `free` (default), five per minute, or `paid`, 90 per second. */
  readonly plan?: MassivePlan;
  /**
   * What keeps the limit of requests for history, where several providers share the account: made with `new SharedPacer({ profile })`,
   * and its profile counts in place of that of the `plan`. Default: one of this provider's own.
   */
  readonly pacer?: SharedPacer<HistoryRange>;
  /** Whether splits are taken out of bars of the past. Default `false`: like the bars that the stream sent at the time. */
  readonly adjusted?: boolean;
  /** The largest message that is taken, in bytes. Integer of at least 1, default 1 MiB. */
  readonly maxFrameBytes?: number;
}

/** A {@link Provider} with what Massive has besides. */
export interface MassiveProvider extends Provider {
  /** Bars, trades, quotes and news of a span, oldest first; fundamentals whose period ended in it. */
  history(range: HistoryRange): AsyncIterable<readonly MarketEvent[]>;
  /** The contracts on an underlying as they are now, with greeks. */
  optionChain(query: MassiveChainQuery): AsyncIterable<readonly OptionSnapshot[]>;
  news(query?: MassiveNewsQuery): AsyncIterable<readonly NewsItem[]>;
  fundamentals(query: MassiveFundamentalsQuery): AsyncIterable<readonly Fundamentals[]>;
}

/** https://massive.com/docs/websocket/quickstart; the hosts of polygon.io answer as well. */
const STREAM_URL = 'wss://socket.massive.com';
const DELAYED_URL = 'wss://delayed.massive.com';
const REST_URL = 'https://api.massive.com';

const OPTIONS = {
  ...PROVIDER_STREAM,
  key: text().required(),
  market: oneOf(MARKET_NAMES),
  delayed: boolean().default(false),
  url: text(),
  restUrl: text(),
  plan: oneOf(['free', 'paid']).default('free'),
  pacer: having('turn', 'coolDown'),
  adjusted: boolean().default(false),
  maxFrameBytes: integer({ min: 1 }).default(1024 * 1024),
} satisfies OptionsOf<MassiveConfig>;

type Options = Read<MassiveConfig, typeof OPTIONS> & { readonly market: MassiveMarket };

/**
 * Market data of Massive, formerly Polygon.io, behind a key: live over its WebSocket, and the past over REST.
 *
 * - Kinds: `bar` of `1m` and `1s`, `trade` and `quote`, as far as the `market` has them. The symbol `*` stands for all, but not for
 *   quotes of options, of which a connection has 1,000 contracts at most. A bar comes again, with a higher `seq`, when a late trade
 *   changes it.
 * - A wrong key and a plan without the data end the stream with `BadCredentials` or `NotEntitled`, in the vendor's words. An account has
 *   one connection per market: a further one is a `QuotaExceeded`, and is tried again after a minute.
 * - `history()`, `optionChain()`, `news()` and `fundamentals()` are pages of the past. They wait for the limit of the `plan`, which all
 *   requests of one provider share.
 * - `calendar` is that of the market by default: US equities with extended hours (`stocks`) or regular ones (`options`, `indices`),
 *   `fxWeek()`, `usFutures()`, or always open (`crypto`). `staleAfterMs` is a day (`forex` an hour, `crypto` six hours) divided by the
 *   number of symbols, and at least 5 minutes: 15 more for the delayed stream, 10 more for `forex`.
 * - Delivery, gaps and slow readers are those of all providers.
 *
 * The protocol is that of https://massive.com/docs, read 2026-11. Throws a `RangeError` that quotes an option that is wrong.
 *
 * @example
 * ```ts
 * import { massive } from 'sluice/providers/massive';
 *
 * const provider = massive({ key: process.env.MASSIVE_API_KEY ?? '', market: 'stocks' });
 * provider.stream({ kinds: ['bar', 'trade'], symbols: ['AAPL', 'BRK.B'] }).subscribe((record) => console.log(record));
 * ```
 */
export function massive(config: MassiveConfig): MassiveProvider {
  const read = readOptions(VENDOR, config, OPTIONS);
  const options: Options = { ...read, market: read.market ?? marketOf(read.url) ?? 'stocks' };
  const { key, market, plan, scheduler, confirmAfterMs, maxFrameBytes } = options;
  const { kinds } = MARKETS[market];
  const secrets = [key];
  const pacing: ProviderPacing = { requests: config.pacer?.profile ?? MASSIVE_PACING[plan] };
  const url = streamUrl(options);
  const source = historySource(options, url, config.pacer);
  const history = (range: HistoryRange) => historyOf(source, range);
  const connect = webSocketConnect({ name: VENDOR, url: url.href, maxFrameBytes, secrets });
  const provider = defineProvider(
    {
      name: VENDOR,
      kinds,
      timeframes: TIMEFRAMES,
      pacing,
      session: () => new MassiveSession({ key, market, confirmAfterMs }),
      normalise: massiveNormaliser(market),
      connect: knowingQuota(connect),
      history,
      silence: silenceOf(market, options.delayed),
      secrets,
    },
    streamOptionsOf({ ...config, scheduler }),
  );
  return {
    ...provider,
    stream: (request) => {
      checkRequest(market, request);
      return provider.stream(request);
    },
    history,
    optionChain: (query) => optionChain(source, query),
    news: (query) => news(source, query),
    fundamentals: (query) => fundamentals(source, query),
  };
}

/** The market whose cluster an address names, as `wss://socket.massive.com/crypto` does. */
function marketOf(url: string | undefined): MassiveMarket | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const name = /([^/]*)\/?$/.exec(new URL(url).pathname)?.[1];
  return MARKET_NAMES.find((market) => market === name);
}

function streamUrl({ url: given, delayed, market }: Options): URL {
  const text = given ?? (delayed ? DELAYED_URL : STREAM_URL);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^wss?:$/.test(url.protocol)) reject(VENDOR, 'url', 'a ws:// or wss:// address', text);
  if (url.pathname === '/') url.pathname = market;
  return url;
}

function historySource(options: Options, url: URL, pacer: MassiveConfig['pacer']): HistorySource {
  const { key, market, plan, adjusted, scheduler, random, onRejected } = options;
  const restUrl = options.restUrl ?? restUrlOf(url);
  if (!URL.canParse(restUrl) || !/^https?:$/.test(new URL(restUrl).protocol)) {
    reject(VENDOR, 'restUrl', 'an http:// or https:// address', restUrl);
  }
  const client = new RestClient({
    name: VENDOR,
    baseUrl: restUrl,
    // Not in the address, which proxies and servers log.
    headers: { Authorization: `Bearer ${key}` },
    pacing: MASSIVE_PACING[plan],
    pacer,
    secrets: [key],
    cooldownMs: WINDOW_MS,
    parse: parseLossless,
    scheduler,
    ...(random && { random }),
  });
  return { client, market, adjusted, now: () => scheduler.now(), onRejected };
}

/** A key for a server of one's own is not sent to Massive. */
function restUrlOf({ protocol, host, hostname }: URL): string {
  if (/(^|\.)massive\.com$/.test(hostname)) return REST_URL;
  if (/(^|\.)polygon\.io$/.test(hostname)) return 'https://api.polygon.io';
  return `${protocol === 'ws:' ? 'http:' : 'https:'}//${host}`;
}

/** The vendor says that an account has too many connections by a status; only its close frame is certain to be seen. */
function knowingQuota(connect: Connect): Connect {
  return (events) =>
    connect({
      opened: () => events.opened(),
      frame: (frame, receivedAt) => events.frame(frame, receivedAt),
      alive: () => events.alive(),
      closed: (error) => events.closed(isPolicyViolation(error) ? tooManyConnections(error.message) : error),
    });
}

function historyOf(source: HistorySource, range: HistoryRange): AsyncIterable<readonly MarketEvent[]> {
  const { of, symbol, from, to } = range;
  const owner = `${VENDOR}: history`;
  checkKind(source.market, of);
  if (!Number.isFinite(from)) reject(owner, 'from', 'a time in epoch milliseconds', from);
  if (!Number.isFinite(to) || to <= from) reject(owner, 'to', `a time in epoch milliseconds after ${from}`, to);
  switch (of) {
    case 'bar':
      return barHistory(source, range);
    case 'trade':
      return tradeHistory(source, range);
    case 'quote':
      return quoteHistory(source, range);
    case 'news':
      return news(source, symbol === '*' ? { from, to } : { symbol, from, to });
    case 'fundamental':
      return fundamentals(source, { symbol, periodFrom: dateOf(from), periodTo: dateOf(to - 1) });
    default:
      return reject(
        owner,
        'of',
        'bar, trade, quote, news or fundamental (options: optionChain(), as they are now)',
        of,
      );
  }
}

/** The endpoints of futures are others, and there are no old quotes of crypto. */
function checkKind(market: MassiveMarket, of: HistoryRange['of']): void {
  if (of === 'news' || of === 'fundamental' || of === 'option') return;
  const isThere = market !== 'futures' && !(market === 'crypto' && of === 'quote');
  if (isThere && MARKETS[market].kinds.includes(of)) return;
  throw new UnknownInstrument(VENDOR, `there is no history of kind ${of} for ${market}`);
}

const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** What the vendor would not answer at all is said at once. */
function checkRequest(market: MassiveMarket, { kinds, symbols }: SubscriptionRequest): void {
  if (!Array.isArray(symbols) || !Array.isArray(kinds)) return;
  const owner = `${VENDOR}: stream`;
  for (const of of kinds) {
    for (const symbol of symbols) {
      const problem = typeof symbol === 'string' ? symbolProblem(market, { of, symbol }) : undefined;
      if (problem !== undefined) reject(owner, 'symbols', `valid for the market ${market} (${problem})`, symbol);
    }
  }
  const contracts = new Set(symbols).size;
  if (market === 'options' && kinds.includes('quote') && contracts > MAX_OPTION_QUOTES) {
    reject(
      owner,
      'symbols',
      `at most ${MAX_OPTION_QUOTES} contracts, of whose quotes a connection has no more`,
      contracts,
    );
  }
}
