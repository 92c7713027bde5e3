import type { Bar } from '../../market/bar.js';
import type { Trade } from '../../market/trade.js';

/** The trades of a symbol in one minute, as they are known. */
export class MinuteBook {
  readonly start: number;
  readonly trades: Trade[] = [];
  isTold = false;
  hasNews = false;

  constructor(start: number) {
    this.start = start;
  }

  add(trade: Trade): void {
    this.trades.push(trade);
    this.hasNews = true;
  }

  /** Replaces the version that is known. */
  correct(trade: Trade): void {
    this.trades[this.trades.findIndex(({ id }) => id === trade.id)] = trade;
    this.hasNews = true;
  }

  /** Its bar was told. */
  told(): void {
    this.isTold = true;
    this.hasNews = false;
  }
}

/** Sizes are multiples of a ten-thousandth and prices of a cent: counted in these, sums are exact. */
const LOTS = 10_000;
const CENTS = 100;

/** The bar of a minute that has trades. The first and the last are those of its instants, whenever they were told. */
export function barOf({ start, trades }: MinuteBook, vendor: string, symbol: string): Bar {
  let first = trades[0]!;
  let last = first;
  let high = first.price;
  let low = first.price;
  let lots = 0;
  let worth = 0;
  for (const trade of trades) {
    if (isBefore(trade, first)) first = trade;
    if (isBefore(last, trade)) last = trade;
    high = Math.max(high, trade.price);
    low = Math.min(low, trade.price);
    const size = Math.round(trade.size * LOTS);
    lots += size;
    worth += size * Math.round(trade.price * CENTS);
  }
  return {
    kind: 'bar',
    vendor,
    symbol,
    timeframe: '1m',
    ts: start,
    open: first.price,
    high,
    low,
    close: last.price,
    volume: lots / LOTS,
    isFinal: true,
    trades: trades.length,
    vwap: Math.round((worth / lots) * CENTS) / (CENTS * CENTS),
  };
}

/** By instant, and by number where instants are equal. */
function isBefore(one: Trade, other: Trade): boolean {
  return one.ts === other.ts ? Number(one.id) < Number(other.id) : one.ts < other.ts;
}
