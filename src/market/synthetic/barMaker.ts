import type { Bar } from '../bar.js';
import { CENTS, PriceWalk } from './priceWalk.js';
import type { MakerOf } from './walk.js';

/** Bars span by span: in each span, one of every symbol. */
export const barMaker: MakerOf<Bar> = ({ symbols, spanMs, vendor, timeframe, epoch }, random) => {
  const prices = new PriceWalk(symbols.length, random);
  let next = 0;
  let start = epoch;

  const barOf = (symbol: string, ts: number, open: number, close: number, range: number, seq: number): Bar => {
    const bits = random.uint32();
    const high = Math.max(open, close) + Math.floor(((bits & 0xff) * range) / 256);
    const low = Math.max(1, Math.min(open, close) - Math.floor((((bits >>> 8) & 0xff) * range) / 256));
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
  };

  return {
    make(seq) {
      prices.move(next);
      const bar = barOf(symbols[next]!, start, prices.open, prices.close, prices.range, seq);
      next += 1;
      if (next === symbols.length) {
        next = 0;
        start += spanMs;
      }
      return bar;
    },
    /** Corrects the close, and with it the extremes and the volume. */
    revise(bar, seq) {
      const open = Math.round(bar.open * CENTS);
      const range = 1 + (open >> 8);
      const close = Math.max(1, Math.round(bar.close * CENTS) + 1 + random.below(range));
      return barOf(bar.symbol, bar.ts, open, close, range, seq);
    },
  };
};
