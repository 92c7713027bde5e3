import type { GapCause } from '../market/gap.js';
import type { MarketEvent, RecordKind } from '../market/recordKinds.js';
import { printable } from '../primitives/printable.js';
import type { ProviderError } from './providerErrors.js';

/** What passes over a connection, below any decoder: the text or the bytes of one message. */
export type Frame = string | Uint8Array;

/** One thing that can be subscribed to: the records of one kind and symbol. */
export interface Series {
  readonly of: RecordKind;
  /** As the vendor spells it; `*` for all symbols, where the vendor offers that. */
  readonly symbol: string;
  /** Of bars. */
  readonly timeframe?: string;
}

/** A series that the vendor will not deliver on this connection, and why. */
export interface Refusal {
  readonly series: Series;
  readonly error: ProviderError;
}

/** Records that the session knows to be missing, such as a jump in the vendor's sequence. */
export interface Hole {
  readonly series: Series;
  /** The time of the last record before the hole, in epoch milliseconds. */
  readonly from: number;
  /** The time of the first record after it. */
  readonly to: number;
  /** At least so many records of the series are missing, where the vendor numbers its records. Default: not known. */
  readonly rows?: number;
  /** Default `sequence`. */
  readonly cause?: GapCause;
  /** Why, in words, where the cause does not say enough. */
  readonly reason?: string;
}

/** What a session wants done after an input. An absent member says nothing. */
export interface SessionStep {
  /** Frames to send, in this order, as fast as the pacing of the provider allows. */
  readonly send?: readonly Frame[];
  /** The data elements of the frame, in its order, as the provider's `normalise` takes them. */
  readonly elements?: readonly unknown[];
  /** The vendor has accepted the login: subscriptions follow. A vendor without a login is ready when it is open. */
  readonly isReady?: boolean;
  /** Subscriptions that the vendor has confirmed. */
  readonly confirmed?: readonly Series[];
  readonly refused?: readonly Refusal[];
  readonly holes?: readonly Hole[];
  /** Series that data came of, whose records are of another symbol: those of an option contract have that of its underlying. */
  readonly heard?: readonly Series[];
  /** What an operator should read in the log, in the vendor's words. */
  readonly notices?: readonly string[];
  /**
   * The connection is of no more use, and is closed. The error decides what is next: `retryable` and `retryAfterMs`; one that is
   * not retryable ends the stream.
   */
  readonly fail?: ProviderError;
  /**
   * The vendor will end this connection soon: a successor is opened, and this connection is closed once the successor has taken
   * over. Both deliver in between; a record is emitted once, by its `seq`, which must rise within each series.
   */
  readonly handOver?: boolean;
  /** When `timer()` is to be called, in epoch milliseconds. It replaces the time that was asked before; `Infinity` cancels it. */
  readonly wakeAt?: number;
}

/**
 * The dialogue of one connection, from its opening to its end, as a state machine: no socket, no clock, no promise. Times are
 * epoch milliseconds. A session is used for one connection; what outlives it (which series are wanted, since when each is
 * silent) belongs to the stream.
 *
 * A session never throws at what a vendor sends: a frame that makes no sense is `{ fail }`, an element that makes none is
 * refused by `normalise`.
 */
export interface ProviderSession {
  /** The connection is open. */
  opened(now: number): SessionStep;
  frame(frame: Frame, now: number): SessionStep;
  /** The time of `wakeAt` has come. */
  timer(now: number): SessionStep;
  /** Only after `isReady`. What is subscribed already is left alone. */
  subscribe(series: readonly Series[], now: number): SessionStep;
  unsubscribe(series: readonly Series[], now: number): SessionStep;
}

/** An element that cannot be read, and why in words. */
export class Unreadable {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = printable(reason);
  }
}

/**
 * Turns one element of the vendor into records. Pure: the same element and time of receipt give the same records. An element
 * that the vendor may send and that makes no record gives an empty array; one that is malformed or unknown gives
 * {@link Unreadable}, is diverted as it came, and its neighbours pass.
 */
export type Normalise = (element: unknown, receivedAt: number) => MarketEvent | readonly MarketEvent[] | Unreadable;
