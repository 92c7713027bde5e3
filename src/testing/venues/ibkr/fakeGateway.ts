import type { MarketEvent } from '../../../market/recordKinds.js';
import type { FakeVenue } from '../fakeVenue.js';
import type { WireField } from './wire.js';

export interface FakeGatewayOptions {
  /** The address that it listens on: of loopback, or one that other machines can reach. Default `127.0.0.1`. */
  readonly host?: string;
  /** The version of the protocol that it says to speak. Default 176; clients of IBKR take 100 to 193. */
  readonly serverVersion?: number;
  /** Never says the next order id, so that clients wait for ever. Default false. */
  readonly withholdsOrderId?: boolean;
  /** Which farms it says to be connected after the login. Default `ok`: all; `broken`: market data are not; `silent`: it says nothing. */
  readonly farms?: 'ok' | 'broken' | 'silent';
  /** Sends its messages in pieces of that many bytes. Integer of at least 1; default: whole. */
  readonly splitEvery?: number;
  /**
   * Whether a request against the limits of IBKR is refused, as TWS does: history with 162, real-time bars with 420, tick-by-tick data
   * with 10189, more than 50 messages a second with 100. They are counted as `violations` all the same. Default true.
   */
  readonly enforcesPacing?: boolean;
  /** The clock of its answers, in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/**
 * TWS or IB Gateway on loopback, as far as market data go: it speaks the text protocol of server version 176, and clients such as
 * `@stoqey/ib` connect to it. Every contract that is asked for exists; each symbol is one contract.
 */
export interface FakeGateway extends FakeVenue {
  readonly port: number;
  /** The ids of the clients that are connected. */
  readonly clientIds: readonly number[];
  /** How many messages of each kind came until now: `details`, `history`, `bars`, `ticks`, `time`, `cancel` and so on. */
  readonly requests: Readonly<Record<string, number>>;
  /** What it answers requests for history, news and fundamentals from. In order of time. */
  setHistory(records: readonly MarketEvent[]): void;
  /** Sends an error or a notice: to whom is subscribed to the symbol, with the request's id, or to all without one. */
  error(code: number, text: string, symbol?: string): void;
  /** Answers the next `times` requests of a kind with an error, such as 420 to `bars`. */
  failNext(kind: string, code: number, text: string, times?: number): void;
  /** Loses the servers of IBKR: 1100, and no data until {@link restore}. */
  loseServers(): void;
  /** Has them back: 1102 with the subscriptions kept, 1101 with all of them lost. */
  restore(areSubscriptionsKept: boolean): void;
  /** Answers a lookup of the symbol with so many contracts. */
  makeAmbiguous(symbol: string, contracts: number): void;
  /** Sends a message of these fields to every client. */
  sendFields(fields: readonly WireField[]): void;
  /** Says which market data a subscription gets: 1 live, 2 frozen, 3 delayed, 4 delayed and frozen. */
  marketDataType(type: 1 | 2 | 3 | 4): void;
  /** Keeps the answers to requests of the past until it is called with false: so many are open meanwhile. */
  holdHistory(on: boolean): void;
  /** The most requests of the past that were open at a time. */
  readonly mostOpen: number;
}
