/** What a symbol traded at over one span of time. */
export interface Bar {
  readonly kind: 'bar';
  /** Where the bar comes from: two vendors' bars of one span are two bars. */
  readonly vendor: string;
  /** Upper case, as the vendor spells it. */
  readonly symbol: string;
  /** The span: `1m`, `5m`, `1h`, `1d`. */
  readonly timeframe: string;
  /** The start of the span in Unix epoch milliseconds, UTC; the fraction carries microseconds. */
  readonly ts: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  /**
   * Which version of the bar this is: of two with one key, the higher wins, in whatever order they arrive. The
   * provider's sequence, or the time of receipt in microseconds. A safe integer; without one the sink numbers on arrival.
   */
  readonly seq?: number;
}

/** What makes two bars the same bar: vendor, symbol, timeframe and start. */
export function barKey(bar: Bar): string {
  return `${bar.vendor}\u0000${bar.symbol}\u0000${bar.timeframe}\u0000${bar.ts}`;
}
