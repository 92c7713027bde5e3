/** The rows of one vendor and symbol, which come in the order of their time. */
interface Series<R> {
  readonly vendor: string;
  readonly symbol: string;
  /** The first microsecond that has not been read. */
  from: number;
  /** Read and not handed on yet, from {@link at} on. */
  rows: readonly Placed<R>[];
  at: number;
  /** Whether there is nothing more to read. */
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
 * Merges series by time that are read a piece at a time, each row once: what can be handed on is everything up to the
 * instant where the first series would have to be read further. All rows of one instant are in one page.
 *
 * Holds `pageSize` rows at most, or four of each series if they are so many.
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
    // Those that are nearly used up too: otherwise series that are out of step would take a round each.
    this.#asked = open.filter(({ rows, at }) => (rows.length - at) * 2 < this.#limit);
    return {
      vendors: this.#asked.map(({ vendor }) => vendor),
      symbols: this.#asked.map(({ symbol }) => symbol),
      froms: this.#asked.map(({ from }) => from),
      limit: this.#limit,
    };
  }

  /** Takes the answer to {@link wanted}, the rows of each series in the order that was asked for, and gives what is due. */
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
    const due: { readonly placed: Placed<R>; readonly place: number }[] = [];
    this.#series.forEach((series, place) => {
      while (series.at < series.rows.length && series.rows[series.at]!.micros <= until) {
        due.push({ placed: series.rows[series.at++]!, place });
      }
    });
    due.sort((a, b) => a.placed.micros - b.placed.micros || a.place - b.place);
    return due.map(({ placed }) => placed.row);
  }
}
