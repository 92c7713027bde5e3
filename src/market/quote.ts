import * as field from './fields.js';
import type { RecordDescription } from './recordShape.js';

/** The best bid and the best ask at one moment. */
export interface Quote {
  readonly kind: 'quote';
  /** Where the quote comes from. */
  readonly vendor: string;
  /** As the vendor spells it: case and inner blanks carry meaning. */
  readonly symbol: string;
  /** Since when it holds, in Unix epoch milliseconds, UTC; the fraction carries microseconds. */
  readonly ts: number;
  /** `null` where nobody bids; may be negative: spreads can be. A double, which is exact to 15 digits. */
  readonly bid: number | null;
  /** In shares, contracts or units of the base currency; `null` where nobody bids, or the vendor does not say. */
  readonly bidSize: number | null;
  /** `null` where nobody asks. It may be below the bid: markets cross. */
  readonly ask: number | null;
  /** As `bidSize`, of the ask. */
  readonly askSize: number | null;
  /** The vendor's identifier or sequence number as text. */
  readonly id: string;
  /** The exchange of the bid, by the vendor's code; `null` or left out where the vendor does not say. */
  readonly bidVenue?: string | null | undefined;
  /** The exchange of the ask. */
  readonly askVenue?: string | null | undefined;
  /**
   * The version: of two quotes with one key, the higher wins, in whatever order they arrive. A safe integer; without one, the
   * sink numbers the quote on arrival.
   */
  readonly seq?: number;
}

/** What makes two quotes the same: vendor, symbol, instant and id. */
export function quoteKey({ vendor, symbol, ts, id }: Quote): string {
  return `${vendor}\u0000${symbol}\u0000${ts}\u0000${id}`;
}

export const QUOTE: RecordDescription<Quote> = {
  name: 'Quote',
  fields: {
    kind: field.literal('quote'),
    vendor: field.label,
    symbol: field.symbol,
    ts: field.instant,
    bid: field.orNull(field.finite),
    bidSize: field.orNull(field.atLeastZero),
    ask: field.orNull(field.finite),
    askSize: field.orNull(field.atLeastZero),
    id: field.label,
    bidVenue: field.nullable(field.label),
    askVenue: field.nullable(field.label),
    seq: field.optional(field.seq),
  },
  key: quoteKey,
  eventTime: ({ ts }) => ts,
  inFiles: { hasTimeOfDay: true },
};
