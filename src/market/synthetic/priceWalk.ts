import type { Xoshiro128 } from '../../primitives/xoshiro128.js';

/** Prices are kept in whole cents, so that rounding is the same on every machine. */
export const CENTS = 100;

/** A random walk of prices, one per symbol. */
export class PriceWalk {
  readonly #random: Xoshiro128;
  /** The last close of each symbol, and the price that it is drawn back to, in cents. */
  readonly #closes: Int32Array;
  readonly #anchors: Int32Array;
  /** The start and end of the last move, and how far its extremes may lie beyond them, in cents. */
  open = 0;
  close = 0;
  range = 0;

  constructor(symbols: number, random: Xoshiro128) {
    this.#random = random;
    this.#closes = new Int32Array(symbols);
    this.#anchors = new Int32Array(symbols);
    for (let i = 0; i < symbols; i++) {
      const price = 10 * CENTS + random.below(490 * CENTS);
      this.#closes[i] = price;
      this.#anchors[i] = price;
    }
  }

  /** The first price of a symbol, which it is drawn back to. */
  anchor(symbol: number): number {
    return this.#anchors[symbol]!;
  }

  move(symbol: number): void {
    const former = this.#closes[symbol]!;
    // The sum of two uniform draws, from -1 to 1, and a pull back, so that no price runs away. Logarithms and sines are
    // avoided: their last digits differ between engines.
    const range = 1 + (former >> 8);
    const bits = this.#random.uint32();
    const step = ((bits & 0xff) + ((bits >>> 8) & 0xff) - 255) / 255;
    const pull = (this.#anchors[symbol]! - former) / 512;
    const open = Math.max(1, former + ((((bits >>> 16) & 3) - 1) >> 1));
    const close = Math.max(1, open + Math.round(step * range + pull));
    this.#closes[symbol] = close;
    this.open = open;
    this.close = close;
    this.range = range;
  }
}
