import {
  BadCredentials,
  ConnectionLost,
  NotEntitled,
  type ProviderError,
  QuotaExceeded,
  UnknownInstrument,
} from '../providerErrors.js';

/** The name of the vendor in records and errors. */
export const VENDOR = 'alpaca';

/** An account has one connection, and a closed one is remembered for a while. */
export const CONNECTION_COOLDOWN_MS = 60_000;

/**
 * What an error of the stream means:
 *
 * - `end`: another attempt gives the same answer, so the stream ends;
 * - `reconnect`: the connection is closed and made again;
 * - `refuse`: the answer to a subscription, of which at least one series is at fault;
 * - `ignore`: nothing is wrong.
 */
type Meaning = 'end' | 'reconnect' | 'refuse' | 'ignore';

interface ErrorRow {
  readonly meaning: Meaning;
  /** What it means in words. The vendor's own words follow in the message. */
  readonly text: string;
  readonly error: (message: string, cause: unknown) => ProviderError;
}

const lost = (message: string, cause: unknown) => new ConnectionLost(VENDOR, message, { cause });
const credentials = (message: string, cause: unknown) => new BadCredentials(VENDOR, message, { cause });
const entitled = (message: string, cause: unknown) => new NotEntitled(VENDOR, message, { cause });
const unknown = (message: string, cause: unknown) => new UnknownInstrument(VENDOR, message, { cause });
const quota = (message: string, cause: unknown) =>
  new QuotaExceeded(VENDOR, message, { cause, retryAfterMs: CONNECTION_COOLDOWN_MS });

/**
 * The errors of the stream by their codes (https://docs.alpaca.markets/docs/streaming-market-data, section Errors, read 2026-01;
 * 408 from the vendor's JavaScript client 4.0.2, `src/streaming/websocket.ts`).
 */
const ERRORS: Readonly<Record<number, ErrorRow>> = {
  400: {
    meaning: 'refuse',
    text: 'the subscription is not valid; is the symbol spelled as Alpaca does?',
    error: unknown,
  },
  401: { meaning: 'reconnect', text: 'the connection is not logged in', error: lost },
  402: { meaning: 'end', text: 'the key or the secret is wrong', error: credentials },
  403: { meaning: 'ignore', text: 'the connection is logged in already', error: lost },
  404: { meaning: 'reconnect', text: 'the login did not reach Alpaca in time', error: lost },
  405: { meaning: 'refuse', text: 'the plan allows no more symbols', error: quota },
  406: {
    meaning: 'reconnect',
    text: 'the account has no further connection; is another program connected?',
    error: quota,
  },
  407: { meaning: 'reconnect', text: 'Alpaca closes connections that are read too slowly', error: lost },
  408: { meaning: 'end', text: 'the account has no access to these data', error: entitled },
  409: { meaning: 'end', text: 'the plan does not include this feed', error: entitled },
  410: { meaning: 'refuse', text: 'this feed has no such channel', error: unknown },
  500: { meaning: 'reconnect', text: 'Alpaca failed', error: lost },
};

export interface AlpacaFailure {
  readonly meaning: Meaning;
  readonly code: number | undefined;
  /** In words, Alpaca's own among them. */
  readonly text: string;
  /** The error; `about` is what Alpaca does not name itself. */
  readonly error: (about?: string) => ProviderError;
}

/** Reads an element with `T` of `error`. One with a code that is not known counts as the answer to whatever was asked. */
export function failureOf(element: Readonly<Record<string, unknown>>): AlpacaFailure {
  const code = typeof element.code === 'number' ? element.code : undefined;
  const words = typeof element.msg === 'string' ? element.msg : 'no message';
  const row = code === undefined ? undefined : ERRORS[code];
  const { meaning, text, error } = row ?? { meaning: 'refuse', text: 'Alpaca reports an error', error: unknown };
  const message = `${text} (${code ?? 'no code'}: ${words})`;
  const errorOf = (about?: string) => error(about === undefined ? message : `${about}: ${message}`, element);
  return { meaning, code, text: message, error: errorOf };
}
