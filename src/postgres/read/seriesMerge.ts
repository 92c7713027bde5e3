/** The rows of one series, such as a vendor and symbol, which arrive in the order of their time. */
interface Series<R> {
  readonly vendor: string | null;
  readonly symbol: string | null;
  readonly place: number;
  /** The first microsecond that may not have been read yet. */
  from: number;
  /** Of rows at `from`, the tie of the last one that has been read; null if none has. */
  after: string | null;
  /** Rows that were read; from {@link at} on, not handed on yet. */
  rows: readonly Placed<R>[];
  at: number;
  /** Whether everything has been read. */
  ended: boolean;
}

export interface Placed<R> {
  readonly micros: number;
  /** What puts the rows of one series and instant in order; left out where there is only one such row. */
  readonly tie?: string | undefined;
  readonly row: R;
}

/** What to read next: up to `limit` rows of each series, from its microsecond on and after its tie. */
export interface Wanted {
  readonly vendors: readonly (string | null)[];
  readonly symbols: readonly (string | null)[];
  readonly froms: readonly number[];
  readonly afters: readonly (string | null)[];
  readonly limit: number;
}

const MIN_ROWS_PER_SERIES = 4;

/**
 * Merges series by time that are read piece by piece, each row once. Rows can be handed on up to the place at which the first
 * series has to be read further: an instant, or within one where a series may have several rows of it.
 *
 * Holds at most `pageSize` rows, or four per series if that is more.
 */
export class SeriesMerge<R> {
  readonly #pageSize: number;
  readonly #series: Series<R>[];
  #asked: Series<R>[] = [];
  #limit = 0;

  /** One series for each vendor and symbol. Null is for a series of all of them. */
  constructor(
    vendors: readonly (string | null)[],
    symbols: readonly (string | null)[],
    pageSize: number,
    from: number,
  ) {
    this.#pageSize = pageSize;
    const pairs = vendors.flatMap((vendor) => symbols.map((symbol) => ({ vendor, symbol })));
    this.#series = pairs.map((pair, place) => ({ ...pair, place, from, after: null, rows: [], at: 0, ended: false }));
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
      afters: this.#asked.map(({ after }) => after),
      limit: this.#limit,
    };
  }

  /** Takes the answer to {@link wanted}, the rows of each series in the requested order, and returns the rows that are due. */
  add(answers: readonly (readonly Placed<R>[])[]): R[] {
    this.#asked.forEach((series, i) => {
      const rows = answers[i] ?? [];
      series.ended = rows.length < this.#limit;
      const last = rows.at(-1);
      if (last) {
        // An instant with a single row is done with.
        series.from = last.tie === undefined ? last.micros + 1 : last.micros;
        series.after = last.tie ?? null;
      }
      series.rows = [...series.rows.slice(series.at), ...rows];
      series.at = 0;
    });
    this.#asked = [];
    return this.#due();
  }

  #due(): R[] {
    // All rows up to this instant, and those of this instant of series up to this place.
    let until = Number.POSITIVE_INFINITY;
    let untilPlace = Number.POSITIVE_INFINITY;
    for (const { ended, rows, place } of this.#series) {
      if (ended) continue;
      const last = rows.at(-1);
      const micros = last?.micros ?? Number.NEGATIVE_INFINITY;
      if (micros > until) continue;
      const ofPlace = last?.tie === undefined ? Number.POSITIVE_INFINITY : place;
      untilPlace = micros < until ? ofPlace : Math.min(untilPlace, ofPlace);
      until = micros;
    }
    const due: Placed<R>[] = [];
    for (const series of this.#series) {
      const { place, rows } = series;
      while (series.at < rows.length) {
        const next = rows[series.at]!;
        if (next.micros > until || (next.micros === until && place > untilPlace)) break;
        due.push(next);
        series.at += 1;
      }
    }
    // The sort is stable: rows of one instant stay in the order of their series.
    return due.sort((a, b) => a.micros - b.micros).map(({ row }) => row);
  }
}
