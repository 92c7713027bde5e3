import { integer, number } from '../primitives/options.js';

/** The limits of a buffer as its options say them: a number of items, and parts of it. */
type WatermarkOptions = Partial<Record<'capacity' | 'highWatermark' | 'lowWatermark', number | undefined>>;

/** The limits of a buffer, in items. */
export interface Watermarks {
  readonly capacity: number;
  /** The gate closes when this many are held. */
  readonly high: number;
  /** The gate opens again when no more than this many are left. */
  readonly low: number;
}

const CAPACITY = integer({ min: 1 }).default(10_000);
const PART = number({ min: 0, max: 1 });

/** The rounding error of a capacity times a fraction: 100 × 0.55 must be 55 rather than 55.00000000000001. */
const ROUNDING = 1e-9;

/** The limits that the options of a buffer mean, checked, with the marks at least one item apart. */
export function watermarks(owner: string, options: WatermarkOptions): Watermarks {
  const capacity = CAPACITY.read(owner, 'capacity', options.capacity);
  const highWatermark = PART.read(owner, 'highWatermark', options.highWatermark) ?? 0.8;
  const usual = highWatermark > 0.5 ? 0.5 : highWatermark / 2;
  const lowWatermark = PART.read(owner, 'lowWatermark', options.lowWatermark) ?? usual;
  if (lowWatermark >= highWatermark) {
    throw new RangeError(
      `${owner}: lowWatermark must be below highWatermark, got ${lowWatermark} and ${highWatermark}`,
    );
  }
  const high = Math.max(1, Math.ceil(capacity * highWatermark - ROUNDING));
  const low = Math.min(high - 1, Math.floor(capacity * lowWatermark + ROUNDING));
  return { capacity, high, low };
}
