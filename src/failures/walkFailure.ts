/** An error, or one of its causes. Nothing is known of the types: any library may have made it. */
export interface FailureLink {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly sqlState?: unknown;
  readonly cause?: unknown;
  /** Of an `AggregateError`, such as the one of a host with several addresses. */
  readonly errors?: unknown;
  readonly failureClass?: unknown;
  readonly retryable?: unknown;
  readonly retryAfterMs?: unknown;
  readonly connectionLost?: unknown;
  readonly rejected?: unknown;
  readonly rule?: unknown;
  /** Of an error of Postgres. */
  readonly constraint?: unknown;
  readonly column?: unknown;
}

/** How deep causes are followed, and how many errors are visited in all: a chain may be a circle, or have no end. */
const MAX_DEPTH = 8;
const MAX_LINKS = 64;

/**
 * The one walk over an error and what caused it, outermost first. Returns the first answer of `visit` other than `undefined`;
 * among the errors of an aggregate, the first answer that `prefer` accepts, else the first. `depth` is 0 for the error itself.
 */
export function walkFailure<R>(
  error: unknown,
  visit: (link: FailureLink, depth: number) => R | undefined,
  prefer: (answer: R) => boolean = () => true,
): R | undefined {
  const seen = new Set<object>();
  const walk = (link: FailureLink | unknown, depth: number): R | undefined => {
    if (typeof link === 'string') return visit({ message: link }, depth);
    if (typeof link !== 'object' || link === null) return undefined;
    if (depth > MAX_DEPTH || seen.size >= MAX_LINKS || seen.has(link)) return undefined;
    seen.add(link);
    const { cause, errors } = link as FailureLink;
    const answer = visit(link, depth) ?? walk(cause, depth + 1);
    if (answer !== undefined || !Array.isArray(errors)) return answer;
    let first: R | undefined;
    for (const one of errors.slice(0, MAX_LINKS)) {
      const found = walk(one, depth + 1);
      if (found !== undefined && prefer(found)) return found;
      first ??= found;
    }
    return first;
  };
  return walk(error, 0);
}
