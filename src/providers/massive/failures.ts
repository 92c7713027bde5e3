import {
  BadCredentials,
  ConnectionLost,
  NotEntitled,
  type ProviderError,
  QuotaExceeded,
  UnknownInstrument,
} from '../providerErrors.js';
import { VENDOR } from './markets.js';

/** How long an account stays away that has too many connections, in milliseconds. */
export const QUOTA_COOLDOWN_MS = 60_000;

/** The words for a plan that lacks something, rather than for a wrong key or an unknown channel. */
const ENTITLEMENT = /not authorized|not entitled|entitle|plan|upgrade|subscription|permission|access/i;

/**
 * Why a login was refused. The vendor has one status for both reasons: "authentication failed" is a wrong key, and "Your plan doesn't
 * include websocket access." is the plan.
 */
export function loginRefused(words: string): ProviderError {
  const cause = { cause: words };
  if (ENTITLEMENT.test(words)) return new NotEntitled(VENDOR, `the plan does not include this: ${words}`, cause);
  return new BadCredentials(VENDOR, `the key was rejected: ${words}`, cause);
}

/** Why a subscription was refused. The answer names none; `slot` is the one that it was found to be about. */
export function subscriptionRefused(slot: string, words: string): ProviderError {
  const cause = { cause: words };
  const message = `the subscription to ${slot} was refused: ${words}`;
  return ENTITLEMENT.test(words)
    ? new NotEntitled(VENDOR, message, cause)
    : new UnknownInstrument(VENDOR, message, cause);
}

export function tooManyConnections(words: string): ProviderError {
  return new QuotaExceeded(VENDOR, `the account has too many connections: ${words}; is another program connected?`, {
    cause: words,
    retryAfterMs: QUOTA_COOLDOWN_MS,
  });
}

export function lost(message: string, cause?: unknown): ProviderError {
  return new ConnectionLost(VENDOR, message, cause === undefined ? {} : { cause });
}

/** Whether a connection was closed with code 1008, which the vendor uses for accounts with too many of them. */
export function isPolicyViolation(error: unknown): error is Error {
  return error instanceof Error && /closed the connection with code 1008\b/.test(error.message);
}
