import type { Bar } from '../../market/bar.js';

type Prices = { -readonly [K in 'open' | 'high' | 'low' | 'close']: Bar[K] };

/**
 * Widens low and high to hold open and close if these are outside by no more than `tolerance` of their size, and orders low and
 * high if they are the wrong way round by no more than that: the last binary digit of computed prices. What is further off stays
 * as it is.
 */
export function widenRange(bar: Prices, tolerance: number): void {
  const { open, high, low, close } = bar;
  if (!isAbout(high, low, tolerance)) return;
  const top = Math.max(high, low);
  const bottom = Math.min(high, low);
  if (!isAbout(top, open, tolerance) || !isAbout(top, close, tolerance)) return;
  if (!isAbout(open, bottom, tolerance) || !isAbout(close, bottom, tolerance)) return;
  bar.high = Math.max(top, open, close);
  bar.low = Math.min(bottom, open, close);
}

/** Whether `upper` is at least `lower`, or below it by no more than the tolerance. */
function isAbout(upper: number, lower: number, tolerance: number): boolean {
  return upper >= lower || lower - upper <= tolerance * Math.max(Math.abs(upper), Math.abs(lower));
}
