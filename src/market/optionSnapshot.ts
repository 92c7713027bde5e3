import * as field from './fields.js';
import { isNoFigure, type OptionFigure } from './noValue.js';
import type { RecordDescription } from './recordShape.js';

/** The quotes of an option at one moment, and the figures computed from them. */
export interface OptionSnapshot {
  readonly kind: 'option';
  /** Where the snapshot comes from. */
  readonly vendor: string;
  /** The underlying, as the vendor spells it: case and inner blanks carry meaning. */
  readonly symbol: string;
  /** The last day of the contract: `2024-06-21`. */
  readonly expiry: string;
  /** Call or put. */
  readonly optionType: 'C' | 'P';
  /** The strike price. */
  readonly strike: number;
  /** The moment, in Unix epoch milliseconds, UTC; the fraction carries microseconds. */
  readonly ts: number;
  /** `null` or left out where the vendor does not know it; so are all the fields below. */
  readonly bid?: number | null | undefined;
  /** The best ask; a bid above it is accepted, because markets cross. */
  readonly ask?: number | null | undefined;
  /** The price of the last trade. */
  readonly last?: number | null | undefined;
  /** The annual implied volatility: 0.25 is 25 percent. */
  readonly iv?: number | null | undefined;
  /** From -1 to 1. */
  readonly delta?: number | null | undefined;
  /** Gamma, theta and vega are as the vendor computes them, in the vendor's units. */
  readonly gamma?: number | null | undefined;
  /** As the vendor computes it. */
  readonly theta?: number | null | undefined;
  /** As the vendor computes it. */
  readonly vega?: number | null | undefined;
  /** Open contracts. */
  readonly openInterest?: number | null | undefined;
  /** Contracts traded on the day. */
  readonly volume?: number | null | undefined;
  /** The price of the underlying at that moment. */
  readonly underlyingPrice?: number | null | undefined;
  /**
   * The version: of two snapshots with one key, the higher wins, in whatever order they arrive. A safe integer; without one,
   * the sink numbers the snapshot on arrival.
   */
  readonly seq?: number;
}

/** What makes two snapshots the same: vendor, underlying, expiry, call or put, strike and moment. */
export function optionKey({ vendor, symbol, expiry, optionType, strike, ts }: OptionSnapshot): string {
  return `${vendor}\u0000${symbol}\u0000${expiry}\u0000${optionType}\u0000${strike}\u0000${ts}`;
}

/** A bid may be above the ask: markets cross. */
export const OPTION: RecordDescription<OptionSnapshot> = {
  name: 'OptionSnapshot',
  fields: {
    kind: field.literal('option'),
    vendor: field.label,
    symbol: field.symbol,
    expiry: field.calendarDate,
    optionType: field.oneOf(['C', 'P']),
    strike: field.aboveZero,
    ts: field.instant,
    bid: field.nullable(field.atLeastZero),
    ask: field.nullable(field.atLeastZero),
    last: field.nullable(field.atLeastZero),
    iv: field.nullable(field.atLeastZero),
    delta: field.nullable(field.fromMinusOneToOne),
    gamma: field.nullable(field.finite),
    theta: field.nullable(field.finite),
    vega: field.nullable(field.finite),
    openInterest: field.nullable(field.atLeastZero),
    volume: field.nullable(field.atLeastZero),
    underlyingPrice: field.nullable(field.finite),
    seq: field.optional(field.seq),
  },
  key: optionKey,
  eventTime: ({ ts }) => ts,
  inFiles: { isNoFigure: (name, value) => isNoFigure(name as OptionFigure, value) },
};
