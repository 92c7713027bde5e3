import { type FailureLink, walkFailure } from './walkFailure.js';

/** Whether an error, or one of its causes, carries a code: it is then of a known kind rather than somebody's `new Error`. */
export function hasFailureCode(error: unknown): boolean {
  return walkFailure(error, ({ sqlState, code }) => typeof (sqlState ?? code) === 'string' || undefined) ?? false;
}

/** Whether an error says that an established connection broke. Another one may be available at once. */
export function isLostConnection(error: unknown): boolean {
  const isLost = ({ connectionLost, code }: FailureLink) =>
    connectionLost === true || code === 'ECONNRESET' || code === 'EPIPE' || undefined;
  return walkFailure(error, isLost) ?? false;
}

/**
 * How long an error asks us to wait before the next attempt, by the `retryAfterMs` of it or of one of its causes, outermost
 * first. 0 if none says so, or if the value is no finite time.
 */
export function retryAfterMsOf(error: unknown): number {
  const ask = ({ retryAfterMs: ms }: FailureLink) =>
    typeof ms === 'number' && ms > 0 && Number.isFinite(ms) ? ms : undefined;
  return walkFailure(error, ask) ?? 0;
}
