/** How deep a chain of causes is followed; it may be a circle. */
const DEEPEST = 8;

/** Whether an error, or what caused it, carries a code: it is then of a known kind, and not somebody's `new Error`. */
export function hasFailureCode(error: unknown): boolean {
  let current = error as { code?: unknown; sqlState?: unknown; cause?: unknown } | null | undefined;
  for (let depth = 0; depth < DEEPEST && typeof current === 'object' && current !== null; depth++) {
    if (typeof current.code === 'string' || typeof current.sqlState === 'string') return true;
    current = current.cause as typeof current;
  }
  return false;
}
