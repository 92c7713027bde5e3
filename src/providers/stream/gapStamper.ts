import type { Gap, GapCause } from '../../market/gap.js';
import type { Series } from '../session.js';

/** What is missing of a series, in epoch milliseconds, both ends included. */
export interface MissingSpan {
  readonly series: Series;
  readonly from: number;
  readonly to: number;
  readonly cause: GapCause;
  /** At least so many records are missing. Default: not known. */
  readonly rows?: number | undefined;
  /** Why, in words, where the cause does not say enough. */
  readonly reason?: string;
}

/** Makes the gap records of one stream. Their `seq` is the time in microseconds, and rises with each. */
export class GapStamper {
  readonly #vendor: string;
  readonly #now: () => number;
  #last = 0;

  constructor(vendor: string, now: () => number) {
    this.#vendor = vendor;
    this.#now = now;
  }

  gap({ series, from, to, cause, rows, reason }: MissingSpan): Gap {
    this.#last = Math.max(this.#last + 1, Math.floor(this.#now() * 1_000));
    return {
      kind: 'gap',
      vendor: this.#vendor,
      symbol: series.symbol,
      of: series.of,
      ...(series.timeframe !== undefined && { timeframe: series.timeframe }),
      from,
      // The clock of a vendor may be ahead of ours.
      to: Math.max(from, to),
      cause,
      state: 'open',
      ...(rows !== undefined && { rows }),
      ...(reason !== undefined && { reason }),
      seq: this.#last,
    };
  }
}
