import { requireInteger, requireNumber } from '../primitives/validate.js';

export interface WatermarkOptions {
  readonly capacity?: number | undefined;
  readonly highWatermark?: number | undefined;
  readonly lowWatermark?: number | undefined;
}

/** The limits of a buffer, in items. */
export interface Watermarks {
  readonly capacity: number;
  /** The gate closes when so many are held. */
  readonly high: number;
  /** The gate opens again when so few are left. */
  readonly low: number;
}

/** What a product of a capacity and a fraction may be off by: 100 × 0.55 is to be 55, not 55.00000000000001. */
const ROUNDING = 1e-9;

/** The limits that the options of a buffer mean, each checked, the marks a whole item apart. */
export function watermarks(owner: string, options: WatermarkOptions): Watermarks {
  const capacity = requireInteger(owner, 'capacity', options.capacity ?? 10_000);
  const highWatermark = requireNumber(owner, 'highWatermark', options.highWatermark ?? 0.8, 0, 1);
  const lowWatermark = requireNumber(
    owner,
    'lowWatermark',
    options.lowWatermark ?? (highWatermark > 0.5 ? 0.5 : highWatermark / 2),
    0,
    1,
  );
  if (lowWatermark >= highWatermark) {
    throw new RangeError(
      `${owner}: lowWatermark must be below highWatermark, got ${lowWatermark} and ${highWatermark}`,
    );
  }
  const high = Math.max(1, Math.ceil(capacity * highWatermark - ROUNDING));
  const low = Math.min(high - 1, Math.floor(capacity * lowWatermark + ROUNDING));
  return { capacity, high, low };
}
