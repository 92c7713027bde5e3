import type { RecordKind } from '../../market/recordKinds.js';

/** The most series of which losses are kept apart. What is lost of others is one span for all symbols of a kind. */
export const MAX_LOST_SERIES = 10_000;

/** What was lost of one series: every record of it with `from <= time <= to` may be missing. */
export interface Loss {
  readonly of: RecordKind;
  /** `*` for all symbols. */
  readonly symbol: string;
  readonly timeframe: string | undefined;
  from: number;
  to: number;
  /** How many records. */
  count: number;
  /**
   * How many rows of the store they would be, at least: a bar has several records and one row, and a record that is not later than the
   * ones before may be a repetition.
   */
  rows: number;
}

/** What was lost since the last gap records, in bounded memory. */
export class LossLedger {
  readonly #maxSeries: number;
  readonly #bySymbol = new Map<RecordKind, Map<string, Loss>>();
  #size = 0;

  constructor(maxSeries = MAX_LOST_SERIES) {
    this.#maxSeries = maxSeries;
  }

  /** How many spans it has. At most `maxSeries`, and one more per kind. */
  get size(): number {
    return this.#size;
  }

  add(
    of: RecordKind,
    symbol: string,
    timeframe: string | undefined,
    from: number,
    to: number,
    count: number,
    rows: number,
  ): void {
    const losses = this.#bySymbol.get(of) ?? new Map<string, Loss>();
    this.#bySymbol.set(of, losses);
    let loss = losses.get(symbol);
    if (!loss) {
      const key = this.#size < this.#maxSeries ? symbol : '*';
      loss = losses.get(key);
      if (!loss) {
        losses.set(key, { of, symbol: key, timeframe, from, to, count, rows });
        this.#size += 1;
        return;
      }
    }
    // A gap begins at the record before it.
    if (count === 0 ? from >= loss.to : from > loss.to) loss.rows += rows;
    if (from < loss.from) loss.from = from;
    if (to > loss.to) loss.to = to;
    loss.count += count;
  }

  /** Empties it. */
  take(): readonly Loss[] {
    const all = [...this.#bySymbol.values()].flatMap((losses) => [...losses.values()]);
    this.#bySymbol.clear();
    this.#size = 0;
    return all;
  }
}
