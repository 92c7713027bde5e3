import { readOptions } from '../../primitives/options.js';
import { defineProvider } from '../defineProvider.js';
import type { Provider } from '../provider.js';
import { streamOptionsOf } from '../streamConfig.js';
import { LIVE_TIMEFRAMES } from './barSizes.js';
import { IBKR_OPTIONS, type IbkrConfig, marketDataTypeOf, readClientIds, readContracts, readUrl } from './config.js';
import { gatewayConnect } from './connect.js';
import { NAME } from './gatewayErrors.js';
import { HistoryDesk } from './history/historyDesk.js';
import { ibkrHistory } from './history/ibkrHistory.js';
import { LiveSession, type LiveSessionConfig } from './liveSession.js';
import { normaliser } from './normalise.js';
import { IBKR_PACING, ibkrPacer } from './pacing.js';
import { TickMemory } from './tickMemory.js';

/** Of the time that the stream gives to the login, so that the session says what is wrong before the stream does. */
const LOGIN_SHARE = 0.6;

/** History has a connection of its own, and a client id that far from the first one. */
const HISTORY_CLIENT = 100;

/** Below a name that leads nowhere. What cannot stand in an address is left out. */
const placeholderUrl = (provider: string, article: string): string =>
  `https://ibkr.invalid/news/${plain(provider)}/${plain(article)}`;

const plain = (text: string): string => encodeURIComponent(text.replace(/[\uD800-\uDFFF]/g, '')) || '-';

/**
 * Interactive Brokers, by way of TWS or IB Gateway, which run beside this program and log in to IBKR.
 *
 * Its client is an optional peer: `npm install @stoqey/ib@1.6.10`.
 *
 * Symbols: `AAPL` is a stock at SMART in US dollars; `ESZ6 FUT CME`, `EUR.USD CASH IDEALPRO`, `AAPL 20260116 C 150`, `#265598` and names
 * of the option `contracts` are other contracts.
 *
 * `staleAfterMs` and `calendar` have no default: the contracts of one stream are of any market, and TWS says itself when its data stop.
 *
 * @example
 * ```ts
 * import { ibkr } from 'sluice/providers/ibkr';
 *
 * const provider = ibkr({ port: 4002, clientId: 7, marketDataType: 'delayed' });
 * provider.stream({ kinds: ['bar', 'trade'], symbols: ['AAPL', 'EUR.USD CASH'] }).subscribe((record) => console.log(record));
 * ```
 */
export function ibkr(config: IbkrConfig = {}): Provider {
  const read = readOptions(NAME, config, IBKR_OPTIONS);
  const clientIds = readClientIds(read.clientId);
  const address = { host: read.host, port: read.port, ...(read.url !== undefined && readUrl(read.url)) };
  const session: LiveSessionConfig = {
    loginTimeoutMs: read.connectTimeoutMs * LOGIN_SHARE,
    farmTimeoutMs: Math.min(read.farmTimeoutMs, read.connectTimeoutMs * (1 - LOGIN_SHARE) * 0.9),
    marketDataType: marketDataTypeOf(read.marketDataType),
    contracts: readContracts(read.contracts),
    trades: read.trades,
    whatToShow: read.whatToShow,
    useRTH: read.useRTH,
    optionSnapshotEveryMs: read.optionSnapshotEveryMs,
    optionIntervalMs: read.optionIntervalMs,
    newsProviders: read.newsProviders as readonly string[],
    fundamentalReport: read.fundamentalReport,
    // A new connection does not begin the limits anew, and those of history and of live data are the same.
    requests: config.pacer ?? ibkrPacer({ scheduler: read.scheduler }),
  };
  const normalise = normaliser({ newsUrl: read.newsUrl ?? placeholderUrl });
  const { scheduler, connectTimeoutMs, onNotice, historyTimeoutMs } = read;
  const historyId = read.historyClientId ?? clientIds[0]! + HISTORY_CLIENT;
  const desk = new HistoryDesk({
    dialogue: session,
    connect: gatewayConnect({ ...address, clientIds: [historyId] }),
    scheduler,
    connectTimeoutMs,
    timeoutMs: historyTimeoutMs,
    onNotice,
  });
  return defineProvider(
    {
      name: NAME,
      kinds: ['bar', 'trade', 'quote', 'option', 'news', 'fundamental'],
      timeframes: LIVE_TIMEFRAMES,
      pacing: IBKR_PACING,
      session: () => new LiveSession(session),
      sessions: () => {
        const memory = new TickMemory();
        let current: LiveSession | undefined;
        return () => {
          current?.abandon();
          current = new LiveSession(session, memory);
          return current;
        };
      },
      normalise,
      connect: gatewayConnect({ ...address, clientIds }),
      history: (range) => ibkrHistory(range, { desk, live: session, normalise, now: () => scheduler.now() }),
    },
    streamOptionsOf(config),
  );
}
