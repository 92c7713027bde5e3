import type { SchedulerLike } from 'rxjs';
import type { MarketEvent } from '../../../market/recordKinds.js';
import type { FakeVenue } from '../fakeVenue.js';

export interface FakeAlpacaConfig {
  /** The address that it listens on: of loopback, or one that other machines can reach. Default `127.0.0.1`. */
  readonly host?: string;
  /** The key that it accepts. Default `PKFAKEALPACA00000000`. */
  readonly key?: string;
  /** The secret that it accepts. Default one that no output may show. */
  readonly secret?: string;
  /** How long a client may take to log in, in milliseconds. Default 10,000. */
  readonly authTimeoutMs?: number;
  /** How long a client that is too slow may take to read the error that says so, in milliseconds. Default 50. */
  readonly slowGraceMs?: number;
  /** The clock and timers. Default: those of the process. */
  readonly scheduler?: SchedulerLike;
}

/** The errors of the stream (https://docs.alpaca.markets/docs/streaming-market-data, section Errors, read 2026-01). */
export const ERRORS = {
  400: 'invalid syntax',
  401: 'not authenticated',
  402: 'auth failed',
  403: 'already authenticated',
  404: 'auth timeout',
  405: 'symbol limit exceeded',
  406: 'connection limit exceeded',
  407: 'slow client',
  408: 'v2 not enabled',
  409: 'insufficient subscription',
  410: 'invalid subscribe action for this feed',
  500: 'internal error',
} as const;

export type AlpacaErrorCode = keyof typeof ERRORS;

/** Alpaca on loopback: see {@link startFakeAlpaca}. */
export interface FakeAlpaca extends FakeVenue {
  /** The key that it accepts, beside the {@link FakeVenue.secret}. */
  readonly key: string;
  /** Where its REST API listens, as the `restUrl` of the provider takes it. */
  readonly restUrl: string;
  /** How many requests for history were answered until now, and how many of these with 429. */
  readonly requests: { readonly answered: number; readonly tooMany: number };
  /** Sends an error to every connection. Some end it, as Alpaca does: 402, 404, 406, 407, 409. */
  sendError(code: AlpacaErrorCode): void;
  /** At most so many series of trades and quotes per connection; the request that exceeds it changes nothing. */
  limitSymbols(limit: number): void;
  /** At most so many requests for history per minute. Default 200. */
  limitRequests(perMinute: number): void;
  /** The rows of a page of history, whatever the request asks for. Default: what it asks for. */
  limitPages(rows: number): void;
  /** Keeps records for those who ask for history, without sending them. Published records are kept too, the last 200,000. */
  remember(records: readonly MarketEvent[]): void;
}
