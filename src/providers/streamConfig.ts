import type { SchedulerLike } from 'rxjs';
import type { DeadLetters } from '../contracts/diversion.js';
import { BACKOFF, type BackoffOptions } from '../policies/backoff.js';
import type { MarketCalendar } from '../policies/marketCalendar.js';
import { eventLoopScheduler } from '../primitives/eventLoopScheduler.js';
import { duration, func, having, integer, type OptionsOf, type Read, text } from '../primitives/options.js';
import type { Connect } from './provider.js';
import type { Refusal } from './session.js';

/** An element of the vendor that could not be read. */
export interface RejectedElement {
  /** As the session cut it out of its frame. */
  readonly element: unknown;
  readonly reason: string;
}

/** An attempt that is about to be made. */
export interface ProviderRetry {
  readonly error: unknown;
  /** The number of the failure in its row, from 1. */
  readonly attempt: number;
  readonly delayMs: number;
}

/**
 * What the stream of every provider can be told. The first wait of the backoff is 1,000 ms by default (`initialMs`), the longest
 * 30,000 ms (`maxMs`).
 */
export interface ProviderStreamConfig extends BackoffOptions {
  /** How many records may wait while the gate downstream is closed. Integer of at least 1, default 100,000. */
  readonly capacity?: number;
  /** How many attempts in a row may fail before the stream does. Integer of at least 1; default `Infinity`. */
  readonly maxAttempts?: number;
  /**
   * How long a connection must have been open, and have carried data, for its end to count as the first failure in a row, in
   * milliseconds. 0 or more, default 10,000.
   */
  readonly healthyAfterMs?: number;
  /** How long to wait when the account has used up its quota and the vendor says no time, in milliseconds. Default 60,000. */
  readonly quotaCooldownMs?: number;
  /** How long opening a connection and logging in may take, in milliseconds. At least 1, default 10,000. */
  readonly connectTimeoutMs?: number;
  /**
   * How long a subscription may go unconfirmed, in milliseconds since the last one was sent or answered. At least 1, default
   * 10,000.
   */
  readonly confirmAfterMs?: number;
  /** How often to ping, where the transport has pings, in milliseconds. At least 1, default 20,000. */
  readonly pingEveryMs?: number;
  /** How long a connection may give no sign of life, in milliseconds. At least 1, default 40,000. */
  readonly deadAfterMs?: number;
  /**
   * How long a connection that is alive may carry no data while the market is open, in milliseconds. At least 1, or `Infinity`
   * for any time. Default: that of the venue, which says how long one symbol may be silent, divided by the number of symbols, and at least
   * five minutes; `Infinity` for a venue without one.
   */
  readonly staleAfterMs?: number;
  /** When the market is open: silence while it is closed is not stale. Default: that of the venue; always for one without. */
  readonly calendar?: MarketCalendar;
  /** Where elements go that cannot be read. Default: they are counted as dropped, for the reason `unreadable`. */
  readonly deadLetters?: DeadLetters<unknown>;
  /** Called with each element that cannot be read. */
  readonly onRejected?: (rejected: RejectedElement) => void;
  /** Called with each series that the vendor refuses. */
  readonly onRefused?: (refusal: Refusal) => void;
  /** Called with what the vendor tells an operator, in its own words. */
  readonly onNotice?: (notice: string) => void;
  /** Called before each wait for the next attempt. */
  readonly onRetry?: (retry: ProviderRetry) => void;
  /**
   * Stands between the stream and its transport: to record what passes, to replay it, or for a test. Default: the transport
   * itself.
   */
  readonly wrapConnect?: (connect: Connect, about: ConnectOwner) => Connect;
  /** A number from 0, below 1. Default: from a generator seeded by the clock. */
  readonly random?: () => number;
  /** The clock and timers. Default: those of `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The name of the stage in topology, metrics and the report. Default: the name of the provider. */
  readonly name?: string;
}

/** Whose connection is wrapped. */
export interface ConnectOwner {
  readonly name: string;
  /** What must not appear in a capture. */
  readonly secrets: readonly string[];
}

/** The spec of {@link ProviderStreamConfig}: a venue spreads it into its own. */
export const PROVIDER_STREAM = {
  ...BACKOFF,
  initialMs: duration().default(1_000),
  maxMs: duration().default(30_000),
  capacity: integer({ min: 1 }).default(100_000),
  maxAttempts: integer({ min: 1 }).or(Number.POSITIVE_INFINITY).default(Number.POSITIVE_INFINITY),
  healthyAfterMs: duration().default(10_000),
  quotaCooldownMs: duration().default(60_000),
  connectTimeoutMs: duration({ min: 1 }).default(10_000),
  confirmAfterMs: duration({ min: 1 }).default(10_000),
  pingEveryMs: duration({ min: 1 }).default(20_000),
  deadAfterMs: duration({ min: 1 }).default(40_000),
  staleAfterMs: duration({ min: 1 }).or(Number.POSITIVE_INFINITY),
  calendar: having('isOpen', 'nextChange'),
  deadLetters: having('append'),
  onRejected: func(),
  onRefused: func(),
  onNotice: func(),
  onRetry: func(),
  wrapConnect: func(),
  random: func(),
  scheduler: having('now', 'schedule').default(eventLoopScheduler),
  name: text(),
} satisfies OptionsOf<ProviderStreamConfig>;

export type StreamSettings = Read<ProviderStreamConfig, typeof PROVIDER_STREAM>;

/** Of the config of a venue, what its stream is told. */
export function streamOptionsOf(config: ProviderStreamConfig): ProviderStreamConfig {
  const known = Object.keys(PROVIDER_STREAM);
  return Object.fromEntries(Object.entries(config).filter(([option]) => known.includes(option)));
}
