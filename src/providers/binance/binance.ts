import { alwaysOpen } from '../../policies/calendars/alwaysOpen.js';
import type { SharedPacer } from '../../policies/sharedPacer.js';
import { duration, having, type OptionsOf, oneOf, readOptions, text } from '../../primitives/options.js';
import { defineProvider } from '../defineProvider.js';
import type { Connect, HistoryRange, Provider, ProviderPacing } from '../provider.js';
import { NotEntitled, type ProviderError } from '../providerErrors.js';
import { RestClient } from '../rest/restClient.js';
import { PROVIDER_STREAM, type ProviderStreamConfig, streamOptionsOf } from '../streamConfig.js';
import type { UsualSilence } from '../usualSilence.js';
import { webSocketConnect } from '../webSocketConnect.js';
import { binanceHistory } from './history.js';
import { normaliseBinance } from './normalise.js';
import { BINANCE_MESSAGES, binancePacing, weightCooldown } from './pacing.js';
import { binanceSession } from './session.js';
import { BINANCE_TIMEFRAMES, type BinanceTrades } from './streamNames.js';

export interface BinanceConfig extends ProviderStreamConfig {
  /**
   * Where the streams are. Default `wss://data-stream.binance.vision`, which has market data only; `wss://stream.binance.com:9443`
   * has the same.
   */
  readonly url?: string;
  /**
   * Where requests for history go. Default: the vendor's address beside `url`, such as `https://data-api.binance.vision`; for any
   * other `url` the same host over HTTP.
   */
  readonly restUrl?: string;
  /** Single trades, or those that one order made at one price as one. Default `raw`. */
  readonly trades?: BinanceTrades;
  /** The unit of times on the wire. `ts` is in milliseconds all the same, with a fraction. Default `MILLISECOND`. */
  readonly timeUnit?: 'MILLISECOND' | 'MICROSECOND';
  /**
   * The age at which a connection is handed over to its successor, in milliseconds. The vendor ends one after 24 hours. At least
   * 1,000, default 23 h 50 min.
   */
  readonly handOverAfterMs?: number;
  /**
   * What keeps the limit of requests for history, where several providers share the address: made with `new SharedPacer({ profile })`,
   * and its profile counts in place of the vendor's 6,000 of weight per minute. Default: one of this provider's own.
   */
  readonly pacer?: SharedPacer<HistoryRange>;
}

const OPTIONS = {
  ...PROVIDER_STREAM,
  url: text().default('wss://data-stream.binance.vision'),
  restUrl: text(),
  trades: oneOf(['raw', 'aggregated']).default('raw'),
  timeUnit: oneOf(['MILLISECOND', 'MICROSECOND']).default('MILLISECOND'),
  handOverAfterMs: duration({ min: 1_000, max: 86_400_000 }).default(85_800_000),
  pacer: having('turn', 'coolDown'),
} satisfies OptionsOf<BinanceConfig>;

/** Hosts of the vendor whose requests go elsewhere. */
const REST_OF: Readonly<Record<string, string>> = {
  'data-stream.binance.vision': 'https://data-api.binance.vision',
  'stream.binance.com': 'https://api.binance.com',
  'stream.binance.us': 'https://api.binance.us',
};

/** Pairs that hardly trade are silent for hours. */
const SILENCE: UsualSilence = { calendar: alwaysOpen(), oneSymbolMs: 6 * 3_600_000 };

const REMEDY = 'set `url` to an address that serves it, or use the provider coinbase';

/**
 * Spot market data of Binance: klines, trades and best prices, live, and klines and trades of the past. No key is needed.
 *
 * The market never closes. `staleAfterMs` is by default six hours divided by the number of symbols, and at least 5 minutes.
 *
 * @example
 * ```ts
 * import { binance } from 'sluice/providers/binance';
 *
 * const provider = binance({ trades: 'aggregated' });
 * provider
 *   .stream({ kinds: ['bar', 'trade'], symbols: ['BTCUSDT'], timeframe: '1m' })
 *   .subscribe((record) => console.log(record));
 * ```
 */
export function binance(config: BinanceConfig = {}): Provider {
  const read = readOptions('binance', config, OPTIONS);
  const { url, trades, timeUnit, handOverAfterMs, scheduler } = read;
  const pacing: ProviderPacing = {
    messages: BINANCE_MESSAGES,
    requests: config.pacer?.profile ?? binancePacing(trades),
  };
  const client = new RestClient({
    name: 'binance',
    baseUrl: read.restUrl ?? restUrlOf(url),
    pacing: pacing.requests,
    pacer: config.pacer,
    scheduler,
    cooldownAfter: (headers) => weightCooldown(headers, scheduler.now()),
    errorOf: ({ status }) => (status === 451 ? blocked() : undefined),
  });
  const unit = timeUnit === 'MICROSECOND' ? '?timeUnit=MICROSECOND' : '';
  const connect = webSocketConnect({ name: 'binance', url: `${url.replace(/\/$/, '')}/stream${unit}` });
  return defineProvider(
    {
      name: 'binance',
      kinds: ['bar', 'trade', 'quote'],
      timeframes: BINANCE_TIMEFRAMES,
      pacing,
      session: () => binanceSession({ trades, handOverAfterMs }),
      normalise: normaliseBinance,
      connect: sayingWhatHelps(connect),
      history: (range) => binanceHistory(range, { client, trades, now: () => scheduler.now() }),
      silence: SILENCE,
    },
    streamOptionsOf(config),
  );
}

function restUrlOf(url: string): string {
  if (!URL.canParse(url)) return url;
  const { hostname, host, protocol } = new URL(url);
  return REST_OF[hostname] ?? `${protocol === 'ws:' ? 'http' : 'https'}://${host}`;
}

/** HTTP 451: the vendor does not serve everybody. */
function sayingWhatHelps(connect: Connect): Connect {
  return (events) =>
    connect({ ...events, closed: (error) => events.closed(isBlocked(error) ? blocked(error) : error) });
}

function isBlocked(error: unknown): error is ProviderError {
  return error instanceof NotEntitled && /HTTP 451/.test(error.message);
}

function blocked(cause: unknown = 'HTTP 451'): NotEntitled {
  return new NotEntitled('binance', `does not serve the region that you connect from (HTTP 451): ${REMEDY}`, { cause });
}
