import type { MarketEvent } from '../../market/recordKinds.js';
import type { Frame } from '../../providers/session.js';

/**
 * A vendor's server on loopback that speaks its protocol, and misbehaves on command. Each venue's own server adds what is
 * special to it.
 */
export interface FakeVenue {
  /** Where it listens, as the provider's `url` takes it. The port is chosen by the system. */
  readonly url: string;
  /** A key, user or password that it accepts; empty where the vendor has none. No output may ever show it. */
  readonly secret: string;

  /** How many connections are open. */
  readonly connections: number;
  /** When each connection until now was accepted, in epoch milliseconds. */
  readonly accepted: readonly number[];
  /** How many logins succeeded until now. */
  readonly logins: number;
  /** What the open connections are subscribed to, as the vendor names it: `T.AAPL`. Each once. */
  readonly subscriptions: readonly string[];
  /**
   * What clients have done against the vendor's limits, by the venue's own count: what, of which symbol if any, and when. Of very many,
   * the first 1,000.
   */
  readonly violations: readonly string[];
  /** Resolves when `isSo` holds; checked whenever the state above changes. */
  until(isSo: (venue: FakeVenue) => boolean): Promise<void>;

  /** Sends records, encoded as the vendor would, in one message per connection to those that are subscribed to them. */
  publish(records: readonly MarketEvent[]): void;
  /** The same, with an element among them, at this place, that the vendor would never send. */
  publishMalformed(records: readonly MarketEvent[], at: number): void;
  /** Sends a frame as it is to every connection. */
  send(frame: Frame): void;

  /** Breaks all connections without a word, as a reset. */
  reset(): void;
  /** Breaks connections right after they have logged in and subscribed, the next `times` of them. */
  kickAfterLogin(times: number): void;
  /** Refuses new connections until it is called with false. */
  refuse(on: boolean): void;
  /** Half-open: sockets stay, nothing is sent, pings are not answered, what arrives is ignored; false ends it for new connections. */
  mute(on: boolean): void;
  /** Answers logins with the vendor's words for a wrong key, or for a plan that lacks the data; undefined accepts them again. */
  rejectLogins(why: 'credentials' | 'entitlement' | undefined): void;
  /** At most so many connections per account, and which one yields when there is one too many. */
  limitConnections(limit: number, yields: 'older' | 'newer'): void;
  /** Never answers a subscription to this symbol. */
  ignoreSymbol(symbol: string): void;
  /** Refuses a subscription to this symbol in the vendor's words. */
  refuseSymbol(symbol: string): void;
  /** Ends a connection as the vendor does when so many bytes wait to be read by its client. */
  limitBuffer(bytes: number): void;

  /** Of a vendor that says so before it ends a connection: says it on every connection that is open, and ends none of them yet. */
  announceEnd?(): void;
  /** Sends records like `publish`, over one connection only: the one at this place, from 0, in the order in which they were accepted. */
  publishTo?(place: number, records: readonly MarketEvent[]): void;

  close(): Promise<void>;
}
