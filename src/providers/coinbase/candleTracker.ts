import { Unreadable } from '../session.js';
import { COINBASE_TIMEFRAME, candle, startMs } from './normalise.js';

/** The candle of a product that is still forming. */
interface Forming {
  start: number;
  raw: unknown;
}

/** More products than the vendor has. */
const MAX_PRODUCTS = 10_000;

type Raw = Readonly<Record<string, unknown>>;

/**
 * Knows which candles are final: the vendor does not say it, so a candle is final once one with a later start has appeared for
 * its product. What comes for it after that is a revision, and final too.
 */
export class CandleTracker {
  readonly #forming = new Map<string, Forming>();

  /**
   * Calls `emit` with each candle of one message, the oldest first: a snapshot has many of a product. A candle that becomes final
   * is emitted again, unless this message brings it. One that cannot be read says nothing of the others.
   */
  read(candles: readonly unknown[], emit: (raw: unknown, isFinal: boolean) => void): void {
    const ordered = candles.length > 1 ? [...candles].sort(byStart) : candles;
    /** Those whose latest state was not emitted yet. */
    const touched: Forming[] = [];
    for (const raw of ordered) {
      if (!isReadable(raw)) {
        emit(raw, false);
        continue;
      }
      const product = raw.product_id as string;
      const start = startMs(raw.start);
      const forming = this.#forming.get(product);
      if (!forming) {
        const first = { start, raw };
        if (this.#forming.size < MAX_PRODUCTS) this.#forming.set(product, first);
        touched.push(first);
      } else if (start < forming.start) {
        emit(raw, true);
      } else {
        const isTouched = touched.includes(forming);
        if (start > forming.start) emit(forming.raw, true);
        else if (isTouched) emit(forming.raw, false);
        forming.start = start;
        forming.raw = raw;
        if (!isTouched) touched.push(forming);
      }
    }
    for (const { raw } of touched) emit(raw, false);
  }

  forget(product: string): void {
    this.#forming.delete(product);
  }
}

/** What has no start comes first. */
function byStart(a: unknown, b: unknown): number {
  return startOf(a) - startOf(b);
}

function startOf(raw: unknown): number {
  return (typeof raw === 'object' && raw !== null && startMs((raw as Raw).start)) || 0;
}

function isReadable(raw: unknown): raw is Raw {
  if (typeof raw !== 'object' || raw === null) return false;
  const { product_id, start, open, high, low, close, volume } = raw as Raw;
  const bar = candle(product_id, COINBASE_TIMEFRAME, start, open, high, low, close, volume, false, 0);
  return !(bar instanceof Unreadable);
}
