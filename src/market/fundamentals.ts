/** One figure of a company's report. */
export interface Fundamentals {
  readonly kind: 'fundamental';
  readonly vendor: string;
  /** Upper case, as the vendor spells it. */
  readonly symbol: string;
  /** The last day of the period that is reported on: `2024-03-31`. */
  readonly periodEnd: string;
  /** The length of the period; `ttm` is the last twelve months. */
  readonly timeframe: 'quarterly' | 'annual' | 'ttm' | (string & {});
  /** What is measured: `revenues`, `netIncome`. */
  readonly metric: string;
  readonly value: number;
  /** What `value` counts: `USD`, `USD/share`, `shares`. */
  readonly unit: string;
  /** The day on which it was filed: `2024-05-02`; `null` or left out where it is not known. */
  readonly filingDate?: string | null | undefined;
  /**
   * Which version of the figure this is: of two with one key, the higher wins, in whatever order they arrive, as a
   * restatement does. A safe integer; without one the sink numbers on arrival.
   */
  readonly seq?: number;
}

/** What makes two figures the same: vendor, symbol, end and length of the period, and metric. */
export function fundamentalsKey(figure: Fundamentals): string {
  const { vendor, symbol, periodEnd, timeframe, metric } = figure;
  return `${vendor}\u0000${symbol}\u0000${periodEnd}\u0000${timeframe}\u0000${metric}`;
}
