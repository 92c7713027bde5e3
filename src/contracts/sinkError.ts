import type { FailureClass, FailureTraits, RejectedItem } from '../failures/classifyFailure.js';

/** What a sink says about a failed write. */
export interface SinkErrorOptions {
  /**
   * `transient`: the batch can be written later. `poison`: items of it are refused, and the others can be written. `fatal`:
   * nothing can be written until a person acts.
   */
  readonly failureClass: FailureClass;
  /**
   * Of a `poison` failure: the places in the batch of the items that are refused, counted from 0, or the places with an error for
   * each. Only they are given up, and the others are written again at once. Default: not known, so the writer finds them by
   * writing parts of the batch.
   */
  readonly rejected?: readonly (number | RejectedItem)[] | undefined;
  /**
   * How long no writer of this sink shall make an attempt, in milliseconds. What is not finite or not above 0 is ignored, as a
   * `Retry-After` that was no number. Default: the writer's own waits.
   */
  readonly retryAfterMs?: number | undefined;
  /**
   * Of a `poison` failure: the rule that refuses the items, such as the name of a constraint. When one item after the other is
   * refused by one rule, nothing more is given up: the writer waits for the target to be mended. Default: none, and every
   * item that is refused alone is given up.
   */
  readonly rule?: string | undefined;
  /** The connection broke, and another one may be available at once: the first retry does not wait. Default false. */
  readonly connectionLost?: boolean | undefined;
  /** The error of the client or the server. If it has a `code`, metrics and dead letters are labelled by that. */
  readonly cause?: unknown;
}

/**
 * The error by which a sink of your own tells the writer what to do about a failed write. Any error with the same properties is
 * understood as well, also as a `cause`.
 *
 * @example
 * ```ts
 * import { defer } from 'rxjs';
 * import { type Sink, SinkError } from 'sluice';
 *
 * interface Quote {
 *   readonly symbol: string;
 *   readonly price: number;
 * }
 *
 * const httpSink: Sink<Quote> = {
 *   name: 'quotes-api',
 *   keyOf: (quote) => quote.symbol,
 *   write: (batch) =>
 *     defer(async () => {
 *       const reply = await fetch('https://quotes.example/bulk', { method: 'POST', body: JSON.stringify(batch) });
 *       if (reply.ok) return { rows: batch.length };
 *       const cause = { code: `HTTP_${reply.status}` };
 *       if (reply.status === 422) {
 *         const { bad } = (await reply.json()) as { bad: number[] };
 *         throw new SinkError('the API refuses quotes', { failureClass: 'poison', rejected: bad, cause });
 *       }
 *       const seconds = Number(reply.headers.get('retry-after') ?? 0);
 *       const failureClass = reply.status === 401 ? 'fatal' : 'transient';
 *       throw new SinkError(`the API answers ${reply.status}`, { failureClass, retryAfterMs: seconds * 1_000, cause });
 *     }),
 * };
 * ```
 */
export class SinkError extends Error implements FailureTraits {
  override readonly name = 'SinkError';
  readonly code = 'SLUICE_SINK_FAILED';
  readonly failureClass: FailureClass;
  readonly rejected?: readonly (number | RejectedItem)[];
  readonly retryAfterMs?: number;
  readonly rule?: string;
  readonly connectionLost?: boolean;

  constructor(message: string, options: SinkErrorOptions) {
    const { failureClass, rejected, retryAfterMs, rule, connectionLost } = options;
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.failureClass = failureClass;
    if (rejected !== undefined) this.rejected = rejected;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
    if (rule !== undefined) this.rule = rule;
    if (connectionLost !== undefined) this.connectionLost = connectionLost;
  }
}

export function isSinkError(error: unknown): error is SinkError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_SINK_FAILED';
}
