import * as field from './fields.js';
import type { RecordDescription } from './recordShape.js';

/** One trade, as an exchange or a vendor reports it. */
export interface Trade {
  readonly kind: 'trade';
  /** Where the trade comes from. */
  readonly vendor: string;
  /** As the vendor spells it: case and inner blanks carry meaning. */
  readonly symbol: string;
  /** When it was executed, in Unix epoch milliseconds, UTC; the fraction carries microseconds. */
  readonly ts: number;
  /** May be negative: spreads can be. A double, which is exact to 15 digits. */
  readonly price: number;
  /** In shares, contracts or units of the base currency: fractions are allowed, and 0 where the vendor rounds less than one away. */
  readonly size: number;
  /** The vendor's identifier or sequence number as text. A correction has the id of the trade that it corrects. */
  readonly id: string;
  /** The exchange, by the vendor's code; `null` or left out where the vendor does not say. */
  readonly venue?: string | null | undefined;
  /** The side of the aggressor, who took the price that was there; `null` or left out where the vendor does not say. */
  readonly side?: 'buy' | 'sell' | null | undefined;
  /** The conditions of sale, by the vendor's codes; `null` or left out where the vendor does not say. */
  readonly conditions?: readonly string[] | null | undefined;
  /**
   * The version: of two trades with one key, the higher wins, in whatever order they arrive; so a correction replaces what it
   * corrects. A safe integer; without one, the sink numbers the trade on arrival.
   */
  readonly seq?: number;
}

/** What makes two trades the same: vendor, symbol, instant and id. */
export function tradeKey({ vendor, symbol, ts, id }: Trade): string {
  return `${vendor}\u0000${symbol}\u0000${ts}\u0000${id}`;
}

export const TRADE: RecordDescription<Trade> = {
  name: 'Trade',
  fields: {
    kind: field.literal('trade'),
    vendor: field.label,
    symbol: field.symbol,
    ts: field.instant,
    price: field.finite,
    size: field.atLeastZero,
    id: field.label,
    venue: field.nullable(field.label),
    side: field.nullable(field.oneOf(['buy', 'sell'])),
    conditions: field.nullable(field.listOf('an array of conditions', field.label)),
    seq: field.optional(field.seq),
  },
  key: tradeKey,
  eventTime: ({ ts }) => ts,
  inFiles: { hasTimeOfDay: true },
};
