import type { Xoshiro128 } from '../../primitives/xoshiro128.js';
import type { Bar } from '../bar.js';
import { CENTS, PriceWalk } from './priceWalk.js';
import type { SyntheticBarsSettings } from './settings.js';
import type { Maker, MakerOf } from './walk.js';

export const barMaker: MakerOf<Bar> = (settings, random) => new BarMaker(settings, random);

/**
 * Bars span by span: in each span, one of every symbol. A class, where the other makers are closures: V8 makes bars a quarter
 * faster this way.
 */
class BarMaker implements Maker<Bar> {
  readonly #settings: SyntheticBarsSettings;
  readonly #random: Xoshiro128;
  readonly #prices: PriceWalk;
  #symbol = 0;
  #ts: number;

  constructor(settings: SyntheticBarsSettings, random: Xoshiro128) {
    this.#settings = settings;
    this.#random = random;
    this.#prices = new PriceWalk(settings.symbols.length, random);
    this.#ts = settings.epoch;
  }

  make(seq: number): Bar {
    const { symbols, spanMs } = this.#settings;
    const prices = this.#prices;
    const symbol = this.#symbol;
    prices.move(symbol);
    const bar = this.#bar(symbols[symbol]!, this.#ts, prices.open, prices.close, prices.range, seq);
    if (symbol + 1 < symbols.length) {
      this.#symbol = symbol + 1;
    } else {
      this.#symbol = 0;
      this.#ts += spanMs;
    }
    return bar;
  }

  /** Corrects the close, and with it the extremes and the volume. */
  revise(bar: Bar, seq: number): Bar {
    const open = Math.round(bar.open * CENTS);
    const range = 1 + (open >> 8);
    const close = Math.max(1, Math.round(bar.close * CENTS) + 1 + this.#random.below(range));
    return this.#bar(bar.symbol, bar.ts, open, close, range, seq);
  }

  #bar(symbol: string, ts: number, open: number, close: number, range: number, seq: number): Bar {
    const bits = this.#random.uint32();
    const high = Math.max(open, close) + Math.floor(((bits & 0xff) * range) / 256);
    const low = Math.max(1, Math.min(open, close) - Math.floor((((bits >>> 8) & 0xff) * range) / 256));
    const { vendor, timeframe } = this.#settings;
    return {
      kind: 'bar',
      vendor,
      symbol,
      timeframe,
      ts,
      open: open / CENTS,
      high: high / CENTS,
      low: low / CENTS,
      close: close / CENTS,
      volume: 100 + 100 * ((bits >>> 16) % 1_000),
      seq,
    };
  }
}
