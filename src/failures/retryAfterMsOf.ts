/** How deep causes are looked into: chains are short, and may be loops. */
const MAX_CAUSE_DEPTH = 8;

/**
 * How long an error asks us to wait before the next attempt, by a `retryAfterMs` on it or on one of its causes, the outermost
 * first. 0 where it does not say, or says what is no time: an endless one is no help to who wants to try again.
 */
export function retryAfterMsOf(error: unknown): number {
  let link = error;
  for (let depth = 0; depth <= MAX_CAUSE_DEPTH && typeof link === 'object' && link !== null; depth++) {
    const { retryAfterMs, cause } = link as { retryAfterMs?: unknown; cause?: unknown };
    if (typeof retryAfterMs === 'number' && retryAfterMs > 0 && Number.isFinite(retryAfterMs)) return retryAfterMs;
    link = cause;
  }
  return 0;
}
