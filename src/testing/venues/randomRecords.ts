import type { Bar } from '../../market/bar.js';
import type { Quote } from '../../market/quote.js';
import type { Trade } from '../../market/trade.js';
import type { Xoshiro128 } from '../../primitives/xoshiro128.js';

const BEGINNING = 1_767_623_400_000;

/** Records of a few symbols whose prices walk at random: the same seed gives the same records. */
export class RandomRecords {
  readonly #vendor: string;
  readonly #symbols: readonly string[];
  readonly #random: Xoshiro128;
  readonly #prices: number[];
  readonly #ids: number[];
  #now = BEGINNING;

  constructor(vendor: string, symbols: readonly string[], random: Xoshiro128) {
    this.#vendor = vendor;
    this.#symbols = symbols;
    this.#random = random;
    this.#prices = symbols.map(() => 10_000 + random.below(1_000_000));
    this.#ids = symbols.map(() => random.below(1_000_000));
  }

  /** The time of the market, in epoch milliseconds with a fraction. */
  get now(): number {
    return this.#now;
  }

  trade(): Trade {
    const { place, symbol, price } = this.#move();
    const id = this.#ids[place]!++;
    const size = (1 + this.#random.below(100_000)) / 1e8;
    const side = this.#random.below(2) === 0 ? 'buy' : 'sell';
    return { kind: 'trade', vendor: this.#vendor, symbol, ts: this.#now, price, size, id: String(id), side, seq: id };
  }

  quote(): Quote {
    const { place, symbol, price } = this.#move();
    const id = this.#ids[place]!++;
    // Now and then nobody bids.
    const bid = this.#random.below(50) === 0 ? null : price - 0.01;
    const bidSize = bid === null ? null : 1 + this.#random.below(10);
    const rest = { ask: price + 0.01, askSize: 1 + this.#random.below(10), id: String(id), seq: id };
    return { kind: 'quote', vendor: this.#vendor, symbol, ts: this.#now, bid, bidSize, ...rest };
  }

  bar(timeframe: string, spanMs: number): Bar {
    const { symbol, price } = this.#move();
    const ts = Math.floor(this.#now / spanMs) * spanMs;
    const volume = this.#random.below(1_000) / 8;
    return {
      kind: 'bar',
      vendor: this.#vendor,
      symbol,
      timeframe,
      ts,
      open: price,
      high: price + 1,
      low: price - 1,
      close: price + 0.5,
      volume,
      isFinal: this.#random.below(10) === 0,
      trades: volume === 0 ? 0 : 1 + this.#random.below(100),
      seq: Math.round(this.#now * 1e3),
    };
  }

  /** Time passes, and a price moves. */
  #move() {
    this.#now += this.#random.below(20_000) / 16;
    const place = this.#random.below(this.#symbols.length);
    this.#prices[place] = Math.max(1_000, this.#prices[place]! + this.#random.below(101) - 50);
    return { place, symbol: this.#symbols[place]!, price: this.#prices[place]! / 100 };
  }
}
