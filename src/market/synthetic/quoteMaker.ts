import type { Quote } from '../quote.js';
import { CENTS, PriceWalk } from './priceWalk.js';
import type { MakerOf } from './walk.js';

const VENUES = ['XNAS', 'XNYS', 'ARCX', 'BATS'];

/** Between two quotes. */
const MAX_PAUSE_MICROS = 10_000;

/** Quotes in order of time, each of the next symbol; now and then a side is absent. */
export const quoteMaker: MakerOf<Quote> = ({ symbols, vendor, epoch }, random) => {
  const prices = new PriceWalk(symbols.length, random);
  let made = 0;
  let micros = Math.round(epoch * 1_000);

  return {
    make(seq) {
      const symbol = made % symbols.length;
      prices.move(symbol);
      const bits = random.uint32();
      const sizes = random.uint32();
      const ts = micros / 1_000;
      micros += random.below(MAX_PAUSE_MICROS);
      const hasBid = (bits & 0x1f) !== 0;
      const hasAsk = ((bits >>> 5) & 0x1f) !== 0;
      return {
        kind: 'quote',
        vendor,
        symbol: symbols[symbol]!,
        ts,
        bid: hasBid ? prices.close / CENTS : null,
        bidSize: hasBid ? 100 * (1 + (sizes & 0xff)) : null,
        ask: hasAsk ? (prices.close + 1 + ((bits >>> 10) & 7)) / CENTS : null,
        askSize: hasAsk ? 100 * (1 + ((sizes >>> 8) & 0xff)) : null,
        id: String(++made),
        ...(hasBid ? { bidVenue: VENUES[(bits >>> 13) & 3]! } : {}),
        askVenue: hasAsk ? VENUES[(bits >>> 15) & 3]! : null,
        seq,
      };
    },
    /** Restates both sizes. */
    revise(quote, seq) {
      const sizes = random.uint32();
      return {
        ...quote,
        bidSize: quote.bid === null ? null : 100 * (300 + (sizes & 0xff)),
        askSize: quote.ask === null ? null : 100 * (300 + ((sizes >>> 8) & 0xff)),
        seq,
      };
    },
  };
};
