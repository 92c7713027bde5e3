/** What an option was quoted at, and what was computed of it, at one moment. */
export interface OptionSnapshot {
  readonly kind: 'option';
  readonly vendor: string;
  /** The underlying. Upper case, as the vendor spells it. */
  readonly symbol: string;
  /** The last day of the contract: `2024-06-21`. */
  readonly expiry: string;
  /** Call or put. */
  readonly optionType: 'C' | 'P';
  readonly strike: number;
  /** When it was taken, in Unix epoch milliseconds, UTC; the fraction carries microseconds. */
  readonly ts: number;
  /** What the vendor does not know is `null` or left out, here and in all that follows. */
  readonly bid?: number | null | undefined;
  readonly ask?: number | null | undefined;
  /** The price of the last trade. */
  readonly last?: number | null | undefined;
  /** The implied volatility of a year: 0.25 is 25 percent. */
  readonly iv?: number | null | undefined;
  /** From -1 to 1. */
  readonly delta?: number | null | undefined;
  readonly gamma?: number | null | undefined;
  readonly theta?: number | null | undefined;
  readonly vega?: number | null | undefined;
  /** Contracts that are open. */
  readonly openInterest?: number | null | undefined;
  /** Contracts that were traded on the day. */
  readonly volume?: number | null | undefined;
  readonly underlyingPrice?: number | null | undefined;
  /**
   * Which version of the snapshot this is: of two with one key, the higher wins, in whatever order they arrive. A safe
   * integer; without one the sink numbers on arrival.
   */
  readonly seq?: number;
}

/** What makes two snapshots the same: vendor, underlying, expiry, call or put, strike and moment. */
export function optionKey(option: OptionSnapshot): string {
  const { vendor, symbol, expiry, optionType, strike, ts } = option;
  return `${vendor}\u0000${symbol}\u0000${expiry}\u0000${optionType}\u0000${strike}\u0000${ts}`;
}
