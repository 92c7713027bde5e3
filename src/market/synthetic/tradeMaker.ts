import type { Trade } from '../trade.js';
import { CENTS, PriceWalk } from './priceWalk.js';
import type { MakerOf } from './walk.js';

const VENUES = ['XNAS', 'XNYS', 'ARCX', 'BATS'];

/** Codes as vendors have them: blanks, signs and quotes included. */
const CONDITIONS = [['@'], ['@', 'I'], ['F', ' T'], ['37', 'O\'Neill "late"'], []];

/** Between two trades. */
const MAX_PAUSE_MICROS = 50_000;

/** Trades in order of time, each of the next symbol. */
export const tradeMaker: MakerOf<Trade> = ({ symbols, vendor, epoch }, random) => {
  const prices = new PriceWalk(symbols.length, random);
  let made = 0;
  let micros = Math.round(epoch * 1_000);

  return {
    make(seq) {
      const symbol = made % symbols.length;
      prices.move(symbol);
      const bits = random.uint32();
      const ts = micros / 1_000;
      micros += random.below(MAX_PAUSE_MICROS);
      return {
        kind: 'trade',
        vendor,
        symbol: symbols[symbol]!,
        ts,
        price: prices.close / CENTS,
        size: sizeOf(bits),
        id: String(++made),
        venue: (bits & 7) === 0 ? null : VENUES[(bits >>> 3) & 3]!,
        // Few vendors know the side and the conditions of each trade.
        ...((bits >>> 5) & 3 ? { side: (bits >>> 7) & 1 ? ('buy' as const) : ('sell' as const) } : {}),
        ...((bits >>> 8) & 1 ? { conditions: CONDITIONS[(bits >>> 9) % CONDITIONS.length]! } : {}),
        seq,
      };
    },
    /** Corrects price and size. */
    revise(trade, seq) {
      const bits = random.uint32();
      return {
        ...trade,
        price: (Math.round(trade.price * CENTS) + 1 + (bits & 0xf)) / CENTS,
        size: sizeOf(bits >>> 4),
        seq,
      };
    },
  };
};

/** Whole, or one in four with the fraction that a thousandth of a share has. */
function sizeOf(bits: number): number {
  const size = 1 + ((bits >>> 12) % 1_000);
  return ((bits >>> 10) & 3) === 0 ? size / 1_000 : size;
}
