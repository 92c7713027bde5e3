import type { Observable } from 'rxjs';
import type { MarketEvent, RecordKind } from '../market/recordKinds.js';
import type { PacingProfile } from '../policies/pacingProfile.js';
import type { Frame, Normalise, ProviderSession, Series } from './session.js';
import type { UsualSilence } from './usualSilence.js';

/** What a stream is asked for: each kind of each symbol. */
export interface SubscriptionRequest {
  /** At least one, of the provider's `kinds`. */
  readonly kinds: readonly RecordKind[];
  /** As the vendor spells them. An Observable of sets changes the subscriptions while the stream runs: each set replaces the last. */
  readonly symbols: readonly string[] | Observable<readonly string[]>;
  /** Of bars. Default: the first of the provider's `timeframes`, else `1m`. */
  readonly timeframe?: string;
  /**
   * Up to when a series is known already, in epoch milliseconds, such as the time of its last record in the store; `undefined` for
   * one that is not; a time to come counts as now. From there to its first confirmation the stream makes a gap record, `restart`; to
   * its refusal, where the vendor refuses it first. Asked once per series, when it is first wanted, and once more for one that was
   * not wanted any longer before it was confirmed. What it throws fails the stream. Default: nothing is known.
   */
  readonly resumeFrom?: (series: Series) => number | undefined;
}

/** A span of the past: the records of one series with `from <= ts < to`, in epoch milliseconds. */
export interface HistoryRange {
  readonly of: RecordKind;
  readonly symbol: string;
  /** Of bars, default `1m`. */
  readonly timeframe?: string;
  readonly from: number;
  readonly to: number;
}

/** A vendor's limits as data. */
export interface ProviderPacing {
  /** Of the messages that go out over a connection. */
  readonly messages?: PacingProfile<Frame>;
  /** Of requests for history. */
  readonly requests?: PacingProfile<HistoryRange>;
}

/** Where market data come from. */
export interface Provider {
  /** The vendor, as records have it: `massive`. */
  readonly name: string;
  /** The kinds of records that it can stream. */
  readonly kinds: readonly RecordKind[];
  /** The timeframes of its bars, where they are a fixed list; the first is the default. */
  readonly timeframes?: readonly string[];
  readonly pacing: ProviderPacing;
  /** Live records, with reconnection, and with a gap record for whatever was missed. */
  stream(request: SubscriptionRequest): Observable<MarketEvent>;
  /** Pages of the past, each asked for when the one before was taken; `return()` cancels the request under way. */
  history?(range: HistoryRange): AsyncIterable<readonly MarketEvent[]>;
}

/** What a connection tells its stream. None of these throws. */
export interface ConnectionEvents {
  opened(): void;
  /** `receivedAt` in epoch milliseconds; default: now. */
  frame(frame: Frame, receivedAt?: number): void;
  /** A sign of life that is no frame, such as a pong. */
  alive(): void;
  /** The connection is over, or was never made; called once. The error says why: the close code, the error of the socket. */
  closed(error: unknown): void;
  /**
   * Nothing will ever come again, on any connection, as at the end of a recording: the stream completes, or fails with the error.
   */
  finished?(error?: unknown): void;
}

/** An open connection, or one that is being opened. */
export interface Connection {
  send(frame: Frame): void;
  /** Releases everything at once, whatever the other side does. Nothing is told afterwards. */
  close(): void;
  /** Where the transport has pings of its own. */
  ping?(): void;
  /**
   * Stops reading until `resume()`, where that does no harm, as in a replay: while the gate downstream is closed, the stream then
   * holds the frame under way and nothing of it is conflated or lost. A vendor ends the connection of a client that does not
   * read: a transport to one has neither method.
   */
  pause?(): void;
  resume?(): void;
}

/** The only impure part of a provider: opens a connection. Tells nothing before it has returned. */
export type Connect = (events: ConnectionEvents) => Connection;

/** What a provider is made of: three pure things and a socket. */
export interface ProviderParts {
  readonly name: string;
  readonly kinds: readonly RecordKind[];
  /** The timeframes of its bars, where they are a fixed list; the first is the default, in place of `1m`. */
  readonly timeframes?: readonly string[];
  readonly pacing: ProviderPacing;
  /** Makes the session of a new connection. */
  readonly session: () => ProviderSession;
  /** Called once per stream, in place of `session`: what it returns makes that stream's sessions, which may share state. */
  readonly sessions?: () => () => ProviderSession;
  readonly normalise: Normalise;
  readonly connect: Connect;
  readonly history?: (range: HistoryRange) => AsyncIterable<readonly MarketEvent[]>;
  /** How quiet it may be: the defaults of `staleAfterMs` and `calendar`. Default: any silence is usual. */
  readonly silence?: UsualSilence;
  /** What must not appear in a capture, a log or an error: keys, tokens, passwords. */
  readonly secrets?: readonly string[];
}
