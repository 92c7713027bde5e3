/** The rows of one vendor and symbol, which arrive in the order of their time. */
interface Series<R> {
  readonly vendor: string;
  readonly symbol: string;
  /** The first microsecond that has not been read yet. */
  from: number;
  /** Rows that were read; from {@link at} on, not handed on yet. */
  rows: readonly Placed<R>[];
  at: number;
  /** Whether everything has been read. */
  ended: boolean;
}

export interface Placed<R> {
  readonly micros: number;
  readonly row: R;
}

/** What to read next: up to `limit` rows of each series, from its microsecond on. */
export interface Wanted {
  readonly vendors: readonly string[];
  readonly symbols: readonly string[];
  readonly froms: readonly number[];
  readonly limit: number;
}

const MIN_ROWS_PER_SERIES = 4;

/**
 * Merges series by time that are read piece by piece, each row once. Rows can be handed on up to the instant at which the first
 * series has to be read further. All rows of one instant are in one page.
 *
 * Holds at most `pageSize` rows, or four per series if that is more.
 */
export class SeriesMerge<R> {
  readonly #pageSize: number;
  readonly #series: Series<R>[];
  #asked: Series<R>[] = [];
  #limit = 0;

  constructor(vendors: readonly string[], symbols: readonly string[], pageSize: number, from: number) {
    this.#pageSize = pageSize;
    this.#series = vendors.flatMap((vendor) =>
      symbols.map((symbol) => ({ vendor, symbol, from, rows: [], at: 0, ended: false })),
    );
  }

  /** Whether there may be more to read. */
  get isOpen(): boolean {
    return this.#series.some(({ ended }) => !ended);
  }

  /** Undefined when everything has been read. */
  wanted(): Wanted | undefined {
    const open = this.#series.filter(({ ended }) => !ended);
    if (open.length === 0) return undefined;
    this.#limit = Math.max(MIN_ROWS_PER_SERIES, Math.ceil(this.#pageSize / open.length));
    // Series that are nearly used up are read too: otherwise series that are out of step would take a round each.
    this.#asked = open.filter(({ rows, at }) => (rows.length - at) * 2 < this.#limit);
    return {
      vendors: this.#asked.map(({ vendor }) => vendor),
      symbols: this.#asked.map(({ symbol }) => symbol),
      froms: this.#asked.map(({ from }) => from),
      limit: this.#limit,
    };
  }

  /** Takes the answer to {@link wanted}, the rows of each series in the requested order, and returns the rows that are due. */
  add(answers: readonly (readonly Placed<R>[])[]): R[] {
    this.#asked.forEach((series, i) => {
      const rows = answers[i] ?? [];
      series.ended = rows.length < this.#limit;
      series.from = (rows.at(-1)?.micros ?? series.from) + 1;
      series.rows = [...series.rows.slice(series.at), ...rows];
      series.at = 0;
    });
    this.#asked = [];
    return this.#due();
  }

  #due(): R[] {
    let until = Number.POSITIVE_INFINITY;
    for (const { ended, rows } of this.#series) {
      if (!ended) until = Math.min(until, rows.at(-1)?.micros ?? Number.NEGATIVE_INFINITY);
    }
    const due: Placed<R>[] = [];
    for (const series of this.#series) {
      while (series.at < series.rows.length && series.rows[series.at]!.micros <= until) {
        due.push(series.rows[series.at++]!);
      }
    }
    // The sort is stable: rows of one instant stay in the order of their series.
    return due.sort((a, b) => a.micros - b.micros).map(({ row }) => row);
  }
}
