import * as field from './fields.js';
import type { CrossFieldIssue, RecordDescription } from './recordShape.js';

/** What a symbol traded at over one span of time. */
export interface Bar {
  readonly kind: 'bar';
  /** Where the bar comes from. Bars of two vendors are two bars, even for one span. */
  readonly vendor: string;
  /** As the vendor spells it: case and inner blanks carry meaning. */
  readonly symbol: string;
  /** The span: `1m`, `5m`, `1h`, `1d`. */
  readonly timeframe: string;
  /** The start of the span in Unix epoch milliseconds, UTC; the fraction carries microseconds. */
  readonly ts: number;
  /** Prices, which may be negative. `open` and `close` lie between `low` and `high`. */
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** What was traded, in shares, contracts or units of the base currency. */
  readonly volume: number;
  /** Whether the span is over, so that the vendor sends no further update but revisions; left out where that is not known. */
  readonly isFinal?: boolean | undefined;
  /** Whether all that was traded in the span is in it: false if there was a gap inside; left out where that is not known. */
  readonly isComplete?: boolean | undefined;
  /** The number of trades; `null` or left out where the vendor does not say. */
  readonly trades?: number | null | undefined;
  /** The volume-weighted average price. It may lie outside of low and high, because vendors exclude some trades from these. */
  readonly vwap?: number | null | undefined;
  /**
   * The version: of two bars with one key, the higher wins, in whatever order they arrive. Either the provider's sequence or
   * the time of receipt in microseconds. A safe integer; without one, the sink numbers the bar on arrival.
   */
  readonly seq?: number;
}

/** What makes two bars the same bar: vendor, symbol, timeframe and start. */
export function barKey({ vendor, symbol, timeframe, ts }: Bar): string {
  return `${vendor}\u0000${symbol}\u0000${timeframe}\u0000${ts}`;
}

/**
 * Prices are finite, and negative where they are: spreads can be, and crude oil was on 20 April 2020. `high` is not below
 * `low`, and `open` and `close` are not outside of them.
 */
export const BAR: RecordDescription<Bar> = {
  name: 'Bar',
  fields: {
    kind: field.literal('bar'),
    vendor: field.label,
    symbol: field.symbol,
    timeframe: field.label,
    ts: field.instant,
    open: field.finite,
    high: field.finite,
    low: field.finite,
    close: field.finite,
    volume: field.atLeastZero,
    isFinal: field.optional(field.flag),
    isComplete: field.optional(field.flag),
    trades: field.nullable(field.count),
    vwap: field.nullable(field.finite),
    seq: field.optional(field.seq),
  },
  crossFieldIssues,
  key: barKey,
  eventTime: ({ ts }) => ts,
};

const NONE: readonly CrossFieldIssue<Bar>[] = [];

function crossFieldIssues({ open, high, low, close }: Bar): readonly CrossFieldIssue<Bar>[] {
  const isWithin = (price: number) => price >= low && price <= high;
  if (isWithin(open) && isWithin(close)) return NONE;
  if (high < low) return [{ field: 'high', expected: `a high that is not below the low of ${low}` }];
  const range = `from the low of ${low} to the high of ${high}`;
  const issues: CrossFieldIssue<Bar>[] = [];
  if (!isWithin(open)) issues.push({ field: 'open', expected: `an open ${range}` });
  if (!isWithin(close)) issues.push({ field: 'close', expected: `a close ${range}` });
  return issues;
}
