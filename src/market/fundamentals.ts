import { DAY_MS, epochDay } from '../primitives/calendarDate.js';
import * as field from './fields.js';
import type { RecordDescription } from './recordShape.js';

/** One figure from the report of a company. */
export interface Fundamentals {
  readonly kind: 'fundamental';
  /** Where the figure comes from. */
  readonly vendor: string;
  /** As the vendor spells it: case and inner blanks carry meaning. */
  readonly symbol: string;
  /** The last day of the reported period: `2024-03-31`. */
  readonly periodEnd: string;
  /** The length of the period; `ttm` is the trailing twelve months. */
  readonly timeframe: 'quarterly' | 'annual' | 'ttm' | (string & {});
  /** The name of the figure: `revenues`, `netIncome`. */
  readonly metric: string;
  /** The figure, in `unit`. */
  readonly value: number;
  /** The unit of `value`: `USD`, `USD/share`, `shares`. */
  readonly unit: string;
  /** The day on which the report was filed: `2024-05-02`; `null` or left out if it is not known. */
  readonly filingDate?: string | null | undefined;
  /**
   * The version: of two figures with one key, the higher wins, in whatever order they arrive; so a restatement replaces what
   * it restates. A safe integer; without one, the sink numbers the figure on arrival.
   */
  readonly seq?: number;
}

/** What makes two figures the same: vendor, symbol, end and length of the period, and metric. */
export function fundamentalsKey({ vendor, symbol, periodEnd, timeframe, metric }: Fundamentals): string {
  return `${vendor}\u0000${symbol}\u0000${periodEnd}\u0000${timeframe}\u0000${metric}`;
}

export const FUNDAMENTALS: RecordDescription<Fundamentals> = {
  name: 'Fundamentals',
  fields: {
    kind: field.literal('fundamental'),
    vendor: field.label,
    symbol: field.symbol,
    periodEnd: field.calendarDate,
    timeframe: field.label,
    metric: field.label,
    value: field.finite,
    unit: field.label,
    filingDate: field.nullable(field.calendarDate),
    seq: field.optional(field.seq),
  },
  key: fundamentalsKey,
  // A figure becomes known when it is filed.
  eventTime: ({ filingDate, periodEnd }) => epochDay(filingDate ?? periodEnd) * DAY_MS,
};
