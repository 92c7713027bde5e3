import type { OptionSnapshot } from '../optionSnapshot.js';
import { dateOf, endOfMonth } from './calendar.js';
import { CENTS, PriceWalk } from './priceWalk.js';
import type { MakerOf } from './walk.js';

const STRIKES = 5;
const EXPIRIES = 2;

/** Per underlying: calls and puts at five strikes, expiring at the ends of the next two months. */
const CONTRACTS = 2 * STRIKES * EXPIRIES;

/** Strikes are multiples of half a dollar. */
const TICK = CENTS / 2;

/** Option chains, moment by moment: at each, the whole chain of every symbol. */
export const optionMaker: MakerOf<OptionSnapshot> = ({ symbols, spanMs, vendor, epoch }, random) => {
  const prices = new PriceWalk(symbols.length, random);
  let symbol = 0;
  let contract = 0;
  let ts = epoch;
  let expiries: readonly string[] = [];

  const snapshot = (seq: number): OptionSnapshot => {
    const isCall = contract % 2 === 0;
    const rank = (contract >> 1) % STRIKES;
    const month = Math.floor(contract / (2 * STRIKES));
    const anchor = prices.anchor(symbol);
    const underlying = prices.close;
    // Around the first price, so that contracts stay the same as time passes.
    const apart = TICK * Math.max(1, Math.floor(anchor / (20 * TICK)));
    const strike = TICK * Math.round(anchor / TICK) + (rank - (STRIKES >> 1)) * apart;

    const quote = random.uint32();
    const open = random.uint32();
    const worth = Math.max(0, isCall ? underlying - strike : strike - underlying);
    const bid = worth + Math.floor(((month + 1) * anchor) / 128) + (quote & 0xf);
    const volume = (open & 7) === 0 ? 0 : (open >>> 3) & 0x3ff;
    const chance = Math.floor((1_000 * (underlying - strike)) / (4 * apart)) + 500;
    const delta = Math.min(990, Math.max(10, chance));
    // Now and then the vendor knows only the prices.
    const isComputed = ((quote >>> 4) & 0xf) !== 0;
    return {
      kind: 'option',
      vendor,
      symbol: symbols[symbol]!,
      expiry: expiries[month]!,
      optionType: isCall ? 'C' : 'P',
      strike: strike / CENTS,
      ts,
      bid: bid / CENTS,
      ask: (bid + 1 + ((quote >>> 8) & 0xf)) / CENTS,
      last: volume === 0 ? null : (bid + ((quote >>> 12) & 0xf)) / CENTS,
      iv: isComputed ? (1_000 + ((quote >>> 16) & 0xfff)) / 10_000 : null,
      delta: isComputed ? (isCall ? delta : delta - 1_000) / 1_000 : null,
      ...(isComputed
        ? {
            gamma: (1 + ((quote >>> 20) & 0x3f)) / 1_000,
            theta: -(1 + ((open >>> 13) & 0xff)) / 1_000,
            vega: (1 + ((open >>> 18) & 0x1ff)) / 1_000,
          }
        : {}),
      openInterest: 10 * ((open >>> 16) & 0xfff),
      volume,
      underlyingPrice: underlying / CENTS,
      seq,
    };
  };

  return {
    make(seq) {
      // The expiries of a moment are the same for all symbols.
      if (contract === 0 && symbol === 0) expiries = expiriesAfter(new Date(ts));
      if (contract === 0) prices.move(symbol);
      const option = snapshot(seq);
      contract = (contract + 1) % CONTRACTS;
      if (contract === 0) symbol = (symbol + 1) % symbols.length;
      if (contract === 0 && symbol === 0) ts += spanMs;
      return option;
    },
    /** Raises the quotes, after more trades. */
    revise(option, seq) {
      const bits = random.uint32();
      const by = 1 + (bits & 0xf);
      const higher = (price: number | null | undefined) => (Math.round((price ?? 0) * CENTS) + by) / CENTS;
      const bid = higher(option.bid);
      const volume = (option.volume ?? 0) + 1 + ((bits >>> 8) & 0xff);
      return { ...option, bid, ask: higher(option.ask), last: bid, volume, seq };
    },
  };
};

function expiriesAfter(now: Date): string[] {
  return Array.from({ length: EXPIRIES }, (_, i) =>
    dateOf(endOfMonth(now.getUTCFullYear(), now.getUTCMonth() + 1 + i)),
  );
}
