import { walkFailure } from './walkFailure.js';

/**
 * How long an error asks us to wait before the next attempt, by the `retryAfterMs` of it or of one of its causes, outermost
 * first. 0 if none says so, or if the value is no finite time.
 */
export function retryAfterMsOf(error: unknown): number {
  const ask = ({ retryAfterMs: ms }: { readonly retryAfterMs?: unknown }) =>
    typeof ms === 'number' && ms > 0 && Number.isFinite(ms) ? ms : undefined;
  return walkFailure(error, ask) ?? 0;
}
