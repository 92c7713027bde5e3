import type { SharedPacer } from '../../policies/sharedPacer.js';
import {
  boolean,
  duration,
  func,
  having,
  integer,
  listOf,
  type OptionsOf,
  oneOf,
  type Read,
  reject,
  text,
  unchecked,
} from '../../primitives/options.js';
import { PROVIDER_STREAM, type ProviderStreamConfig } from '../streamConfig.js';
import { WHAT_TO_SHOW, type WhatToShow } from './barSizes.js';
import type { IbkrContract } from './contracts.js';
import type { IbkrRequestCost } from './pacing.js';

/** Where TWS or IB Gateway is, and which data to ask it for. */
export interface IbkrConfig extends ProviderStreamConfig {
  /** Where TWS or IB Gateway listens. Default `127.0.0.1`. */
  readonly host?: string;
  /** TWS 7496 (live) or 7497 (paper), IB Gateway 4001 (live) or 4002 (paper). From 1 to 65,535, default 7497. */
  readonly port?: number;
  /** Host and port in one, in place of both: `tcp://127.0.0.1:4002`. */
  readonly url?: string;
  /** As whom to connect, a number that no other program uses there; or several, the next one when one is in use. Default 1. */
  readonly clientId?: number | readonly number[];
  /** As whom history is asked for, over a connection of its own. Default: the first `clientId` and 100. */
  readonly historyClientId?: number;
  /** Contracts by names of your own, for what the syntax of symbols cannot say. Default none. */
  readonly contracts?: Readonly<Record<string, IbkrContract>>;
  /** Which trades: `AllLast`, with those that are not reported at once, such as odd lots, or `Last`. Default `AllLast`. */
  readonly trades?: 'AllLast' | 'Last';
  /** What bars are made of. Default: trades; the midpoint for currencies, metals and CFDs; AGGTRADES for crypto. */
  readonly whatToShow?: WhatToShow;
  /** Whether bars are of regular trading hours alone. Default false. */
  readonly useRTH?: boolean;
  /** Which market data to ask for: without a subscription, `delayed`. Default `live`. */
  readonly marketDataType?: 'live' | 'frozen' | 'delayed' | 'delayed-frozen';
  /** How often to ask for a snapshot of each option, instead of holding a market data line for it. At least 1,000. Default: a line. */
  readonly optionSnapshotEveryMs?: number;
  /** The shortest time between two records of one option, in milliseconds. At least 1, default 1,000. */
  readonly optionIntervalMs?: number;
  /** Whose news, by IBKR's codes, such as `BRFG`. Default: all that the account has. */
  readonly newsProviders?: readonly string[];
  /** The address of a news item, which IBKR does not give. Default: one below `https://ibkr.invalid/news/` that leads nowhere. */
  readonly newsUrl?: (provider: string, article: string) => string;
  /** The report that figures are read from. Default `ReportsFinSummary`. */
  readonly fundamentalReport?: 'ReportsFinSummary' | 'ReportSnapshot';
  /** How long to wait for TWS to say that its servers are connected, before the first request, in milliseconds. Default 3,000. */
  readonly farmTimeoutMs?: number;
  /** How long a request of history may take, in milliseconds. At least 1, default 60,000. */
  readonly historyTimeoutMs?: number;
  /** What keeps the limits of requests, where several providers use one TWS: `ibkrPacer()`. Default: one of this provider's own. */
  readonly pacer?: SharedPacer<IbkrRequestCost>;
}

const OWNER = 'ibkr';
const CLIENT_ID = integer({ min: 0, max: 2_147_483_647 });
export const MARKET_DATA_TYPES = ['live', 'frozen', 'delayed', 'delayed-frozen'] as const;

const OPTIONS = {
  ...PROVIDER_STREAM,
  host: text().default('127.0.0.1'),
  port: integer({ min: 1, max: 65_535 }).default(7497),
  url: text(),
  clientId: unchecked(),
  historyClientId: CLIENT_ID,
  contracts: unchecked(),
  trades: oneOf(['AllLast', 'Last']).default('AllLast'),
  whatToShow: oneOf(WHAT_TO_SHOW),
  useRTH: boolean().default(false),
  marketDataType: oneOf(MARKET_DATA_TYPES).default('live'),
  optionSnapshotEveryMs: duration({ min: 1_000 }),
  optionIntervalMs: duration({ min: 1 }).default(1_000),
  newsProviders: listOf(text()).default([]),
  newsUrl: func(),
  fundamentalReport: oneOf(['ReportsFinSummary', 'ReportSnapshot']).default('ReportsFinSummary'),
  farmTimeoutMs: duration().default(3_000),
  historyTimeoutMs: duration({ min: 1 }).default(60_000),
  pacer: having('ask', 'poll', 'coolDown'),
} satisfies OptionsOf<IbkrConfig>;

export { OPTIONS as IBKR_OPTIONS };
export type ReadIbkrConfig = Read<IbkrConfig, typeof OPTIONS>;

export function readClientIds(clientId: unknown = 1): readonly number[] {
  if (!Array.isArray(clientId)) return [CLIENT_ID.required().read(OWNER, 'clientId', clientId)];
  const ids = listOf(CLIENT_ID, { min: 1 }).required().read(OWNER, 'clientId', clientId) as readonly number[];
  return [...new Set(ids)];
}

export function readContracts(contracts: unknown = {}): Readonly<Record<string, IbkrContract>> {
  if (typeof contracts !== 'object' || contracts === null || Array.isArray(contracts)) {
    reject(OWNER, 'contracts', 'an object of contracts by name', contracts);
  }
  for (const [name, contract] of Object.entries(contracts)) {
    const isContract = typeof contract === 'object' && contract !== null;
    const { conId, symbol, localSymbol } = (isContract ? contract : {}) as IbkrContract;
    if (conId === undefined && symbol === undefined && localSymbol === undefined) {
      reject(
        OWNER,
        `contracts[${JSON.stringify(name)}]`,
        'a contract with a conId, a symbol or a localSymbol',
        contract,
      );
    }
  }
  return contracts as Readonly<Record<string, IbkrContract>>;
}

/** The host and port of `tcp://127.0.0.1:4002`. */
export function readUrl(url: string): { readonly host: string; readonly port: number } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isPlain =
    parsed && /^(?:tcp|ibkr):$/.test(parsed.protocol) && /^\/?$/.test(parsed.pathname) && !parsed.username;
  const port = Number(parsed?.port);
  if (!isPlain || !parsed.hostname || !(port > 0))
    reject(OWNER, 'url', 'an address such as "tcp://127.0.0.1:4002"', url);
  return { host: parsed.hostname.replace(/^\[|\]$/g, ''), port };
}

/** 1 live, 2 frozen, 3 delayed, 4 delayed and frozen. */
export function marketDataTypeOf(type: (typeof MARKET_DATA_TYPES)[number]): 1 | 2 | 3 | 4 {
  return (MARKET_DATA_TYPES.indexOf(type) + 1) as 1 | 2 | 3 | 4;
}
