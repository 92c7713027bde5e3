/** How deep a chain of causes is followed; it may be a circle. */
const MAX_DEPTH = 8;

/** Of an error and what caused it, outermost first. */
function* codesOf(error: unknown): Generator<string> {
  let current = error as { code?: unknown; sqlState?: unknown; cause?: unknown } | null | undefined;
  for (let depth = 0; depth < MAX_DEPTH && typeof current === 'object' && current !== null; depth++) {
    if (typeof current.sqlState === 'string') yield current.sqlState;
    if (typeof current.code === 'string') yield current.code;
    current = current.cause as typeof current;
  }
}

/** Whether an error, or what caused it, carries a code: it is then of a known kind, and not somebody's `new Error`. */
export function hasFailureCode(error: unknown): boolean {
  return !codesOf(error).next().done;
}

/** A connection that there was is gone: the server ended it (57P01), or the line did. */
const LOST = new Set(['SLUICE_STORE_CONNECTION_LOST', 'ECONNRESET', 'EPIPE', '57P01', '08003', '08006']);

/** Whether an error says that a connection broke. Another one may well be had at once. */
export function isLostConnection(error: unknown): boolean {
  for (const code of codesOf(error)) if (LOST.has(code)) return true;
  return false;
}
