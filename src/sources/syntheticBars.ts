import type { Bar } from '../market/bar.js';
import { requireKnownOptions } from '../primitives/validate.js';
import { barWalk } from './synthetic/barMaker.js';
import { requireSyntheticBars, SYNTHETIC_BARS_OPTIONS, type SyntheticBarsConfig } from './synthetic/settings.js';

export type { SyntheticBarsConfig } from './synthetic/settings.js';

/**
 * The bars that {@link synthetic} emits, as an iterable: a random walk for each symbol, symbol after symbol and span after
 * span. What it yields depends on its configuration alone; each iteration begins anew.
 *
 * Late bars cross newer ones of other spans and symbols, and a duplicate may come after the revision of its bar, as an
 * older version that must not win. `seq` grows with each new version by one, from 1.
 *
 * @example
 * ```ts
 * import { syntheticBars } from 'sluice/sources';
 *
 * const bars = [...syntheticBars({ symbols: ['AAPL', 'MSFT'], count: 1_000, seed: 7, revisions: 0.05 })];
 * console.log(bars.length);
 * ```
 */
export function syntheticBars(config: SyntheticBarsConfig = {}): Iterable<Bar> {
  requireKnownOptions('syntheticBars', config, SYNTHETIC_BARS_OPTIONS);
  const settings = requireSyntheticBars('syntheticBars', config);
  return {
    *[Symbol.iterator]() {
      const walk = barWalk(settings);
      for (let bar = walk.next(); bar !== undefined; bar = walk.next()) yield bar;
    },
  };
}
