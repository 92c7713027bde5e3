import {
  BadCredentials,
  ConnectionLost,
  NotEntitled,
  PacingViolation,
  type ProviderError,
  UnknownInstrument,
} from './providerErrors.js';
import { maskSecrets } from './stream/streamErrors.js';

/** An answer over HTTP that is not the one that was asked for. */
export interface HttpAnswer {
  readonly status: number;
  readonly statusText?: string | undefined;
  /** The header of that name. */
  readonly retryAfter?: string | null | undefined;
  /** As much of it as was read. */
  readonly body?: string | undefined;
}

export interface HttpFailureConfig {
  readonly name: string;
  /** What was asked, in words: `the handshake`, `GET /v3/trades/AAPL`. */
  readonly what: string;
  readonly now: number;
  /** How long to wait after too many requests, where the vendor does not say, in milliseconds. */
  readonly cooldownMs: number;
  readonly secrets?: readonly string[] | undefined;
}

/**
 * What an HTTP status means: 401, the key; 402, 403 and 451, the entitlement; 418 and 429, the pace; 400, 404, 410 and 422, what was
 * asked; anything else, the connection. The error has the vendor's words.
 */
export function httpFailure(answer: HttpAnswer, config: HttpFailureConfig): ProviderError {
  const { status, retryAfter } = answer;
  const { name, what, now, cooldownMs, secrets } = config;
  const words = wordsOf(answer, secrets);
  const message = `${what} was answered with HTTP ${status}${words && `: ${words}`}`;
  const cause = { cause: words || `HTTP ${status}` };
  const retryAfterMs = retryAfterOf(retryAfter, now);
  const wait = retryAfterMs === undefined ? cause : { ...cause, retryAfterMs };
  switch (status) {
    case 401:
      return new BadCredentials(name, message, cause);
    case 402:
    case 403:
      return new NotEntitled(name, message, cause);
    case 451:
      return new NotEntitled(name, `${message} (it does not serve the region that you connect from)`, cause);
    case 418:
    case 429:
      return new PacingViolation(name, message, { ...cause, retryAfterMs: retryAfterMs ?? cooldownMs });
    case 400:
    case 404:
    case 410:
    case 422:
      return new UnknownInstrument(name, message, cause);
    default:
      return new ConnectionLost(name, message, wait);
  }
}

/** The wait of a `Retry-After` header in milliseconds: seconds, or a date (RFC 9110, section 10.2.3). */
export function retryAfterOf(header: string | null | undefined, now: number): number | undefined {
  if (typeof header !== 'string' || header.trim() === '') return undefined;
  const seconds = /^\s*\d+(?:\.\d+)?\s*$/.test(header) ? Number(header) : Number.NaN;
  const ms = Number.isNaN(seconds) ? Date.parse(header) - now : seconds * 1_000;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS);
}

const MAX_RETRY_AFTER_MS = 24 * 3_600_000;
const MAX_WORDS = 300;

/** What the vendor says in an answer: the message of its JSON, else its text, else the name of the status. */
function wordsOf({ statusText = '', body = '' }: HttpAnswer, secrets: readonly string[] = []): string {
  const words = jsonWords(body);
  // Before anything is cut out of it.
  const masked = maskSecrets(words ?? body, secrets);
  const said = words === undefined ? masked.replace(/<[^>]{0,1000}>/g, ' ') : masked;
  const text = said.replace(/\s+/g, ' ').trim();
  return (text || maskSecrets(statusText, secrets)).slice(0, MAX_WORDS);
}

function jsonWords(body: string): string | undefined {
  try {
    const answer = JSON.parse(body) as Readonly<Record<string, unknown>> | null;
    if (typeof answer !== 'object' || answer === null) return undefined;
    for (const name of ['error', 'message', 'msg', 'error_details']) {
      const value = answer[name];
      if (typeof value === 'string' && value !== '') return value;
      const inner = (value as { readonly message?: unknown } | null | undefined)?.message;
      if (typeof inner === 'string') return inner;
    }
    return undefined;
  } catch {
    return undefined;
  }
}
