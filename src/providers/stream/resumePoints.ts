import { number, type Option } from '../../primitives/options.js';
import type { SubscriptionRequest } from '../provider.js';
import type { Series } from '../session.js';

/** What a callback may answer: the range of a JavaScript date. */
const KNOWN_UNTIL: Option<number> = number({ min: -8.64e15, max: 8.64e15 });

/** Up to when series were known before a stream began, asked once per series. */
export class ResumePoints {
  readonly #owner: string;
  readonly #resumeFrom: NonNullable<SubscriptionRequest['resumeFrom']>;
  readonly #now: () => number;
  /** Kind, symbol and timeframe. As many as the caller has named. */
  readonly #asked = new Set<string>();

  constructor(owner: string, resumeFrom: NonNullable<SubscriptionRequest['resumeFrom']>, now: () => number) {
    this.#owner = owner;
    this.#resumeFrom = resumeFrom;
    this.#now = now;
  }

  /** Asks the callback, whose errors are thrown on. `undefined` for a series that it was asked for before. */
  of(series: Series): number | undefined {
    const key = keyOf(series);
    if (this.#asked.has(key)) return undefined;
    const known = KNOWN_UNTIL.read(this.#owner, 'what resumeFrom returns', this.#resumeFrom(series));
    this.#asked.add(key);
    // A time to come says nothing of what is missing until then.
    return known === undefined ? undefined : Math.min(known, this.#now());
  }

  /** The series is no longer wanted, and was never confirmed: if it is wanted again, it is asked for again. */
  forget(series: Series): void {
    this.#asked.delete(keyOf(series));
  }
}

function keyOf({ of, symbol, timeframe }: Series): string {
  return `${of}\u0000${timeframe ?? ''}\u0000${symbol}`;
}
